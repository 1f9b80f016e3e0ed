"""What people report of their scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing; the table is there."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("contact", sa.Text),
        sa.Column("page", sa.Text),
        sa.Column("closed_at", TIME),
        sa.Column("note", sa.Text),
    )
    for name in ("at", "account", "closed_at"):
        op.create_index(f"feedback_by_{name}", "feedback", [name])
