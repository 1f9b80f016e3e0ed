"""Sources that are read again and again: one module each, and `feeds`, which knows them all."""
