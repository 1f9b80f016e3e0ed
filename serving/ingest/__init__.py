"""Rows that come in over HTTP: judged one by one, kept at once, and moved to the lake."""
