"""Accounts of Mastodon, read by the API of a server."""
