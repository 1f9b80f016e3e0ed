"""Scoring all accounts, which `clout score --all` does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from clout.commands.options import open_lake
from clout.errors import CloutError

if TYPE_CHECKING:
    from clout.data.lake import Lake
    from clout.models.score_model import ScoreModel
    from clout.serving.accounts.batch import Scored
    from clout.serving.store.scores import Store
    from clout.settings import Settings


def score_accounts(as_of: str | None, lake: str | None, *, as_json: bool) -> None:
    """Score every account and keep the scores."""
    from dataclasses import asdict
    from datetime import UTC

    from clout.display import print_json, print_scored
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    settings = read_settings()
    with Store.open(settings.store) as store:
        at = None if as_of is None else _moment(as_of)
        scored = score_all_accounts(settings, open_lake(lake), store, at, lambda: datetime.now(UTC))
    told = asdict(scored) | {"as_of": scored.as_of.isoformat()}
    print_json(told) if as_json else print_scored(told)


def score_all_accounts(
    settings: Settings, lake: Lake, store: Store, at: datetime | None, clock: Callable[[], datetime]
) -> Scored:
    """What was scored, as it was known at a moment: as asked, else the newest there is."""
    from datetime import timedelta

    from clout.data.history import known_before, load, read_tables
    from clout.display import progress_bar
    from clout.features.account_posts import AccountsAt
    from clout.serving.accounts.batch import Judgement, moment_of, score_all, told_before
    from clout.serving.active_model import read_champion

    with progress_bar() as progress:
        progress("reading the lake", 0.0)
        model, tables = read_champion(settings.home), read_tables(lake)
        moment = moment_of(tables, model.networks, store, at, clock())
        told = told_before(store, moment, model)
        if told is not None:
            return told
        values, horizon = model.data["action_values"], timedelta(days=model.data["horizon_days"])
        past = AccountsAt.of(
            load(known_before(tables, moment), horizon, values), moment, model.networks, *model.account.windows
        )
        judges = [Judgement.of(model), *(Judgement.of(before) for before in _before(settings, store, model))]
        return score_all(past, judges, store, lake, clock, progress)


def _before(settings: Settings, store: Store, model: ScoreModel) -> list[ScoreModel]:
    """The model of the run before, where it is another and still here."""
    from clout.models import registry
    from clout.models.score_model import ScoreModel

    run = store.newest_run()
    if run is None or run.model_version == model.version:
        return []
    if run.model_version not in registry.versions(settings.home):
        return []
    return [ScoreModel.load(registry.folder(settings.home, run.model_version))]


def _moment(text: str) -> datetime:
    """The moment a text names, in UTC where it names no zone."""
    from datetime import UTC

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CloutError(
            f"got --as-of {text!r}; expected a day or a moment, as 2026-11-22 or 2026-11-22T18:00:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
