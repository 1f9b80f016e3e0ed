"""What we ship: bundles that score and explain."""
