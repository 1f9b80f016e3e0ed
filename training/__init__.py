"""From the past to a bundle."""
