"""What may become of a draft: many at once, the best time for one, and what changes to it would do."""
