"""`python -m clout` is the command `clout`."""

from clout.cli import app

app(prog_name="clout")
