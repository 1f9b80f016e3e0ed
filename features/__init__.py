"""What we measure before a post."""
