"""The score of an account: made in batches, told over HTTP."""
