"""What happened, and when we knew it."""
