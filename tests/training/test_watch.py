from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from same_again import FORTNIGHT, same_again
from trained_society import TrainedSociety

from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.data.simulate import Simulation
from clout.data.tables import SCHEMAS
from clout.models.score_model import ScoreModel
from clout.training import judged
from clout.training.watch import Stretch, Watched, WatchError, watch


@dataclass(frozen=True)
class Later:
    """A champion, what was said of its rolling blocks, all tables a fortnight later, and when that is."""

    model: ScoreModel
    kept: pl.DataFrame
    tables: dict[str, pl.DataFrame]
    trained_at: datetime
    now: datetime
    home: Path

    def watch(self, tables: dict[str, pl.DataFrame], stretch: Stretch | None = None) -> Watched:
        """What a watch sees of `tables`."""
        lake = Lake(f"memory://watch-{id(tables)}")
        lake.append(tables, source="later")
        return watch(self.model, lake, self.kept, stretch or Stretch(), self.now, self.home)


@pytest.fixture(scope="module")
def later(trained: TrainedSociety, society: Simulation) -> Later:
    model, tables = trained.model, read_tables(trained.lake)
    end = datetime.fromisoformat(model.data["data_through"])
    again = same_again(society.tables, end)
    grown = {name: pl.concat([tables[name], again[name]]) if name in again else tables[name] for name in SCHEMAS}
    kept = judged.read(trained.home, model.version)
    return Later(model, kept, grown, end, end + FORTNIGHT, trained.home)


@pytest.fixture(scope="module")
def quiet(later: Later) -> Watched:
    """What is seen when the last fortnight comes again."""
    return later.watch(later.tables)


@pytest.fixture(scope="module")
def broken(later: Later) -> Watched:
    """What is seen when, after the training, most likes stop, followers grow tenfold, and some write Esperanto."""
    new = pl.col("happened_at") > later.trained_at
    tenth = pl.int_range(pl.len()) % 10 == 0
    tables = later.tables | {
        "profiles": later.tables["profiles"].with_columns(
            followers=pl.when(new).then(pl.col("followers") * 10).otherwise("followers")
        ),
        "posts": later.tables["posts"].with_columns(
            lang=pl.when(new & tenth).then(pl.lit("eo")).otherwise("lang"),
            text=pl.when(new & ~tenth).then(None).otherwise("text"),
        ),
        "actions": later.tables["actions"].filter(~new | (pl.int_range(pl.len()) % 10 == 0)),
    }
    return later.watch(tables)


def test_a_quiet_fortnight_is_quiet(quiet: Watched, later: Later) -> None:
    assert quiet.findings == ()
    assert quiet.verdict.startswith(f"quiet: {quiet.posts:,} posts since {later.trained_at:%Y-%m-%d}")
    assert not quiet.retrain
    assert quiet.since == later.trained_at
    assert quiet.reference_through <= later.trained_at


def test_it_looks_at_every_own_post_since_the_training(quiet: Watched, later: Later) -> None:
    since = later.tables["posts"].filter(pl.col("happened_at") > later.trained_at, pl.col("kind") != "reshare")
    assert quiet.posts == since.height
    assert {one.drift.feature for one in quiet.inputs} == set(later.model.contract.names)
    assert sum(one.share for one in quiet.inputs) == pytest.approx(1)
    assert [one.drift.feature for one in quiet.predictions] == ["margin", "score"]


def test_ripe_posts_are_judged_against_the_rolling_blocks(quiet: Watched, later: Later) -> None:
    figures = {one.name: one for one in quiet.accuracy}
    report = later.model.bundle.json("metrics.json")
    for name in ("spearman", "total_ratio", "coverage", "crps"):
        assert figures[name].then == pytest.approx(report["model"][name]["value"])
    assert figures["skill"].then == pytest.approx(report["skill"]["account_mean"]["value"])
    for one in figures.values():
        assert one.low is not None
        assert one.low <= one.now <= one.high
    known_before = later.tables["posts"].filter(pl.col("happened_at") <= later.trained_at - FORTNIGHT / 2)
    assert quiet.ripe < later.tables["posts"].height - known_before.height


def test_what_breaks_is_found(broken: Watched) -> None:
    about = {finding.about for finding in broken.findings}
    assert about == {"inputs", "accuracy", "data"}
    told = broken.verdict
    assert told.startswith("act: ")
    assert "have a lang never seen before" in told
    assert "missing far more often than before: " in told
    assert "expected over actual actions went from" in told
    assert broken.retrain
    moved = [one.drift.feature for one in broken.inputs if one.drift.drifted]
    assert moved


def test_missing_data_do_not_ask_for_a_training(broken: Watched) -> None:
    missing = next(finding for finding in broken.findings if finding.words.startswith("missing"))
    assert not missing.retrain


def test_outcomes_known_at_the_training_are_never_judged(later: Later) -> None:
    """Also when one looks back to before it: the last block stays closed."""
    before = {name: later.tables[name] for name in SCHEMAS}
    for name in ("profiles", "posts", "actions"):
        before[name] = before[name].filter(pl.col("known_at") <= later.trained_at)
    seen = later.watch(before, Stretch(days=10))
    assert seen.posts > 500
    assert (seen.ripe, seen.accuracy) == (0, ())
    assert seen.inputs
    assert [finding.words for finding in seen.findings if finding.about == "data"] == ["nothing new for 14 days"]


def test_a_lake_that_forgot_is_refused(later: Later) -> None:
    recent = later.tables["posts"].filter(pl.col("happened_at") > later.trained_at - timedelta(days=40))
    with pytest.raises(WatchError, match=r"the lake has [\d,]+ of the [\d,]+ posts with an outcome that"):
        later.watch(later.tables | {"posts": recent})


@pytest.mark.parametrize(
    ("stretch", "day"),
    [(Stretch(), 10), (Stretch(days=7), 13), (Stretch(since=datetime(2024, 1, 5)), 5)],  # noqa: DTZ001
)
def test_the_stretch_begins_where_it_says(stretch: Stretch, day: int) -> None:
    trained, newest = datetime(2024, 1, 10), datetime(2024, 1, 20)  # noqa: DTZ001
    assert stretch.begin(trained, newest) == datetime(2024, 1, day)  # noqa: DTZ001
