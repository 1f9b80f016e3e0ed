"""The pages that people read: why a score is what it is, and what would change it."""
