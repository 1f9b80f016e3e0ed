"""What is usual among the accounts that a run scored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing; the table is there."""
    op.create_table(
        "usual",
        sa.Column("as_of", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("model_version", sa.Text, sa.ForeignKey("models.model_version"), primary_key=True),
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("size_group", sa.Text, primary_key=True),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("quantiles", sa.Text, nullable=False),
    )
