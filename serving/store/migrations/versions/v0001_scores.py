"""Models, runs and scores; scores and models are never changed, and scores go only while they are being forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIME = sa.DateTime(timezone=True)

SQLITE = (
    """CREATE TRIGGER scores_stay BEFORE UPDATE ON scores
    BEGIN SELECT RAISE(ABORT, 'scores are never changed'); END""",
    """CREATE TRIGGER models_stay BEFORE UPDATE ON models
    BEGIN SELECT RAISE(ABORT, 'models are never changed'); END""",
    # REPLACE would take a row away without the triggers on deletion.
    """CREATE TRIGGER scores_come_once BEFORE INSERT ON scores
    WHEN EXISTS (SELECT 1 FROM scores WHERE account = NEW.account AND as_of = NEW.as_of
                 AND model_version = NEW.model_version)
    BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER models_come_once BEFORE INSERT ON models
    WHEN EXISTS (SELECT 1 FROM models WHERE model_version = NEW.model_version)
    BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER scores_are_forgotten BEFORE DELETE ON scores
    WHEN NOT EXISTS (SELECT 1 FROM forgetting WHERE account = OLD.account)
    BEGIN SELECT RAISE(ABORT, 'scores are only deleted by forgetting their account'); END""",
    """CREATE TRIGGER models_remain BEFORE DELETE ON models
    BEGIN SELECT RAISE(ABORT, 'models are never deleted'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% %', TG_TABLE_NAME, TG_ARGV[0]; END $$""",
    """CREATE FUNCTION refuse_unless_forgotten() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      IF NOT EXISTS (SELECT 1 FROM forgetting WHERE account = OLD.account) THEN
        RAISE EXCEPTION 'scores are only deleted by forgetting their account';
      END IF;
      RETURN OLD;
    END $$""",
    """CREATE TRIGGER scores_stay BEFORE UPDATE ON scores
    FOR EACH ROW EXECUTE FUNCTION refuse('are never changed')""",
    """CREATE TRIGGER models_stay BEFORE UPDATE ON models
    FOR EACH ROW EXECUTE FUNCTION refuse('are never changed')""",
    """CREATE TRIGGER scores_are_forgotten BEFORE DELETE ON scores
    FOR EACH ROW EXECUTE FUNCTION refuse_unless_forgotten()""",
    """CREATE TRIGGER models_remain BEFORE DELETE ON models
    FOR EACH ROW EXECUTE FUNCTION refuse('are never deleted')""",
    """CREATE TRIGGER scores_are_not_emptied BEFORE TRUNCATE ON scores
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('are only deleted by forgetting their account')""",
    """CREATE TRIGGER models_are_not_emptied BEFORE TRUNCATE ON models
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('are never deleted')""",
)


def upgrade() -> None:
    """Nothing; the tables and their triggers are there."""
    _models_and_runs()
    _scores()
    op.create_table("forgetting", sa.Column("account", sa.Text, primary_key=True))
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_context().dialect.name]:
        op.execute(statement)


def _models_and_runs() -> None:
    op.create_table(
        "models",
        sa.Column("model_version", sa.Text, primary_key=True),
        sa.Column("scale_version", sa.Text, nullable=False),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("quantiles", sa.Text, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("as_of", TIME, nullable=False),
        sa.Column("model_version", sa.Text, sa.ForeignKey("models.model_version"), nullable=False),
        sa.Column("scale_version", sa.Text, nullable=False),
        sa.Column("lake_fingerprint", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("accounts", NUMBER),
        sa.UniqueConstraint("as_of", "model_version", "lake_fingerprint", name="runs_once"),
    )


def _scores() -> None:
    op.create_table(
        "scores",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("as_of", TIME, primary_key=True),
        sa.Column("model_version", sa.Text, sa.ForeignKey("models.model_version"), primary_key=True),
        sa.Column("scale_version", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("handle", sa.Text),
        sa.Column("handle_sought", sa.Text),
        sa.Column("bridge", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("score", "low", "high")),
        sa.Column("size_group", sa.Text),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.Column("run", NUMBER, sa.ForeignKey("runs.id"), nullable=False),
        sa.CheckConstraint("(score IS NULL) = (low IS NULL) AND (score IS NULL) = (high IS NULL)", name="scores_whole"),
        sa.CheckConstraint("score BETWEEN 1 AND 100", name="scores_from_1_to_100"),
    )
    op.create_index("scores_by_handle", "scores", ["network", "handle_sought"])
    op.create_index("scores_by_moment", "scores", ["as_of", "network"])
