"""Bluesky as a source: its firehose, and its AppView."""
