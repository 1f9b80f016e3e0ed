"""The tables of the score store as the code reads and writes them; `migrations` makes them.

Besides scores, runs, models and what was `usual` in a run there is `forgetting`: rows of an account can be deleted only
while it stands there. The `keys` of the service, the `feedback` of people and the `live_runs` of live sources stand
beside them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from clout.serving.store.rows import StoreError


class Moment(TypeDecorator[datetime]):
    """A moment with its time zone, UTC when read; SQLite keeps it as text in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as this database takes it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise StoreError(f"got the moment {value} without a time zone; expected one with, such as {value}+00:00")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Number = BigInteger().with_variant(Integer, "sqlite")
METADATA = MetaData()

MODELS = Table(
    "models",
    METADATA,
    Column("model_version", Text, primary_key=True),
    Column("scale_version", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("quantiles", Text, nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("as_of", Moment, nullable=False),
    Column("model_version", Text, ForeignKey("models.model_version"), nullable=False),
    Column("scale_version", Text, nullable=False),
    Column("lake_fingerprint", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("accounts", Number),
    UniqueConstraint("as_of", "model_version", "lake_fingerprint", name="runs_once"),
)

SCORES = Table(
    "scores",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("as_of", Moment, primary_key=True),
    Column("model_version", Text, ForeignKey("models.model_version"), primary_key=True),
    Column("scale_version", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("handle", Text),
    Column("handle_sought", Text),
    Column("bridge", Boolean, nullable=False),
    Column("score", Double),
    Column("low", Double),
    Column("high", Double),
    Column("size_group", Text),
    Column("detail", LargeBinary, nullable=False),
    Column("run", Number, ForeignKey("runs.id"), nullable=False),
    CheckConstraint("(score IS NULL) = (low IS NULL) AND (score IS NULL) = (high IS NULL)", name="scores_whole"),
    CheckConstraint("score BETWEEN 1 AND 100", name="scores_from_1_to_100"),
    Index("scores_by_handle", "network", "handle_sought"),
    Index("scores_by_moment", "as_of", "network"),
)

USUAL = Table(
    "usual",
    METADATA,
    Column("as_of", Moment, primary_key=True),
    Column("model_version", Text, ForeignKey("models.model_version"), primary_key=True),
    Column("network", Text, primary_key=True),
    Column("size_group", Text, primary_key=True),
    Column("accounts", Integer, nullable=False),
    Column("quantiles", Text, nullable=False),
)

FORGETTING = Table("forgetting", METADATA, Column("account", Text, primary_key=True))

KEYS = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account", Text),
    Column("said", Text, nullable=False),
    Column("contact", Text),
    Column("page", Text),
    Column("closed_at", Moment),
    Column("note", Text),
    Index("feedback_by_at", "at"),
    Index("feedback_by_account", "account"),
    Index("feedback_by_closed_at", "closed_at"),
)

LIVE_RUNS = Table(
    "live_runs",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("source", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text),
    Column("rows", Number, nullable=False),
    Column("rejected", Number, nullable=False),
    Column("error", Text),
    Column("model_version", Text),
    Column("lake_fingerprint", Text),
    Column("succeeded_at", Moment),
    Column("rows_ever", Number, nullable=False),
    Column("rejected_ever", Number, nullable=False),
    Index("live_runs_by_source", "source", "id"),
)
