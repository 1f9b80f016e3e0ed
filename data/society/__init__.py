"""The parts of a simulated society: people, what they say, how they react, and who cheats."""
