"""Scoring all accounts: who is scored, what is kept of each, and that nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import served_home

from clout.data.coverage import coverage
from clout.data.erasure import erase
from clout.data.history import known_before, load, read_tables
from clout.data.lake import Lake
from clout.features.account_posts import AccountsAt
from clout.models import registry
from clout.models.account import BEYOND
from clout.models.score_model import ScoreModel
from clout.serving.accounts import batch as account_batch
from clout.serving.accounts.batch import BatchError, Judgement, Scored, moment_of, score_all, size_group, told_before
from clout.serving.store.scores import Store

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
NETWORKS = served_home.NETWORKS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_home.make(tmp_path_factory.mktemp("batch"))


@pytest.fixture(scope="module")
def lake(home: Path) -> Lake:
    return Lake(home / "lake")


@pytest.fixture(scope="module")
def tables(lake: Lake) -> dict[str, pl.DataFrame]:
    return read_tables(lake)


@pytest.fixture(scope="module")
def model(home: Path) -> ScoreModel:
    return ScoreModel.load(registry.champion(home))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'scores.db'}") as opened:
        yield opened


def past_at(tables: dict[str, pl.DataFrame], model: ScoreModel, at: datetime) -> AccountsAt:
    horizon = timedelta(days=served_home.HORIZON_DAYS)
    return AccountsAt.of(
        load(known_before(tables, at), horizon, served_home.ACTION_VALUES), at, model.networks, *model.account.windows
    )


@pytest.fixture(scope="module")
def past(tables: dict[str, pl.DataFrame], model: ScoreModel) -> AccountsAt:
    through = coverage(tables).data_through
    assert through is not None
    return past_at(tables, model, through + timedelta(microseconds=1))


def scored(past: AccountsAt, model: ScoreModel, store: Store, lake: Lake, *before: ScoreModel) -> Scored:
    moments = count()
    judges = [Judgement.of(judge) for judge in (model, *before)]
    return score_all(past, judges, store, lake, lambda: START + next(moments) * timedelta(seconds=1))


def test_every_author_and_registered_account_has_a_record(
    past: AccountsAt, model: ScoreModel, store: Store, lake: Lake
) -> None:
    told = scored(past, model, store, lake)
    assert told.accounts == told.new == past.accounts.height
    assert 10 < told.scored < told.accounts
    assert store.written(past.at, model.version) == set(past.accounts["account"])


def test_whoever_only_reacts_is_not_scored(
    tables: dict[str, pl.DataFrame], model: ScoreModel, past: AccountsAt
) -> None:
    first = (
        tables["actions"]
        .head(1)
        .with_columns(actor=pl.lit("commons/lurking-stranger"), action=pl.lit("commons/one-more"))
    )
    more = {**tables, "actions": pl.concat([tables["actions"], first])}
    assert past_at(more, model, past.at).accounts.equals(past.accounts)


def test_reasons_and_posts_are_kept_and_add_up(past: AccountsAt, model: ScoreModel, store: Store, lake: Lake) -> None:
    scored(past, model, store, lake)
    names = [name for name in past.accounts["account"] if (record := store.latest(name)) and record.score is not None]
    for name in names:
        record = store.latest(name)
        assert record is not None
        detail = record.detail
        assert detail["base_score"] + sum(detail["points"].values()) == pytest.approx(record.score, abs=1e-9)
        assert set(detail["points"]) == set(detail["values"]) == {*model.contract.names, BEYOND.name}
        assert record.low is not None
        assert record.high is not None
        assert record.low < record.score < record.high  # type: ignore[operator]
        assert detail["expected"]["low"] <= detail["expected"]["value"] <= detail["expected"]["high"]
        sizes = [abs(post["points"]) for post in detail["carried"]]
        assert sizes == sorted(sizes, reverse=True)
        assert detail["evidence"]["lacks"] is None


def test_who_lacks_evidence_is_told_what(past: AccountsAt, model: ScoreModel, store: Store, lake: Lake) -> None:
    scored(past, model, store, lake)
    lacking = [record for name in past.accounts["account"] if (record := store.latest(name)) and record.score is None]
    for record in lacking:
        evidence = record.detail["evidence"]
        assert evidence["lacks"] == model.account.lacks(evidence["posts"], evidence["ripe_posts"], evidence["days"])
        assert "points" not in record.detail


def test_who_is_forgotten_meanwhile_is_not_kept(
    past: AccountsAt, model: ScoreModel, store: Store, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    lake, name = Lake(tmp_path / "lake"), past.accounts["account"][0]
    lake.append(tables, source="a test")
    erase(lake, [name], "asked", START.date())
    told = scored(past, model, store, lake)
    assert store.latest(name) is None
    assert len(store.written(past.at, model.version)) == told.accounts - 1


def test_a_broken_off_run_goes_on_where_it_was(
    past: AccountsAt, model: ScoreModel, store: Store, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_batch, "BATCH", 50)
    whole = store.write
    calls = count()

    def broken(*arguments: object) -> int:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "write", broken)
    with pytest.raises(KeyboardInterrupt):
        scored(past, model, store, lake)
    monkeypatch.undo()
    there = store.written(past.at, model.version)
    assert len(there) == 100
    told = scored(past, model, store, lake)
    assert told.new == told.accounts - 100
    assert scored(past, model, store, lake).new == 0


def test_batches_of_any_size_give_the_same(
    past: AccountsAt, model: ScoreModel, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for size in (50, 1_000):
        monkeypatch.setattr(account_batch, "BATCH", size)
        with Store.open(f"sqlite:///{tmp_path / f'{size}.db'}") as store:
            scored(past, model, store, lake)
            told.append({name: store.latest(name) for name in past.accounts["account"]})
    for name, record in told[0].items():
        other = told[1][name]
        assert record is not None
        assert other is not None
        assert record.score == pytest.approx(other.score, abs=1e-9)


def test_the_model_before_judges_the_same_moment(past: AccountsAt, model: ScoreModel, store: Store, lake: Lake) -> None:
    files = {**model.bundle.files, "card.md": b"# Another\n"}
    other = ScoreModel(replace(model.bundle, files=files, version="another"))
    scored(past, other, store, lake, model)
    name = next(name for name in past.accounts["account"] if (told := store.latest(name)) and told.score)
    steps = store.with_bridges(name, past.at - DAY, past.at + DAY)
    assert [(step.bridge, step.model_version) for step in steps] == [(True, model.version), (False, "another")]
    assert steps[0].score == steps[1].score


def test_a_moment_hides_what_came_later(tables: dict[str, pl.DataFrame], model: ScoreModel, past: AccountsAt) -> None:
    at = past.at - 3 * DAY
    early = {
        name: rows if name == "accounts" else rows.filter(pl.col("known_at") < at) for name, rows in tables.items()
    }
    judge = Judgement.of(model)
    now, then = (past_at(some, model, at) for some in (tables, early))
    one, other = (judge.scores(told.posts, judge.matrix(told.posts, told.streams, at)).score for told in (now, then))
    assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), "midnight"),
        (datetime(2025, 2, 1, 12, tzinfo=UTC), "now"),
    ],
)
def test_the_usual_moment(tables: dict[str, pl.DataFrame], store: Store, now: datetime, expected: str) -> None:
    through = coverage(tables).data_through
    assert through is not None
    midnight = through.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    assert moment_of(tables, NETWORKS, store, None, now) == (midnight if expected == "midnight" else now)


def test_a_network_that_the_model_does_not_know_does_not_move_the_moment(
    tables: dict[str, pl.DataFrame], store: Store
) -> None:
    later = (
        tables["posts"]
        .head(1)
        .with_columns(account=pl.lit("forum/1"), happened_at=pl.lit(START), known_at=pl.lit(START))
    )
    more = {**tables, "posts": pl.concat([tables["posts"], later])}
    assert moment_of(more, NETWORKS, store, None, START) == moment_of(tables, NETWORKS, store, None, START)
    assert moment_of(more, ("forum",), store, None, START) == START
    with pytest.raises(BatchError, match="the lake has no posts of elsewhere"):
        moment_of(more, ("elsewhere",), store, None, START)


def test_a_day_is_scored_once(tables: dict[str, pl.DataFrame], model: ScoreModel, store: Store, lake: Lake) -> None:
    morning = past_at(tables, model, datetime(2025, 2, 1, 6, tzinfo=UTC))
    scored(morning, model, store, lake)
    assert moment_of(tables, NETWORKS, store, None, datetime(2025, 2, 1, 18, tzinfo=UTC)) == morning.at


def test_a_moment_beyond_what_is_known_is_refused(tables: dict[str, pl.DataFrame], store: Store) -> None:
    with pytest.raises(
        BatchError, match=r"nothing is known from 2025-02-15T00:00:00\+00:00 on; expected that moment at most"
    ):
        moment_of(tables, NETWORKS, store, START, START + DAY)
    with pytest.raises(BatchError, match="nothing is known from"):
        moment_of(tables, NETWORKS, store, START + DAY, START)


def test_a_lake_without_posts_is_refused(tables: dict[str, pl.DataFrame], store: Store) -> None:
    with pytest.raises(BatchError, match="the lake has no posts"):
        moment_of({name: rows.clear() for name, rows in tables.items()}, NETWORKS, store, None, START)


def test_what_was_told_is_never_rewritten(
    tables: dict[str, pl.DataFrame], model: ScoreModel, store: Store, lake: Lake
) -> None:
    late = past_at(tables, model, datetime(2025, 2, 1, tzinfo=UTC))
    scored(late, model, store, lake)
    assert moment_of(tables, NETWORKS, store, late.at, START) == late.at
    with pytest.raises(BatchError, match=r"scores were told as of 2025-02-01.*expected a later moment"):
        moment_of(tables, NETWORKS, store, late.at - DAY, START)
    other = ScoreModel(replace(model.bundle, version="another"))
    told = told_before(store, late.at, other)
    assert told is not None
    assert (told.model_version, told.accounts, told.new) == (model.version, late.accounts.height, 0)
    assert told_before(store, late.at, model) is None


def test_sizes_are_by_followers() -> None:
    assert size_group(None) is None
    assert size_group(1_000) == "1,000 to 9,999 followers"


def test_a_batch_is_judged_from_its_own_rows(past: AccountsAt, model: ScoreModel) -> None:
    """The past of a few accounts, cut out of everybody's, gives the same to the last bit."""
    judge, names = Judgement.of(model), past.accounts["account"].to_list()[40:60]
    posts = past.posts.filter(past.posts["account"].is_in(names))
    cut = past.streams.among(names)
    assert cut.by_name["actions"].frame.height < past.streams.by_name["actions"].frame.height / 4
    whole, some = (judge.scores(posts, judge.matrix(posts, streams, past.at)) for streams in (past.streams, cut))
    assert np.array_equal(whole.explanation.values, some.explanation.values, equal_nan=True)
    assert np.array_equal(whole.score, some.score, equal_nan=True)
