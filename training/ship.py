"""What a bundle is made of: calibrated heads, intervals, the frozen scale, and all that lets it be checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.lake import Lake
from clout.features.catalogue import WORDING
from clout.features.contract import Contract
from clout.models import golden
from clout.models.account import AccountRule
from clout.models.bundle import ORIGIN, Bundle, to_json
from clout.models.calibration import Calibration
from clout.models.explain import MARKS
from clout.models.intervals import Intervals, lower_end, spread
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.training import provenance
from clout.training.calibrate import CalibrationDataError, fit_calibration, fit_intervals, kind_error, main_error
from clout.training.config import Params
from clout.training.dataset import Dataset
from clout.training.evaluate import HISTORY_EDGES, Judgement
from clout.training.fit import text
from clout.training.heads import Heads, HeldOut
from clout.training.metrics import residual_quantiles

Floats = npt.NDArray[np.float64]
Grouping = tuple[str, tuple[float, ...]]
GOLDEN_ROWS = 20
LEVEL, HISTORY = "outcome_level_365d", "outcome_count_all"


@dataclass(frozen=True)
class Calibrated:
    """What held-back posts taught about the heads: curves by head ("main" and kinds), intervals, and errors.

    `residuals` are quantiles of the main head's errors in widths of its interval, as `metrics.crps` takes them.
    """

    curves: Mapping[str, Calibration]
    intervals: Intervals

    residuals: tuple[float, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of action that have a curve."""
        return tuple(head for head in self.curves if head != "main")

    def judge(
        self, held: HeldOut, others: Mapping[str, Floats], other_residuals: Mapping[str, Sequence[float]]
    ) -> Judgement:
        """What the calibrated heads say of other held-back posts, beside what baselines say."""
        low, high = held.margins["low"], held.margins["high"]
        first, second = (held.frame[name].fill_null(np.nan).to_numpy() for name in self.intervals.features)
        offset = self.intervals.offsets("main", first, second)
        log_expected = self.curves["main"].apply(held.margins["main"])
        return Judgement(
            frame=held.frame,
            margin=held.margins["main"],
            expected=np.maximum(np.expm1(log_expected), 0),
            low=np.minimum(lower_end(low - offset), log_expected),
            high=np.maximum(high + offset, log_expected),
            width=spread(low, high),
            residuals=self.residuals,
            others=others,
            other_residuals=other_residuals,
        )


def calibrate(held: HeldOut, kinds: tuple[str, ...], params: Params) -> Calibrated:
    """The curves and intervals that held-back posts ask for; a kind too rare to calibrate gets none.

    Intervals are set in groups by the account's level and length of history, as far as the model looks at them.
    """
    main, low, high = (held.margins[head] for head in ("main", "low", "high"))
    curves = {"main": fit_calibration(main, np.expm1(held.log_count()))}
    errors = {"main": main_error(low, high, held.log_count())}
    for kind in kinds:
        count = held.log_count(kind)
        known = ~np.isnan(count)
        try:
            curves[kind] = fit_calibration(held.margins[kind][known], np.expm1(count[known]))
        except CalibrationDataError:
            continue
        errors[kind] = kind_error(held.margins[kind], low, high, count)
    (level, level_edges), (history, history_edges) = _groupings(held.frame, params.contract)
    intervals = fit_intervals(
        (level, history),
        (level_edges, history_edges),
        (_values(held.frame, level), _values(held.frame, history)),
        errors,
        params.intervals.level,
        params.intervals.min_posts,
    )
    residuals = residual_quantiles(main, spread(low, high), held.log_count())
    return Calibrated(curves, intervals, tuple(residuals))


def _groupings(frame: pl.DataFrame, contract: Contract) -> tuple[Grouping, Grouping]:
    """The two features that intervals are grouped by; any one, undivided, in place of one that is left out."""
    names = contract.names
    undivided = names[0], ()
    level: Grouping = undivided
    if LEVEL in names:
        thirds = {frame[LEVEL].quantile(share) for share in (1 / 3, 2 / 3)}
        level = LEVEL, tuple(sorted(value for value in thirds if value is not None))
    return level, (HISTORY, tuple(float(edge) for edge in HISTORY_EDGES)) if HISTORY in names else undivided


def _values(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].fill_null(np.nan).to_numpy()


def quantiles(dataset: Dataset) -> dict[str, list[float] | None]:
    """The 5, 25, 50, 75 and 95 % marks of each feature on the taught posts; null where it was never known."""
    taught = dataset.part(dataset.plan.final.taught())
    marks: dict[str, list[float] | None] = {}
    for name in dataset.contract.names:
        values = taught[name].drop_nulls()
        marks[name] = [float(values.quantile(share) or 0.0) for share in MARKS] if values.len() else None
    return marks


def data_facts(dataset: Dataset, lake: Lake, params: Params) -> dict[str, Any]:
    """What the model was taught on, as data.json tells it."""
    taught = dataset.part(dataset.plan.final.taught()).select("network", "account", "happened_at")
    told = taught.group_by("network").agg(
        posts=pl.len(),
        accounts=pl.col("account").n_unique(),
        first=pl.col("happened_at").min(),
        last=pl.col("happened_at").max(),
    )
    networks = {
        name: {"posts": posts, "accounts": accounts, "from": _iso(first), "through": _iso(last)}
        for name, posts, accounts, first, last in told.sort("network").iter_rows()
    }
    return {
        "fingerprint": lake.fingerprint(),
        "networks": networks,
        "left_out": dict(dataset.left_out),
        "labelled_posts": dataset.frame.height,
        "unmet": lake.unmet(),
        "taught_before": _iso(dataset.plan.final.start),
        "data_through": _iso(dataset.store.coverage.data_through),
        "retrospective": dataset.retrospective,
        "notes": sorted({receipt.note for receipt in lake.receipts() if receipt.note}),
        "action_values": params.action_values,
        "horizon_days": params.label.horizon_days,
    }


def _iso(moment: object) -> str | None:
    return None if not isinstance(moment, datetime) else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def files(
    heads: Heads,
    calibrated: Calibrated,
    account: AccountRule,
    scale: Scale,
    dataset: Dataset,
    params: Params,
    facts: Mapping[str, Any],
) -> dict[str, str]:
    """The files of a bundle that decide its answers, golden rows included; reports are added by the pipeline."""
    names = {"main": "model.txt", "low": "low.txt", "high": "high.txt"}
    content = {names.get(head, f"head_{head}.txt"): text(booster) for head, booster in heads.boosters.items()}
    documents = {
        "calibration": {head: curve.to_json() for head, curve in calibrated.curves.items()},
        "residuals": {"main": calibrated.residuals},
        "intervals": calibrated.intervals.to_json(),
        "account": account.to_json(),
        "scale": scale.to_json(),
        "quantiles": quantiles(dataset),
        "params": params.model_dump(mode="json"),
        "data": dict(facts),
    }
    content |= {f"{name}.json": to_json(document) for name, document in documents.items()}
    content |= {"contract.json": dataset.contract.model_dump_json(indent=1)}
    content |= {"wording.json": dataset.wording.to_json()} if WORDING.name in dataset.contract.names else {}
    content |= {provenance.MADE_BY: to_json(provenance.provenance()), ORIGIN: to_json(provenance.origin())}
    model = ScoreModel(Bundle.of(content))
    rows = golden_rows(dataset)
    content["golden.json"] = json.dumps(
        golden.record(model, dataset.contract.matrix(rows), rows["network"].to_list()), indent=1
    )
    return content


def golden_rows(dataset: Dataset) -> pl.DataFrame:
    """A few taught posts, evenly spaced in time."""
    places = dataset.part(dataset.plan.final.taught()).places
    return dataset.frame[places[:: max(1, len(places) // GOLDEN_ROWS)][:GOLDEN_ROWS]]
