"""What was done with each live source, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Nothing; the table is there."""
    op.create_table(
        "live_runs",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("outcome", sa.Text),
        sa.Column("rows", NUMBER, nullable=False),
        sa.Column("rejected", NUMBER, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("model_version", sa.Text),
        sa.Column("lake_fingerprint", sa.Text),
        sa.Column("succeeded_at", TIME),
        sa.Column("rows_ever", NUMBER, nullable=False),
        sa.Column("rejected_ever", NUMBER, nullable=False),
    )
    op.create_index("live_runs_by_source", "live_runs", ["source", "id"])
