"""The contract between features and models: which columns, in which order, meaning what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from clout.errors import CloutError
from clout.features.groups import GROUPS, SIDE_OF, Group, Side

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["GROUPS", "SIDE_OF", "Contract", "ContractError", "FeatureSpec", "Group", "Side"]


class ContractError(CloutError):
    """The columns handed in are not the columns the model was trained on."""

    code = "contract"


class FeatureSpec(BaseModel):
    """One feature as people and models see it.

    `direction` is +1 or −1 where the margin may only rise or fall with the value, 0 where it is free.
    `label` names it; `helping` and `holding_back` say in one sentence how it moved a score (`{value}` stands for the
    value in `unit`); `advice` says what one can do, empty where `actionable` is false. `missing` says what null means.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    group: Group
    unit: str
    direction: Literal[-1, 0, 1]
    actionable: bool
    label: str
    helping: str
    holding_back: str
    advice: str
    missing: str


class Contract(BaseModel):
    """The features of a model, in the order of its columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[FeatureSpec, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in model order."""
        return tuple(feature.name for feature in self.features)

    @property
    def directions(self) -> tuple[int, ...]:
        """The directions of the features in model order."""
        return tuple(feature.direction for feature in self.features)

    def without(self, left_out: Collection[str]) -> Contract:
        """The features whose name and group are not among those left out."""
        return Contract(features=tuple(f for f in self.features if not {f.name, f.group} & set(left_out)))

    def covers(self, other: Contract) -> bool:
        """Whether each feature of `other` is here too, with the same unit and direction."""
        return {_depended_on(f) for f in other.features} <= {_depended_on(f) for f in self.features}

    @property
    def fingerprint(self) -> str:
        """sha256 over names, order, units and directions: what a model silently depends on."""
        facts = [_depended_on(feature) for feature in self.features]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def matrix(self, frame: pl.DataFrame | pd.DataFrame) -> npt.NDArray[np.float64]:
        """A (rows, features) float64 matrix in contract order; missing is NaN.

        Columns are found by name, so their order in `frame` does not matter and other columns are left alone.
        Raises `ContractError` when a column is absent, there twice or not a number, or holds an infinity, and for what is no
        frame.
        """
        if not (hasattr(frame, "to_numpy") and hasattr(frame, "columns")):
            raise ContractError(
                f"got a {type(frame).__name__}; expected a DataFrame of polars or pandas: collect() one that is lazy"
            )
        absent = [name for name in self.names if name not in frame.columns]
        if absent:
            raise ContractError(
                f"got a frame without {len(absent)} of the {len(self.names)} feature columns ({', '.join(absent[:5])}"
                f"{', …' if len(absent) > 5 else ''}); expected all: build the frame with clout.features.compute"
            )
        columns = [self._column(frame, name) for name in self.names]
        return np.column_stack(columns) if columns else np.empty((len(frame), 0))

    def row(self, values: Mapping[str, float | None]) -> npt.NDArray[np.float64]:
        """The (1, features) matrix of one row's values by name; missing is None, and NaN in the matrix."""
        told = (values[name] for name in self.names)
        return np.array([[np.nan if value is None else value for value in told]], dtype=np.float64)

    def _column(self, frame: pl.DataFrame | pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
        series = frame[name]
        if not isinstance(series, pl.Series) and series.ndim > 1:
            raise ContractError(f"got {series.shape[1]} columns named {name!r}; expected one: drop the others")
        try:
            values = _numbers(series)
        except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
            raise ContractError(
                f"column {name!r} has type {series.dtype}; expected numbers: see the feature's unit in the contract"
            ) from error
        if np.isinf(values).any():
            raise ContractError(f"column {name!r} holds an infinity; expected finite numbers or missing")
        return values


def _depended_on(feature: FeatureSpec) -> tuple[str, str, int]:
    """What a model silently depends on."""
    return feature.name, feature.unit, feature.direction


def _numbers(series: pl.Series | pd.Series) -> npt.NDArray[np.float64]:
    """The values as floats; a TypeError where they are moments or spans of time, which would pass for large numbers."""
    if str(series.dtype).lower().startswith(("date", "time", "duration")):
        raise TypeError(f"{series.dtype} is no number")
    if isinstance(series, pl.Series):
        return series.cast(pl.Float64).to_numpy()
    return series.to_numpy(dtype=np.float64, na_value=np.nan)
