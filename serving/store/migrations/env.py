"""Takes the steps on the connection it is handed; Alembic runs this file."""

from __future__ import annotations

from alembic import context

NAME_UNDER_ALEMBIC = "env_py"

if __name__ == NAME_UNDER_ALEMBIC:
    context.configure(**context.config.attributes["configured"])
    with context.begin_transaction():
        context.run_migrations()
