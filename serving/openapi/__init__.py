"""The description of the API that other programs read."""
