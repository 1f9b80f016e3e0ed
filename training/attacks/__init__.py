"""Attacks on scores: what each leaves in the tables, and how many points it buys."""
