"""One module a source: each turns what a source gives into the tables."""
