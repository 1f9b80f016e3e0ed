"""Moments as whole numbers of microseconds since 1970."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
MICROSECOND = timedelta(microseconds=1)


def microseconds(times: pl.Series) -> Ints:
    """Times as whole numbers."""
    return times.dt.epoch("us").to_numpy().astype(np.int64, copy=False)
