"""`python -m clout` is the command `clout`."""

from clout.cli import app

if __name__ == "__main__":
    app(prog_name="clout")
