"""The work of a data scientist in four calls: pandas frames in and out, scikit-learn's conventions between."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from clout.data.digest import combine, digest
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS, validate
from clout.errors import CloutError
from clout.features.contract import Contract
from clout.models.score_model import ScoreModel
from clout.settings import Settings, read_settings
from clout.training import judged
from clout.training.config import Params
from clout.training.dataset import build
from clout.training.evaluate import Judgement, join
from clout.training.evaluate import evaluate as figures_of
from clout.training.judge import baselines, open_last_block
from clout.training.metrics import Floats
from clout.training.paired import accuracy
from clout.training.splits import Block
from clout.training.training_data import TrainingData, training_data
from clout.training.whole_lake import WholeLake

Source = Lake | str | Path | Mapping[str, pl.DataFrame] | Mapping[str, pd.DataFrame]
INTERVALS = ("coverage", "coverage_worst_group", "interval_width_log", "crps")
ENDS = {"": "value", "_low": "low", "_high": "high"}


class Regressor(Protocol):
    """What scikit-learn calls a regressor: it predicts the expected actions of posts."""

    def fit(self, X: pd.DataFrame, y: pd.Series[float]) -> object:  # noqa: N803 - scikit-learn's names
        """Itself, fitted."""

    def predict(self, X: pd.DataFrame) -> Floats:  # noqa: N803 - scikit-learn's names
        """The expected actions of each row."""


Model = ScoreModel | Regressor


class NotebookError(CloutError):
    """Something was handed in that this cannot work with."""

    code = "notebook"


def dataset(source: Source, params: Params | None = None) -> TrainingData:
    """The labelled posts of a lake, or of its tables as frames, measured and split in time.

    `source` is a lake, its path or URL, or the tables by name; `params` say what counts and how to split.
    """
    lake, chosen = _lake(source), params or Params()
    return training_data(build(WholeLake.read(lake, chosen), chosen), chosen, lake)


def train(source: Source | TrainingData, params: Params | None = None, home: str | Path | None = None) -> ScoreModel:
    """A model trained as `clout train` does: kept at `home` (else `CLOUT_HOME`), judged, checked and registered."""
    from clout.training.pipeline import train as run  # noqa: PLC0415 - MLflow takes seconds

    lake = source.lake if isinstance(source, TrainingData) else _lake(source)
    chosen = params or (source.params if isinstance(source, TrainingData) else Params())
    settings = read_settings() if home is None else Settings(home=Path(home))
    return ScoreModel.load(run(lake, chosen, settings.home, settings.tracking_uri).directory)


def evaluate(model: Model, data: TrainingData, *, final: bool = False) -> pd.DataFrame:
    """The figures of a model on posts it had not learned from, beside those of simple baselines.

    One row a figure; columns: model, low and high (95 %, accounts drawn again), then the baselines. The posts are
    those of the rolling blocks but the first. A regressor is fitted anew before each block; what a trained model said
    of them was kept. Order, R² and skill are told of a regressor's `margin`, its prediction of log(1 + actions), where
    it has one, else of the logarithm of what it expects. `final` opens the last block instead, as
    `clout evaluate --final` does.
    """
    if isinstance(model, ScoreModel):
        report = open_last_block(model, data.lake, read_settings().home) if final else _kept_report(model, data)
        return _table(report)
    blocks = (data.measured.plan.final,) if final else data.measured.plan.rolling[1:]
    return _table(figures_of(_judge(model, data, blocks), data.params.seed)).drop(index=[*INTERVALS])


def compare(models: Mapping[str, Model], data: TrainingData) -> pd.DataFrame:
    """The figures of several models on the posts all were judged on, and how far each is from the first.

    One row a figure and model; columns: value, low, high, then difference to the first model with its low and high,
    from the same draws of accounts for all. Posts are those of `evaluate`.
    """
    told = accuracy({name: _rows(model, data) for name, model in models.items()}, data.params.seed)
    if told["reason"]:
        raise NotebookError(told["reason"])
    lines = {
        (figure, name): {part: value[part] for part in ("value", "low", "high")}
        | {f"difference{end}": value.get("difference", {}).get(part) for end, part in ENDS.items()}
        for figure, values in told["figures"].items()
        for name, value in values.items()
    }
    index = pd.MultiIndex.from_tuples(lines, names=["figure", "model"])
    frame = pd.DataFrame(list(lines.values()), index=index, dtype=float)
    all_with_intervals = all(isinstance(model, ScoreModel) for model in models.values())
    return frame if all_with_intervals else frame.drop(index=[*INTERVALS], level="figure", errors="ignore")


def _lake(source: Source) -> Lake:
    if isinstance(source, Lake):
        return source
    if isinstance(source, str | Path):
        return Lake(source)
    now = datetime.now(UTC)
    tables = {name: _table_of(name, frame, now) for name, frame in source.items()}
    lake = Lake(f"memory://clout/{combine({name: digest(frame) for name, frame in tables.items()})}")
    lake.append(tables, source="notebook")
    return lake


def _table_of(name: str, frame: pl.DataFrame | pd.DataFrame, now: datetime) -> pl.DataFrame:
    """A frame with the columns and types of its table; every row must keep the rules."""
    if name not in SCHEMAS:
        raise NotebookError(f"got a table {name!r}; expected some of {', '.join(SCHEMAS)}")
    given = frame if isinstance(frame, pl.DataFrame) else pl.Series(pl.from_arrow(frame)).struct.unnest()
    accepted, rejects = validate(name, given, now)
    if rejects.height:
        raise NotebookError(
            f"{rejects.height:,} of {given.height:,} rows of {name} cannot be used (row {rejects['row'][0]}: "
            f"{rejects['sentence'][0]}); expected none: leave them out, or mend them"
        )
    return accepted


def _kept_report(model: ScoreModel, data: TrainingData) -> dict[str, Any]:
    got, expected = data.lake.fingerprint(), model.data["fingerprint"]
    if got != expected:
        raise NotebookError(
            f"got the data {got[:12]}, but {model.version} was trained on {expected[:12]}; expected the same: open its "
            "lake with `dataset`, or train on this one"
        )
    return model.bundle.json("metrics.json")


def _rows(model: Model, data: TrainingData) -> pl.DataFrame:
    if isinstance(model, ScoreModel):
        return _kept_rows(model, data)
    said = _judge(model, data, data.measured.plan.rolling[1:])
    return judged.rows(said)


def _kept_rows(model: ScoreModel, data: TrainingData) -> pl.DataFrame:
    values, days = model.data["action_values"], model.data["horizon_days"]
    if (values, days) != (data.params.action_values, data.params.label.horizon_days):
        raise NotebookError(
            f"{model.version} expects the actions of {days:g} days, valued {values}; the data count others: open them "
            "with the parameters of the model"
        )
    if model.bundle.directory is None:
        raise NotebookError(f"{model.version} lies nowhere; expected a model that was trained at a home")
    return judged.read(model.bundle.directory.parents[1], model.version)


def _judge(model: Regressor, data: TrainingData, blocks: tuple[Block, ...]) -> Judgement:
    """What a regressor, fitted anew before each block, says of the block beside baselines; it has no intervals."""
    return join([_judge_block(model, data, block) for block in blocks])


def _judge_block(model: Regressor, data: TrainingData, block: Block) -> Judgement:
    measured = data.measured
    inside = block.judged() if block.end is None else block.judged() & (pl.col("ripe_at") < measured.plan.final.start)
    taught, now = (measured.frame.filter(rows) for rows in (block.taught(), inside))
    features, fitted = _features(now, measured.contract), clone(model)
    outcome = pd.Series(taught["outcome"].to_numpy(), index=taught["post"].to_list())
    fitted.fit(_features(taught, measured.contract), outcome)
    expected = np.maximum(np.asarray(fitted.predict(features), dtype=np.float64), 0)
    margin = _margin(fitted, features)
    unknown = np.full(now.height, np.nan)
    others, residuals = baselines(measured, block, now, data.params)
    return Judgement(now, margin, expected, unknown, unknown, unknown, (0.0,), others, residuals)


def _margin(fitted: Any, features: Any) -> Floats:  # noqa: ANN401 - any estimator, and what its steps make of a frame
    """What a fitted regressor says of log(1 + actions): its own margin, or else the logarithm of what it expects."""
    if isinstance(fitted, Pipeline):
        return _margin(fitted[-1], fitted[:-1].transform(features))
    if hasattr(fitted, "best_estimator_"):
        return _margin(fitted.best_estimator_, features)
    if hasattr(fitted, "margin"):
        return np.asarray(fitted.margin(features))
    return np.log1p(np.maximum(np.asarray(fitted.predict(features), dtype=np.float64), 0))


def _features(frame: pl.DataFrame, contract: Contract) -> pd.DataFrame:
    return pd.DataFrame(contract.matrix(frame), columns=list(contract.names), index=frame["post"].to_list())


def _table(report: Mapping[str, Any]) -> pd.DataFrame:
    """A report as a frame: one row a figure; model, low, high, then the baselines."""
    figures = dict(report["model"]) | {f"skill_{name}": figure for name, figure in report["skill"].items()}
    own = {
        name: {"model": figure["value"], "low": figure.get("low"), "high": figure.get("high")}
        for name, figure in figures.items()
    }
    frame = pd.DataFrame.from_dict(own, orient="index", dtype=float)
    beside = pd.DataFrame(report["baselines"], dtype=float)
    return frame.join(beside).rename_axis("figure")
