"""What a model said of the rolling blocks, a row a post, kept beside its bundle so that models can be compared."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import polars as pl

from clout.errors import CloutError
from clout.models import whole_file
from clout.training.evaluate import Judgement

FOLDER = "judged"
KEPT = ("post", "account", "network", "happened_at", "outcome", "cold", "followers", "outcome_count_all", "lang")


class NotKeptError(CloutError):
    """What a model said of the rolling blocks was not kept here."""

    code = "not_kept"


def rows(judged: Judgement) -> pl.DataFrame:
    """One row a judged post, in the order of time: `KEPT`, then margin, expected, low and high.

    `margin`, `low` and `high` are on the log1p scale, `expected` in actions.
    """
    said = {name: getattr(judged, name) for name in ("margin", "expected", "low", "high")}
    return judged.frame.select(KEPT).with_columns(
        **{name: pl.Series(values, dtype=pl.Float64) for name, values in said.items()}
    )


def write(folder: Path, version: str, kept: pl.DataFrame) -> Path:
    """The Parquet file under `folder` that now holds `kept`, whole."""
    file = folder / FOLDER / f"{version}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    kept.write_parquet(content)
    whole_file.write(file, content.getvalue())
    return file


def read(home: Path, version: str) -> pl.DataFrame:
    """The rows kept of the bundle `version` at `home`; raises `NotKeptError` where there are none."""
    file = home / FOLDER / f"{version}.parquet"
    try:
        return pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise NotKeptError(
            f"cannot read what {version} said of the rolling blocks ({file}: {error}); expected the file its training "
            "left there: train it again with the same data and parameters, see `clout reproduce`"
        ) from error
