"""The steps, never rewritten once they are on main: a later change of the tables is a later step."""
