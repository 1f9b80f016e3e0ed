"""The API that Klout had, answered from our scores: programs that were written for Klout run unchanged."""
