"""The same aggregation of actions in pandas, DuckDB and Polars, each as one would write it there, from Parquet on disk.

Each function gives a few totals of what it made, which must be the same whichever engine made them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

DAYS, HALF_LIFE_DAYS = 30, 7
DAY = 86_400_000_000
START = 1_735_689_600_000_000
NAMES = ("like", "reshare", "reply", "quote")
# Times with a zone go through a calendar there, which takes several times as long as numbers do.
DUCKDB_DAY = f"epoch_us(happened_at) // {DAY} AS day"

Files = Sequence[str]
Totals = dict[str, float]


def pandas_counts(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day."""
    rows = _pandas_days(actions, [])
    made = _pandas_group(rows)
    return {"rows": len(made), **{name: float(made[name].sum()) for name in ("actions", *NAMES)}}


def pandas_engagers(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day, and how many acted."""
    rows = _pandas_days(actions, ["actor"])
    made = _pandas_group(rows).join(rows.groupby(["account", "day"], observed=True)["actor"].nunique())
    return {"rows": len(made), "actions": float(made["actions"].sum()), "engagers": float(made["actor"].sum())}


def pandas_windows(actions: Files, posts: Files) -> Totals:
    """For each post the actions on its account in the 30 days before it, and all before it, decayed."""
    import pandas as pd  # noqa: PLC0415 - each engine is loaded by the process that measures it

    rows, asked = (
        pd.read_parquet(list(files), columns=["account", "happened_at"]).sort_values("happened_at", kind="stable")
        for files in (actions, posts)
    )
    grown = 2.0 ** ((rows["happened_at"].astype("int64") - START) / (HALF_LIFE_DAYS * DAY))
    rows["weight"] = grown.groupby(rows["account"]).cumsum()
    rows["number"] = rows.groupby("account").cumcount() + 1
    before = pd.merge_asof(asked, rows, on="happened_at", by="account", allow_exact_matches=False)
    asked["happened_at"] -= pd.Timedelta(days=DAYS)
    earlier = pd.merge_asof(asked, rows, on="happened_at", by="account")
    shrunk = 2.0 ** ((START - before["happened_at"].astype("int64")) / (HALF_LIFE_DAYS * DAY))
    inside = before["number"].fillna(0) - earlier["number"].fillna(0)
    return {
        "rows": len(before),
        "inside": float(inside.sum()),
        "decayed": float((before["weight"].fillna(0) * shrunk).sum()),
    }


def _pandas_days(actions: Files, more: list[str]) -> Any:  # noqa: ANN401 - a frame of pandas
    import pandas as pd  # noqa: PLC0415

    rows = pd.read_parquet(list(actions), columns=["account", "kind", "happened_at", *more])
    return rows.assign(day=rows["happened_at"].dt.floor("D")).drop(columns="happened_at")


def _pandas_group(rows: Any) -> Any:  # noqa: ANN401
    counted = rows.groupby(["account", "day", "kind"], observed=True).size().unstack("kind", fill_value=0)
    return counted.assign(actions=counted.sum(axis=1))


def duckdb_counts(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day."""
    each = ", ".join(f"count(*) FILTER (kind = '{name}') AS {name}s" for name in NAMES)
    sums = ", ".join(f"sum({name}s)" for name in NAMES)
    told = _duckdb(
        f"SELECT count(*), sum(actions), {sums} FROM (SELECT account, {DUCKDB_DAY}, "  # noqa: S608
        f"count(*) AS actions, {each} FROM read_parquet($actions) GROUP BY ALL)",
        actions=actions,
    )
    return dict(zip(("rows", "actions", *NAMES), told, strict=True))


def duckdb_engagers(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day, and how many acted."""
    each = ", ".join(f"count(*) FILTER (kind = '{name}') AS {name}s" for name in NAMES)
    sums = ", ".join(f"sum({name}s)" for name in NAMES)
    told = _duckdb(
        f"SELECT count(*), sum(actions), sum(engagers), {sums} FROM (SELECT account, {DUCKDB_DAY}, "  # noqa: S608
        f"count(*) AS actions, count(DISTINCT actor) AS engagers, {each} "
        "FROM read_parquet($actions) GROUP BY ALL)",
        actions=actions,
    )
    return dict(zip(("rows", "actions", "engagers"), told, strict=False))


def duckdb_windows(actions: Files, posts: Files) -> Totals:
    """For each post the actions on its account in the 30 days before it, and all before it, decayed."""
    age = f"pow(2.0, ({{}}.moment - {START}) / {HALF_LIFE_DAYS * DAY}.0)"
    told = _duckdb(
        "WITH moments AS (SELECT account, epoch_us(happened_at) AS moment FROM read_parquet($actions)), "  # noqa: S608
        "posts AS (SELECT account, epoch_us(happened_at) AS moment FROM read_parquet($posts)), "
        f"runs AS (SELECT *, row_number() OVER past AS number, sum({age.format('moments')}) OVER past AS weight "
        "FROM moments WINDOW past AS (PARTITION BY account ORDER BY moment ROWS UNBOUNDED PRECEDING)) "
        "SELECT count(*), sum(coalesce(before.number, 0) - coalesce(earlier.number, 0)), "
        f"sum(coalesce(before.weight, 0) / {age.format('posts')}) FROM posts "
        "ASOF LEFT JOIN runs AS before ON posts.account = before.account AND posts.moment > before.moment "
        "ASOF LEFT JOIN runs AS earlier ON posts.account = earlier.account "
        f"AND posts.moment - {DAYS * DAY} >= earlier.moment",
        actions=actions,
        posts=posts,
    )
    return dict(zip(("rows", "inside", "decayed"), told, strict=True))


def _duckdb(query: str, **files: Files) -> list[float]:
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as connection:
        row = connection.execute(query, {name: list(paths) for name, paths in files.items()}).fetchone()
    return [float(value) for value in row or ()]


def polars_counts(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day."""
    import polars as pl  # noqa: PLC0415

    each = {name: (pl.col("kind") == name).sum() for name in NAMES}
    made = _polars_days(actions).group_by("account", "day").agg(pl.len().alias("actions"), **each)
    sums = made.select(pl.len().alias("rows"), pl.col("actions", *NAMES).sum())
    return {name: float(value) for name, value in sums.collect(engine="streaming").row(0, named=True).items()}


def polars_engagers(actions: Files, _posts: Files) -> Totals:
    """Five counts for each account and day, and how many acted."""
    import polars as pl  # noqa: PLC0415

    each = {name: (pl.col("kind") == name).sum() for name in NAMES}
    grouped = _polars_days(actions).group_by("account", "day")
    made = grouped.agg(pl.len().alias("actions"), pl.col("actor").n_unique().alias("engagers"), **each)
    sums = made.select(pl.len().alias("rows"), pl.col("actions", "engagers", *NAMES).sum())
    told = sums.collect(engine="streaming").row(0, named=True)
    return {name: float(told[name]) for name in ("rows", "actions", "engagers")}


def polars_windows(actions: Files, posts: Files) -> Totals:
    """For each post the actions on its account in the 30 days before it, and all before it, decayed."""
    import polars as pl  # noqa: PLC0415

    age = (pl.col("happened_at").dt.epoch("us") - START) / (HALF_LIFE_DAYS * DAY)
    rows, asked = (
        pl.scan_parquet(list(files)).select("account", "happened_at").sort("happened_at") for files in (actions, posts)
    )
    runs = rows.select(
        "account",
        "happened_at",
        weight=(2.0**age).cum_sum().over("account"),
        number=pl.int_range(1, pl.len() + 1).over("account"),
    )
    both = asked.with_columns(since=pl.col("happened_at") - pl.duration(days=DAYS), shrunk=2.0**-age)
    both = both.join_asof(
        runs, on="happened_at", by="account", allow_exact_matches=False, check_sortedness=False
    ).join_asof(runs, left_on="since", right_on="happened_at", by="account", suffix="_earlier", check_sortedness=False)
    inside = pl.col("number").fill_null(0) - pl.col("number_earlier").fill_null(0)
    sums = both.select(
        pl.len().alias("rows"), inside=inside.sum(), decayed=(pl.col("weight").fill_null(0) * pl.col("shrunk")).sum()
    )
    return {name: float(value) for name, value in sums.collect(engine="streaming").row(0, named=True).items()}


def _polars_days(actions: Files) -> Any:  # noqa: ANN401 - a lazy frame of Polars
    import polars as pl  # noqa: PLC0415

    return pl.scan_parquet(list(actions)).with_columns(day=pl.col("happened_at").dt.truncate("1d"))


Work = Callable[[Files, Files], Totals]
WORKS: dict[str, dict[str, Work]] = {
    "five counts per account and day": {
        "pandas": pandas_counts,
        "DuckDB": duckdb_counts,
        "Polars": polars_counts,
    },
    "with exact distinct engagers": {
        "pandas": pandas_engagers,
        "DuckDB": duckdb_engagers,
        "Polars": polars_engagers,
    },
    "30 days and decayed, at each post": {
        "pandas": pandas_windows,
        "DuckDB": duckdb_windows,
        "Polars": polars_windows,
    },
}
