"""The small expressions features are built from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from bits import bits

from clout.data.windows import UNIT
from clout.features.feature import elapsed, mean, past, share, since

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def value(expression: pl.Expr, **columns: object) -> object:
    return pl.DataFrame({name: [one] for name, one in columns.items()}).select(expression).item()


def test_past_names_a_looked_up_column() -> None:
    assert past("posts", "n", "7d").meta.root_names() == ["posts|n|7d"]


def test_past_knows_its_windows() -> None:
    with pytest.raises(KeyError, match="unknown window '8d'; expected last, all or one of 1d, 7d"):
        past("posts", "n", "8d")


@pytest.mark.parametrize(("part", "whole", "expected"), [(1, 4, 0.25), (0, 3, 0.0), (0, 0, None), (1, None, None)])
def test_share(part: int, whole: int | None, expected: float | None) -> None:
    assert value(share(pl.col("part"), pl.col("whole")), part=part, whole=whole) == expected


def test_mean_turns_fixed_point_back() -> None:
    assert value(mean("s", "log", "30d"), **{"s|log|30d": 3 * UNIT, "s|n|30d": 2}) == 1.5
    assert value(mean("s", "log", "30d"), **{"s|log|30d": 0, "s|n|30d": 0}) is None
    assert value(mean("s", "log", "30d", "other"), **{"s|log|30d": UNIT, "s|other|30d": 4}) == 0.25


def test_since_and_elapsed() -> None:
    hour, columns = timedelta(hours=1), {"at": NOON, "s|time|last": NOON - timedelta(minutes=90)}
    assert value(since("s", "time", hour), **columns) == pytest.approx(1.5, rel=1e-12)
    assert value(elapsed(pl.col("at") + hour, hour), at=NOON) == pytest.approx(-1.0, rel=1e-12)
    nothing = pl.lit(None, pl.Datetime("us", "UTC"))
    assert value(elapsed(nothing, hour), at=NOON) is None


def test_single_rows_have_the_bits_of_the_column() -> None:
    """Every kind of arithmetic the catalogue uses, on many numbers at once and one at a time."""
    rng = np.random.default_rng(0)
    size = 4000
    past_times = [NOON - timedelta(microseconds=int(gap)) for gap in rng.integers(1, 10**15, size)]
    frame = pl.DataFrame(
        {
            "s|log|30d": rng.integers(0, 10**9, size),
            "s|n|30d": rng.integers(0, 500, size),
            "s|time|last": past_times,
            "value": rng.lognormal(0, 4, size),
            "whole": rng.integers(0, 10**6, size),
        }
    ).with_columns(at=pl.lit(NOON))
    average = mean("s", "log", "30d")
    expressions = [
        average,
        share(pl.col("whole"), pl.col("s|n|30d")),
        since("s", "time", timedelta(hours=1)),
        since("s", "time", timedelta(days=1)),
        (average**2).sqrt(),
        pl.col("value").log1p(),
        (pl.col("whole") / UNIT + 5.0 * average) / (pl.col("s|n|30d") + 5.0),
        pl.col("whole").cast(pl.UInt32) / pl.col("s|n|30d").cast(pl.UInt32),
        1.0 / (1.0 + pl.col("whole")),
        pl.col("whole") * (1 / 60),
    ]
    named = [expression.cast(pl.Float64).alias(str(number)) for number, expression in enumerate(expressions)]
    whole = frame.select(named)
    rows = rng.choice(size, 300, replace=False).tolist()
    alone = pl.concat([frame[row : row + 1].select(named) for row in rows])
    assert not [name for name in whole.columns if (bits(alone[name]) != bits(whole[name][rows])).any()]
