"""What became of the live sources, of scoring and of watching, as the page on models shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from clout.serving.accounts.kept import AccountStore
from clout.serving.pages.views.view import View
from clout.serving.store.rows import StoreError


class Live(View):
    """The newest run of a source, or of what a round does besides: `score` and `watch`."""

    source: str
    started_at: datetime = Field(description="When it was last tried.")
    ended_at: datetime | None
    outcome: str | None = Field(description="ok, failed or broken_off; null while it goes on.")
    error: str | None
    rows: int = Field(description="Rows that are new by this run; of score, accounts.")
    rejected: int
    rows_ever: int = Field(description="The same over all runs.")
    rejected_ever: int
    succeeded_at: datetime | None = Field(description="When it last ended well.")
    model_version: str | None


def live(store: AccountStore) -> list[Live] | None:
    """The newest run of each source, by name; None where the store cannot be read."""
    try:
        runs = store.open().live_runs.last_of_each()
    except StoreError:
        return None
    return [Live.model_validate(run.__dict__) for run in runs]
