"""Features of more rows than memory holds: the lake in shards of accounts, one after the other or on many machines."""
