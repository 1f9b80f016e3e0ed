"""Services to be compared with."""
