"""What came into the lake since a model was trained: does it still look like what the model knows, and hold up?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from clout.data.lake import Lake
from clout.errors import CloutError
from clout.features.catalogue import WORDING
from clout.features.wording import Wording
from clout.models.score_model import ScoreModel
from clout.training import stores
from clout.training.dataset import Dataset, Step, build
from clout.training.drift import LEAST_POSTS, Drift, drift, moment
from clout.training.judge import read_bundle_params, refuse_other_features
from clout.training.ripened import PROMISES, Compared, compare_ripe
from clout.training.volume import Volume, posts_a_day, rejects_share

CATEGORIES = ("network", "kind", "lang")
PREDICTIONS = ("margin", "score")
ACT_MOVEMENT = 0.03
MISSING_RISE, MISSING_SHARE = 0.20, 0.005
UNSEEN_SHARE = 0.02
STALE_DAYS = 7.0
MOSTLY = 0.9
EXPLAINED = 1_000
STEPS = 6


class WatchError(CloutError):
    """The lake does not hold what a watch needs."""

    code = "watch"


@dataclass(frozen=True)
class Finding:
    """One thing worth acting on; `retrain` tells whether training anew can help, else somebody has to look."""

    about: str
    words: str
    retrain: bool


@dataclass(frozen=True)
class Moved:
    """The drift of one feature, its `share` of the mean absolute contribution to margins, and its name for people.

    Other columns have a share of 0.
    """

    drift: Drift
    share: float
    label: str

    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        plain = asdict(self.drift) | {"drifted": self.drift.drifted, "share": self.share, "label": self.label}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


@dataclass(frozen=True)
class Watched:
    """What a watch saw: posts in `(since, through]` beside those of `[reference_from, reference_through]`.

    `inputs` are sorted by how much they matter, then `categories` and `predictions`; `accuracy` is empty while too few
    outcomes are new. `ripe` counts posts whose outcome became known since, `taught` those the model learned from.
    """

    version: str
    since: datetime
    through: datetime
    reference_from: datetime
    reference_through: datetime
    posts: int
    ripe: int
    taught: int
    inputs: tuple[Moved, ...]
    categories: tuple[Moved, ...]
    predictions: tuple[Moved, ...]
    accuracy: tuple[Compared, ...]
    volume: Volume | None
    rejected: tuple[float, float]
    findings: tuple[Finding, ...]

    @property
    def retrain(self) -> bool:
        """Whether something was found that training anew can help."""
        return any(finding.retrain for finding in self.findings)

    @property
    def drifted_share(self) -> float:
        """The share of what moves margins that comes from features that drifted."""
        return sum(moved.share for moved in self.inputs if moved.drift.drifted)

    @property
    def verdict(self) -> str:
        """One line: quiet, or what is worth acting on."""
        if self.findings:
            return f"act: {'; '.join(finding.words for finding in self.findings)}"
        if self.posts < LEAST_POSTS:
            return f"quiet: only {self.posts} posts came since {self.since:%Y-%m-%d}, too few to say more"
        return f"quiet: {self.posts:,} posts since {self.since:%Y-%m-%d} are like those the model knows"

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "version": self.version,
            "verdict": self.verdict,
            "act": bool(self.findings),
            "retrain": self.retrain,
            "findings": [asdict(finding) for finding in self.findings],
            "since": _iso(self.since),
            "through": _iso(self.through),
            "reference": {"from": _iso(self.reference_from), "through": _iso(self.reference_through)},
            "posts": self.posts,
            "ripe": self.ripe,
            "taught": self.taught,
            "drifted_share": self.drifted_share,
            "inputs": [moved.told() for moved in self.inputs],
            "categories": [moved.told() for moved in self.categories],
            "predictions": [moved.told() for moved in self.predictions],
            "accuracy": [figure.told() for figure in self.accuracy],
            "volume": None if self.volume is None else self.volume.told(),
            "rejected": {"before": self.rejected[0], "newest": self.rejected[1]},
        }


@dataclass(frozen=True)
class Stretch:
    """What to look at: everything after `since`, or the newest `days`, or, without both, all the model has not seen."""

    since: datetime | None = None
    days: float | None = None

    def begin(self, trained_through: datetime, newest: datetime) -> datetime:
        """The moment after which posts are looked at."""
        if self.since is not None:
            return self.since
        return trained_through if self.days is None else newest - timedelta(days=self.days)


def watch(
    model: ScoreModel,
    lake: Lake,
    kept: pl.DataFrame,
    stretch: Stretch,
    now: datetime,
    home: Path,
    step: Step = lambda _: None,
) -> Watched:
    """What came into `lake` since `model` was trained; `kept` is what was said of its rolling blocks.

    Nothing is left in `home`. Raises `WatchError` where the lake no longer has the posts the model was taught on.
    """
    refuse_other_features(model)
    params = read_bundle_params(model)
    with stores.opened(lake, params, home, step) as store:
        return _watched(model, lake, build(store, params, step), kept, stretch, now, params.seed, step)


def _watched(
    model: ScoreModel,
    lake: Lake,
    dataset: Dataset,
    kept: pl.DataFrame,
    stretch: Stretch,
    now: datetime,
    seed: int,
    step: Step,
) -> Watched:
    trained_through, newest = datetime.fromisoformat(model.data["data_through"]), _newest(dataset)
    since = stretch.begin(trained_through, newest)
    reference = _reference(dataset, min(since, trained_through))
    _refuse_forgotten(model, dataset, reference, since)
    step("measuring what came since")
    current = _current(model, dataset, since)
    ripe = dataset.frame.filter(pl.col("ripe_at") > max(since, trained_through))
    inputs, categories, predictions = _drifts(model, reference, current, kept, seed)
    step("judging the newly ripe posts")
    accuracy = tuple(compare_ripe(model, dataset, ripe, kept, seed))
    before = _own_posts(dataset, reference["happened_at"])
    volume = posts_a_day(before, current["happened_at"], since, newest)
    rejected = rejects_share(lake.receipts())
    findings = [
        *_inputs(inputs),
        *_categories(categories),
        *_predictions(predictions),
        *_accuracy(accuracy),
        *_data(volume, rejected, now - newest),
    ]
    return Watched(
        version=model.version,
        since=since,
        through=newest,
        reference_from=moment(reference, "min"),
        reference_through=moment(reference, "max"),
        posts=current.height,
        ripe=ripe.height,
        taught=dataset.frame.filter(dataset.plan.final.taught()).height,
        inputs=inputs,
        categories=categories,
        predictions=predictions,
        accuracy=accuracy,
        volume=volume,
        rejected=rejected,
        findings=tuple(findings),
    )


def _newest(dataset: Dataset) -> datetime:
    through = dataset.store.coverage.data_through
    assert through is not None  # noqa: S101 - a dataset has posts
    return through


def _reference(dataset: Dataset, until: datetime) -> pl.DataFrame:
    """Labelled posts from the first rolling block on, whose words were judged before they were learned from."""
    return dataset.frame.filter(pl.col("happened_at") >= dataset.plan.rolling[0].start, pl.col("happened_at") <= until)


def _own_posts(dataset: Dataset, within: pl.Series) -> pl.Series:
    """When each post came that is its author's own, labelled or not, between the first and the last of `within`."""
    times = _own(dataset, "happened_at")["happened_at"]
    return times.filter(times.is_between(within.min(), within.max()))


def _own(dataset: Dataset, *columns: str) -> pl.DataFrame:
    """Some columns of all posts that are their author's own."""
    own = pl.col("kind") != "reshare"
    return pl.concat(rows.filter(own) for rows in dataset.store.rows("posts", "kind", *columns))


def _refuse_forgotten(model: ScoreModel, dataset: Dataset, reference: pl.DataFrame, since: datetime) -> None:
    there = dataset.frame.filter(pl.col("happened_at") <= datetime.fromisoformat(model.data["data_through"])).height
    once = model.data["labelled_posts"]
    if there < once * MOSTLY:
        raise WatchError(
            f"the lake has {there:,} of the {once:,} posts with an outcome that {model.version} was made from; expected "
            "them, for what is new is set against them: give the lake it was trained on, or train anew"
        )
    if reference.height < LEAST_POSTS:
        begin = dataset.plan.rolling[0].start
        raise WatchError(
            f"got {reference.height} posts between {begin:%Y-%m-%d}, where the rolling blocks begin, and {since:%Y-%m-%d}; "
            f"expected {LEAST_POSTS} or more to set newer ones against: look back less far with --since or --days"
        )


def _current(model: ScoreModel, dataset: Dataset, since: datetime) -> pl.DataFrame:
    """Every post after `since` that is its author's own, with its features; its words as the bundle learned them."""
    posts = _own(dataset, "post", "account", "happened_at").filter(pl.col("happened_at") > since)
    measured = dataset.store.measured(posts)
    words = Wording.read(model.wording_path) if model.wording_path else dataset.wording
    return measured.with_columns(pl.Series(WORDING.name, words.values(measured["text"])).fill_nan(None))


def _drifts(
    model: ScoreModel, reference: pl.DataFrame, current: pl.DataFrame, kept: pl.DataFrame, seed: int
) -> tuple[tuple[Moved, ...], tuple[Moved, ...], tuple[Moved, ...]]:
    """The drift of features, of categories and of predictions; nothing of too few posts."""
    if current.height < LEAST_POSTS:
        return (), (), ()
    shares = importance(model, reference)
    labels = {feature.name: feature.label for feature in model.contract.features}
    found = drift(reference, current, model.contract.names, seed)
    moved = [Moved(one, shares[one.feature], labels[one.feature]) for one in found]
    moved.sort(key=lambda one: (-one.share * one.drift.distance, one.drift.feature))
    words = [Moved(one, 0.0, one.feature) for one in drift(reference, current, CATEGORIES, seed)]
    before, now = _foretold(model, reference, kept), _predicted(model, current)
    if min(before.height, now.height) < LEAST_POSTS:
        return tuple(moved), tuple(words), ()
    said = [Moved(one, 0.0, one.feature) for one in drift(before, now, PREDICTIONS, seed)]
    return tuple(moved), tuple(words), tuple(said)


def importance(model: ScoreModel, frame: pl.DataFrame) -> dict[str, float]:
    """Each feature's share of the mean absolute contribution to margins, over some rows evenly spaced in time."""
    rows = frame.gather_every(max(1, frame.height // EXPLAINED))
    mass = np.abs(model.explain(rows.filter(pl.col("network").is_in(model.networks))).phi).mean(axis=0)
    return dict(zip(model.contract.names, (mass / max(mass.sum(), 1e-300)).tolist(), strict=True))


def _foretold(model: ScoreModel, reference: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """What was said of posts before they were learned from: of the rolling blocks, and of the last block since."""
    earlier = kept.select("account", "network", "happened_at", "margin", "expected")
    logs = np.log1p(earlier["expected"].to_numpy())
    scores = model.scale.score(logs, earlier["network"].to_list())
    taught_before = datetime.fromisoformat(model.data["taught_before"])
    later = _predicted(model, reference.filter(pl.col("happened_at") >= taught_before))
    return pl.concat([earlier.with_columns(score=pl.Series(scores, dtype=pl.Float64)).select(later.columns), later])


def _predicted(model: ScoreModel, frame: pl.DataFrame) -> pl.DataFrame:
    """account, happened_at, margin and score of the rows whose network the model knows."""
    frame = frame.filter(pl.col("network").is_in(model.networks))
    said = model.predict(model.contract.matrix(frame), frame["network"].to_list())
    columns = {name: pl.Series(getattr(said, name), dtype=pl.Float64) for name in PREDICTIONS}
    return frame.select("account", "happened_at").with_columns(**columns)


def _inputs(moved: Sequence[Moved]) -> list[Finding]:
    drifted = [one for one in moved if one.drift.drifted]
    gone = [
        one.drift.feature
        for one in drifted
        if one.drift.missing[1] - one.drift.missing[0] >= MISSING_RISE and one.share >= MISSING_SHARE
    ]
    share, movement = sum(one.share for one in drifted), sum(one.share * one.drift.distance for one in drifted)
    found = [Finding("data", f"missing far more often than before: {_few(gone)}", retrain=False)] if gone else []
    if movement >= ACT_MOVEMENT:
        names = _few([one.drift.feature for one in drifted])
        found.append(Finding("inputs", f"features that make {share:.0%} of the margins moved: {names}", retrain=True))
    return found


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _categories(moved: Sequence[Moved]) -> list[Finding]:
    found = []
    for one in moved:
        name, unseen = one.drift.feature, one.drift.now[-2]
        if unseen >= UNSEEN_SHARE:
            found.append(Finding("inputs", f"{unseen:.0%} of the posts have a {name} never seen before", retrain=True))
        elif one.drift.drifted:
            found.append(Finding("inputs", f"the mix of {name} moved ({one.drift.distance:.2f})", retrain=True))
    return found


def _predictions(moved: Sequence[Moved]) -> list[Finding]:
    return [
        Finding("predictions", f"the {one.drift.feature}s moved ({_shift(one.drift)})", retrain=True)
        for one in moved
        if one.drift.drifted
    ]


def _shift(moved: Drift) -> str:
    return f"distance {moved.distance:.2f}" + ("" if moved.shift is None else f", mean {moved.shift:+.2f} SD")


def _accuracy(figures: Sequence[Compared]) -> list[Finding]:
    return [
        Finding("accuracy", f"{PROMISES[one.name].words} went from {one.then:.3f} to {one.now:.3f}", retrain=True)
        for one in figures
        if one.worse
    ]


def _data(volume: Volume | None, rejected: tuple[float, float], age: timedelta) -> list[Finding]:
    found = []
    if age > timedelta(days=STALE_DAYS):
        found.append(Finding("data", f"nothing new for {age / timedelta(days=1):.0f} days", retrain=False))
    if volume is not None and volume.unusual:
        words = f"{volume.now:,.1f} posts a day, {volume.before:,.1f} before"
        found.append(Finding("data", words, retrain=False))
    if rejected[1] > max(0.05, 2 * rejected[0]):
        found.append(Finding("data", f"{rejected[1]:.0%} of the newest batch's rows were rejected", retrain=False))
    return found


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
