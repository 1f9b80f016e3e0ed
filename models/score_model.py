"""The model people use: frames in, scores with intervals and reasons out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clout.features.contract import Contract, ContractError
from clout.models.account import AccountRule
from clout.models.bundle import Bundle, BundleError, read
from clout.models.calibration import Calibration, Calibrations
from clout.models.explain import Explanation, Phrasebook, points_rate
from clout.models.intervals import Intervals, lower_end, spread
from clout.models.row_margins import RowMargins
from clout.models.scale import Scale
from clout.models.tree_shap import TreeShap
from clout.models.trees import TreesError

if TYPE_CHECKING:
    import lightgbm
    import pandas as pd
    import polars as pl

Floats = npt.NDArray[np.float64]
IDS = ("post", "account")
ONE_THREAD_ROWS = 500


@dataclass(frozen=True)
class Prediction:
    """Scores and expected actions, arrays of one value a row.

    `margin` is the model's output, `log_expected` the log(1 + expected actions) the score is read from;
    `expected`, `low` and `high` hold "actions" and each kind that has a head, never below 0.
    """

    margin: Floats
    log_expected: Floats
    score: Floats
    score_low: Floats
    score_high: Floats
    expected: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]

    def columns(self) -> dict[str, Floats]:
        """The columns people get: score, score_low, score_high, then expected_<what>, _low, _high."""
        columns = {"score": self.score, "score_low": self.score_low, "score_high": self.score_high}
        for what, expected in self.expected.items():
            name = f"expected_{what}"
            columns |= {name: expected, f"{name}_low": self.low[what], f"{name}_high": self.high[what]}
        return columns


class ScoreModel:
    """A bundle, loaded and ready to score; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.contract = Contract.model_validate_json(bundle.text("contract.json"))
        self.scale = Scale.from_json(bundle.json("scale.json"))
        self.intervals = Intervals.from_json(bundle.json("intervals.json"))
        curves = bundle.json("calibration.json")
        self._calibration = Calibration.from_json(curves["main"])
        self._calibrations = Calibrations([Calibration.from_json(curve) for curve in curves.values()])
        self._told = tuple(curves)
        self.heads = tuple(head for head in curves if head != "main")
        self._shown = tuple("actions" if head == "main" else head for head in curves)
        self._files = {"main": "model.txt", "low": "low.txt", "high": "high.txt"}
        self._files |= {kind: f"head_{kind}.txt" for kind in self.heads}
        for name in self._files.values():
            _check_columns(bundle, name, self.contract)
        if self._row_margins is None:
            _ = self._boosters
        self.account = AccountRule.from_json(bundle.json("account.json"))
        self._group_columns = _columns(self.contract, self.intervals.features)
        self._offsets = np.array([self.intervals.filled[head] for head in curves])
        self._bases: dict[str, tuple[float, float]] = {}
        self.phrasebook = Phrasebook(self.contract, bundle.json("quantiles.json"))

    @classmethod
    def load(cls, directory: str | Path) -> ScoreModel:
        """The model of the bundle at `directory`, after verifying every file."""
        return cls(read(directory))

    @property
    def version(self) -> str:
        """Version of the bundle."""
        return self.bundle.version

    @property
    def scale_version(self) -> str:
        """Version of the scale, which outlives models."""
        return self.scale.version

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it can score, sorted."""
        return tuple(sorted(self.scale.curves))

    @property
    def params(self) -> dict[str, Any]:
        """What it was trained with."""
        return dict(self.bundle.json("params.json"))

    @property
    def data(self) -> dict[str, Any]:
        """What it was trained on, `data_through` and `action_values` among it."""
        return dict(self.bundle.json("data.json"))

    @property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self.bundle.text("card.md")

    @property
    def wording_path(self) -> Path | None:
        """The wording weights the features need; None when it was trained without texts or is not on disk."""
        names = [name for name in self.bundle.files if name.startswith("wording.")]
        return self.bundle.directory / names[0] if names and self.bundle.directory else None

    def predict(self, matrix: Floats, networks: Sequence[str]) -> Prediction:
        """Predictions of a (rows, features) matrix in contract order, missing as NaN, one network a row."""
        self._check(matrix, networks)
        margins = self.margins(matrix)
        logs = self._calibrations.apply(np.array([margins[head] for head in self._told]))
        told, main = np.array([logs, *self._bounds(matrix, margins, logs)]), self._shown.index("actions")
        score, score_low, score_high = self.scale.score(told[:, main], networks)
        expected, low, high = (dict(zip(self._shown, actions, strict=True)) for actions in _actions(told))
        return Prediction(
            margin=margins["main"],
            log_expected=logs[main],
            score=score,
            score_low=score_low,
            score_high=score_high,
            expected=expected,
            low=low,
            high=high,
        )

    def margins(self, matrix: Floats) -> dict[str, Floats]:
        """The raw output of every head for a matrix in contract order: main, low, high and each kind."""
        if len(matrix) == 1 and self._row_margins is not None:
            return self._row_margins(matrix)
        return {head: self._raw(head, matrix) for head in self._files}

    def score(self, frame: pl.DataFrame | pd.DataFrame) -> pd.DataFrame:
        """The id columns the frame has (post, account), then `Prediction.columns`; a pandas index is kept."""
        import pandas as pd  # noqa: PLC0415 - slow to import, and a server works on arrays

        prediction = self.predict(self.contract.matrix(frame), _networks(frame))
        index = getattr(frame, "index", None)
        return pd.DataFrame(_ids(frame) | prediction.columns(), index=index)

    def explain(self, frame: pl.DataFrame | pd.DataFrame) -> Explanation:
        """The reasons of every row of a frame."""
        return self.explain_rows(self.contract.matrix(frame), _networks(frame), _ids(frame))

    def explain_rows(
        self, matrix: Floats, networks: Sequence[str], ids: Mapping[str, Sequence[str]] | None = None
    ) -> Explanation:
        """The reasons of every row of a matrix as `predict` takes it."""
        self._check(matrix, networks)
        return self.explain_margins(
            self.main(matrix), self.contributions(matrix)[0], matrix, networks, self.contract, ids
        )

    def explain_prediction(
        self, predicted: Prediction, phi: Floats, matrix: Floats, networks: Sequence[str]
    ) -> Explanation:
        """The same of rows that were predicted, from the contributions `phi` to their margins."""
        return self._explanation(predicted.margin, predicted.score, phi, matrix, networks, self.contract, {})

    def main(self, matrix: Floats) -> Floats:
        """The margins of a matrix in contract order, (rows,)."""
        if len(matrix) == 1 and self._row_margins is not None:
            return self._row_margins(matrix)["main"]
        return self._raw("main", matrix)

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """(phi, base): the SHAP values of each margin, (rows, features), and the base margin they begin from."""
        tables = self._tables
        phi = _run(self._boosters["main"], matrix, contributions=True)[:, :-1] if tables is None else tables(matrix)
        return phi, self._base_margin

    def score_margins(self, margin: Floats, networks: Sequence[str]) -> Floats:
        """The score of each margin; margins are (rows,) or (anything, rows), NaN stays NaN."""
        return self.scale.score(self._calibration.apply(margin), networks)

    def expected_of(self, margin: Floats) -> Floats:
        """The expected actions of each margin, never below 0; NaN stays NaN."""
        return _actions(self._calibration.apply(margin))

    def explain_margins(
        self,
        margin: Floats,
        phi: Floats,
        values: Floats,
        networks: Sequence[str],
        contract: Contract,
        ids: Mapping[str, Sequence[str]] | None = None,
    ) -> Explanation:
        """The reasons of `margin` (rows,), which lies the sum of `phi` (rows, features of `contract`) above the base margin.

        With a contract that is not the model's own, the values are means over the posts of accounts.
        """
        return self._explanation(
            margin, self.score_margins(margin, networks), phi, values, networks, contract, ids or {}
        )

    def _explanation(
        self,
        margin: Floats,
        score: Floats,
        phi: Floats,
        values: Floats,
        networks: Sequence[str],
        contract: Contract,
        ids: Mapping[str, Sequence[str]],
    ) -> Explanation:
        bases = [self._base_of(network) for network in networks]
        base_score, slope = np.array(bases).reshape(-1, 2).T
        return Explanation(
            phrasebook=self._phrases_of(contract),
            networks=tuple(networks),
            values=values,
            margin=margin,
            base_margin=np.full(len(phi), self._base_margin),
            phi=phi,
            score=score,
            base_score=base_score,
            rate=points_rate(phi.sum(axis=1), score - base_score, slope),
            ids=ids,
        )

    def _base_of(self, network: str) -> tuple[float, float]:
        """The score of the base margin on a network, and the points that a unit of margin makes there."""
        if network not in self._bases:
            margin = np.array([self._base_margin])
            log = self._calibration.apply(margin)
            slope = self.scale.derivative(log, [network]) * self._calibration.derivative(margin)
            self._bases[network] = self.scale.score(log, [network]).item(), slope.item()
        return self._bases[network]

    def _phrases_of(self, contract: Contract) -> Phrasebook:
        ours = self.phrasebook
        return ours if contract is ours.contract else Phrasebook(contract, ours.quantiles, over_posts=True)

    @cached_property
    def _base_margin(self) -> float:
        """What the trees say of nothing in particular: the same for every row."""
        if self._tables is not None:
            return self._tables.base
        nothing = np.full((1, len(self.contract.names)), np.nan)
        return float(_run(self._boosters["main"], nothing, contributions=True)[0, -1])

    @cached_property
    def _boosters(self) -> dict[str, lightgbm.Booster]:
        """The models as LightGBM runs them, made when first asked for: a service that explains posts never asks."""
        return {head: self.bundle.booster(name) for head, name in self._files.items()}

    @cached_property
    def _tables(self) -> TreeShap | None:
        """Tables of SHAP values, made when first asked for; None when the trees are too deep or of another kind."""
        try:
            return TreeShap(self.bundle.text("model.txt"), len(self.contract.names))
        except TreesError:
            return None

    @cached_property
    def _row_margins(self) -> RowMargins | None:
        """All models for one row, made when first asked for; None when their trees are of another kind."""
        try:
            return RowMargins({head: self.bundle.text(name) for head, name in self._files.items()})
        except TreesError:
            return None

    def _check(self, matrix: Floats, networks: Sequence[str]) -> None:
        expected = (len(networks), len(self.contract.names))
        if matrix.shape != expected:
            raise ContractError(
                f"got a matrix of shape {matrix.shape} for {len(networks)} networks; expected {expected}: "
                "a row a network and a column a feature, as contract.matrix(frame) builds it"
            )

    def _raw(self, head: str, matrix: Floats) -> Floats:
        return _run(self._boosters[head], matrix, contributions=False)

    def _bounds(self, matrix: Floats, margins: Mapping[str, Floats], logs: Floats) -> tuple[Floats, Floats]:
        """Both ends of each head's interval on the log1p scale, (heads, rows) as `logs`, widened to hold the expectation."""
        first, second = (matrix[:, column] for column in self._group_columns)
        a, b = self.intervals.groups(first, second)
        main, width = self._told.index("main"), spread(margins["low"], margins["high"])
        reach = self._offsets[:, a, b]
        reach[:main] *= width
        reach[main + 1 :] *= width
        below, above = (
            np.array([margins[end if head == "main" else head] for head in self._told]) for end in ("low", "high")
        )
        return np.minimum(lower_end(below - reach), logs), np.maximum(above + reach, logs)


def _check_columns(bundle: Bundle, name: str, contract: Contract) -> None:
    told = re.search(r"^feature_names=(.*)$", bundle.text(name), re.MULTILINE)
    if told is None:
        raise BundleError(f"{name} is not a LightGBM model text; expected one: train again")
    if tuple(told[1].split(" ")) != contract.names:
        raise BundleError(f"{name} was trained on other columns than contract.json lists; train the bundle again")


def _columns(contract: Contract, names: tuple[str, ...]) -> tuple[int, ...]:
    absent = [name for name in names if name not in contract.names]
    if absent:
        raise BundleError(f"intervals.json groups by {', '.join(absent)}; expected features: train the bundle again")
    return tuple(contract.names.index(name) for name in names)


def _run(booster: lightgbm.Booster, matrix: Floats, *, contributions: bool) -> Floats:
    rows, columns = matrix.shape
    if rows == 0:
        return np.empty((0, columns + 1) if contributions else 0)
    options: dict[str, Any] = {"raw_score": not contributions, "pred_contrib": contributions}
    if rows <= ONE_THREAD_ROWS:
        options["num_threads"] = 1
    return np.asarray(booster.predict(matrix, **options))


def _actions(log_expected: Floats) -> Floats:
    return np.expm1(np.maximum(log_expected, 0))


def _networks(frame: pl.DataFrame | pd.DataFrame) -> list[str]:
    if "network" not in frame.columns:
        raise ContractError("got a frame without a 'network' column; expected the name of each row's network in it")
    return list(frame["network"])


def _ids(frame: pl.DataFrame | pd.DataFrame) -> dict[str, list[str]]:
    return {name: list(frame[name]) for name in IDS if name in frame.columns}
