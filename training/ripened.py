"""How well a model did on posts whose outcome became known after it was trained, against what it did before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.features.catalogue import WORDING
from clout.features.wording import Wording
from clout.models.intervals import spread
from clout.models.score_model import ScoreModel
from clout.training import metrics
from clout.training.baselines import account_mean
from clout.training.dataset import Dataset
from clout.training.metrics import Floats, Rows

LEAST_RIPE = 100
RESAMPLES = 200
FLOOR_LEVEL = 0.98


@dataclass(frozen=True)
class Promise:
    """A figure that is kept an eye on: when a change of it is worth talking about.

    `scale` takes figures to where their difference is told; `direction` is +1 where more is worse, −1 where less is,
    0 where both are; `least` is the least change worth talking about.
    """

    words: str
    scale: Callable[[float], float]
    direction: int
    least: float


PROMISES = {
    "spearman": Promise("rank correlation", float, -1, 0.03),
    "msle": Promise("mean squared log error", lambda value: float(np.log(max(value, 1e-9))), 1, 0.10),
    "total_ratio": Promise("expected over actual actions", lambda value: float(np.log(max(value, 1e-9))), 0, 0.10),
    "coverage": Promise("outcomes inside their interval", float, -1, 0.03),
}


@dataclass(frozen=True)
class Compared:
    """A figure on newly ripe posts, with its 95 % interval, beside what it was on the rolling blocks.

    `change` is how much worse it is on the figure's own scale (`PROMISES`), `floor` how much worse ordinary stretches of
    the rolling blocks are; both None where the figure is only shown.
    """

    name: str
    now: float | None
    low: float | None
    high: float | None
    then: float | None
    change: float | None = None
    floor: float | None = None

    @property
    def worse(self) -> bool:
        """Whether it is worse than ordinary stretches were, and by enough to be worth talking about."""
        if self.change is None or self.floor is None:
            return False
        return self.change > max(self.floor, PROMISES[self.name].least)

    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"worse": self.worse}


@dataclass(frozen=True)
class _Said:
    """What was said of posts and came out, on the log1p scale but for `expected`, one value a post."""

    truth: Floats
    margin: Floats
    expected: Floats
    low: Floats
    high: Floats
    accounts: npt.NDArray[np.str_]

    def figures(self, rows: Rows) -> dict[str, float]:
        """The figures of `PROMISES` on some rows."""
        truth, margin = self.truth[rows], self.margin[rows]
        return {
            "spearman": metrics.spearman(margin, truth),
            "msle": float(np.mean((margin - truth) ** 2)),
            "total_ratio": metrics.total_ratio(self.expected[rows], np.expm1(truth)),
            "coverage": metrics.coverage(self.low[rows], self.high[rows], truth),
        }


def compare_ripe(
    model: ScoreModel, dataset: Dataset, ripe: pl.DataFrame, kept: pl.DataFrame, seed: int
) -> list[Compared]:
    """Every figure on the rows `ripe` of the dataset, against `kept`, what was said of the rolling blocks.

    Empty where fewer than `LEAST_RIPE` posts are ripe.
    """
    if ripe.height < LEAST_RIPE:
        return []
    frame = _worded(model, dataset, ripe)
    before, usual = _kept(kept), _past_mean(dataset, frame)
    said, slow = _judge(model, frame)
    everything = np.arange(ripe.height)

    def figures(rows: Rows) -> dict[str, float]:
        return (
            said.figures(rows) | slow(rows) | {"skill": metrics.skill(said.margin[rows], usual[rows], said.truth[rows])}
        )

    now, then = figures(everything), before.figures(np.arange(len(before.truth))) | _reported(model)
    bounds = metrics.bootstrap(figures, said.accounts, seed, RESAMPLES)
    floors = _floors(before, kept["happened_at"], ripe, seed)
    return [
        Compared(
            name,
            *(_told(value) for value in (now[name], *bounds.get(name, (np.nan, np.nan)), then.get(name))),
            *((_harm(name, now[name], then[name]), floors[name]) if name in PROMISES else ()),
        )
        for name in now
    ]


def _worded(model: ScoreModel, dataset: Dataset, ripe: pl.DataFrame) -> pl.DataFrame:
    """`ripe` with the lift of its words as the bundle learned them."""
    if model.wording_path is None:
        return ripe
    words = Wording.read(model.wording_path)
    texts = dataset.texts.filter(dataset.frame["post"].is_in(ripe["post"].implode()))
    return ripe.with_columns(pl.Series(WORDING.name, words.values(texts)))


def _judge(model: ScoreModel, frame: pl.DataFrame) -> tuple[_Said, Callable[[Rows], dict[str, float]]]:
    """What the model says of the rows, and the figures that only it can give."""
    matrix = model.contract.matrix(frame)
    predicted, raw = model.predict(matrix, frame["network"].to_list()), model.margins(matrix)
    width, residuals = spread(raw["low"], raw["high"]), model.bundle.json("residuals.json")["main"]
    said = _Said(
        truth=frame["outcome"].log1p().to_numpy(),
        margin=predicted.margin,
        expected=predicted.expected["actions"],
        low=np.log1p(predicted.low["actions"]),
        high=np.log1p(predicted.high["actions"]),
        accounts=frame["account"].to_numpy().astype(np.str_),
    )
    return said, lambda rows: {"crps": metrics.crps(said.margin[rows], width[rows], residuals, said.truth[rows])}


def _past_mean(dataset: Dataset, frame: pl.DataFrame) -> Floats:
    """What the account's shrunken past mean, fitted on what the model was taught, says of each post."""
    return account_mean(dataset.part(dataset.plan.final.taught()))(frame)


def _reported(model: ScoreModel) -> dict[str, float]:
    report = model.bundle.json("metrics.json")
    return {"crps": report["model"]["crps"]["value"], "skill": report["skill"]["account_mean"]["value"]}


def _kept(kept: pl.DataFrame) -> _Said:
    columns = {name: kept[name].to_numpy() for name in ("margin", "expected", "low", "high")}
    accounts = kept["account"].to_numpy().astype(np.str_)
    return _Said(truth=kept["outcome"].log1p().to_numpy(), accounts=accounts, **columns)


def _harm(name: str, now: float, then: float) -> float:
    promise = PROMISES[name]
    change = promise.scale(now) - promise.scale(then)
    return abs(change) if promise.direction == 0 else promise.direction * change


def _floors(before: _Said, times: pl.Series, ripe: pl.DataFrame, seed: int) -> Mapping[str, float]:
    """How much worse than the whole each figure is in ordinary stretches of the rolling blocks.

    A stretch is as long as the ripe posts take, at most half of the blocks; its accounts are drawn again, as many as
    give as many posts as there are ripe ones.
    """
    whole = before.figures(np.arange(len(before.truth)))
    chance = np.random.default_rng(seed)
    stretches = _stretches(times, ripe)
    harms: dict[str, list[float]] = {name: [] for name in PROMISES}
    for _ in range(RESAMPLES):
        rows = stretches[chance.integers(len(stretches))]
        groups = [rows[group] for group in metrics.rows_by_account(before.accounts[rows])]
        count = max(2, round(len(groups) * min(1.0, ripe.height / len(rows))))
        drawn = np.concatenate([groups[index] for index in chance.integers(len(groups), size=count)])
        figures = before.figures(drawn)
        for name in PROMISES:
            harms[name].append(_harm(name, figures[name], whole[name]))
    return {name: float(np.nanquantile(values, FLOOR_LEVEL)) for name, values in harms.items()}


def _stretches(times: pl.Series, ripe: pl.DataFrame) -> list[Rows]:
    """The rows of each stretch, half a stretch apart."""
    span = min(_span(ripe["happened_at"]), _span(times) / 2)
    first, last = _end(times, "min"), _end(times, "max")
    found = []
    while first + span <= last + timedelta(seconds=1):
        inside = ((times >= first) & (times <= first + span)).arg_true().to_numpy().astype(np.intp)
        if len(inside) >= LEAST_RIPE / 2:
            found.append(inside)
        first += span / 2
    return found or [np.arange(times.len())]


def _span(times: pl.Series) -> timedelta:
    return max(_end(times, "max") - _end(times, "min"), timedelta(hours=1))


def _end(times: pl.Series, which: str) -> datetime:
    value = getattr(times, which)()
    assert isinstance(value, datetime)  # noqa: S101 - narrows the type of a time column
    return value


def _told(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
