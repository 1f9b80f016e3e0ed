"""How the tables of the score store came to be, one step a file in `versions`; Alembic takes them in order."""
