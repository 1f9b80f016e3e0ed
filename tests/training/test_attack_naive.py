"""The naive scores count what anybody sees, and stand on a scale by the same rule as ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from clout.data.tables import SCHEMAS
from clout.training.attacks.naive import NAMES, NaiveScores, naive_values, received

AT = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = timedelta(days=90)


def ago(days: float) -> datetime:
    """So many days before the moment."""
    return AT - timedelta(days=days)


@pytest.fixture
def tables() -> dict[str, pl.DataFrame]:
    """Account a with posts p1, p2 and a reshare; b with an old post; c on another network."""
    posts = [
        {"post": "n/p1", "account": "n/a", "network": "n", "kind": "original", "happened_at": ago(10)},
        {"post": "n/p2", "account": "n/a", "network": "n", "kind": "reply", "happened_at": ago(5)},
        {"post": "n/p3", "account": "n/a", "network": "n", "kind": "reshare", "happened_at": ago(4)},
        {"post": "n/p4", "account": "n/b", "network": "n", "kind": "original", "happened_at": ago(100)},
        {"post": "m/p5", "account": "m/c", "network": "m", "kind": "original", "happened_at": ago(3)},
    ]
    acts = [
        ("n/p1", "n/x", "like", 9), ("n/p1", "n/x", "like", 8), ("n/p1", "n/y", "quote", 8), ("n/p1", "n/y", "view", 8),
        ("n/p1", "n/a", "like", 8), ("n/p2", "n/x", "like", 4), ("n/p2", "n/y", "like", -1), ("n/p3", "n/x", "like", 1),
    ]  # fmt: skip
    counts = [("n/p2", "reply", 7, 1.0, False), ("n/p2", "reply", 9, 0.5, False), ("n/p2", "reply", 50, -2.0, False)]
    return {
        "posts": pl.DataFrame([{**post, "known_at": post["happened_at"]} for post in posts]),
        "actions": pl.DataFrame(
            [
                {"action": f"n/{n}", "post": post, "account": "n/a", "actor": actor, "kind": kind}
                | {"happened_at": ago(days), "known_at": ago(days)}
                for n, (post, actor, kind, days) in enumerate(acts)
            ]
        ),
        "counts": pl.DataFrame(
            [(*count[:3], ago(count[3]), ago(count[3]), count[4]) for count in counts],
            schema=SCHEMAS["counts"],
            orient="row",
        ),
        "profiles": pl.DataFrame(
            {"account": ["n/a", "n/a", "n/a"], "followers": [5, 8, 99], "happened_at": [ago(9), ago(2), ago(-1)]}
        ).with_columns(known_at="happened_at"),
    }


def test_everything_counts_but_views_ones_own_acts_and_the_future(tables: dict[str, pl.DataFrame]) -> None:
    seen = {post: (likes, actions) for post, _, _, likes, actions in received(tables, "n", AT).sort("post").iter_rows()}
    assert seen == {"n/p1": (2, 3), "n/p2": (1, 10), "n/p4": (0, 0)}


def test_counts_read_in_retrospect_count(tables: dict[str, pl.DataFrame]) -> None:
    tables["counts"] = tables["counts"].with_columns(retrospective=True)
    assert received(tables, "n", AT).filter(post="n/p2")["actions"].to_list() == [51]


def test_values_are_of_the_window(tables: dict[str, pl.DataFrame]) -> None:
    assert naive_values(tables, "n", AT, WINDOW).rows() == [("n/a", 8.0, 3.0, 6.5)]


def test_the_mean_account_is_at_40_and_the_95th_percentile_at_63() -> None:
    numbers = np.expm1(np.random.default_rng(1).normal(4, 1, 500))
    values = pl.DataFrame({"account": [f"n/{place}" for place in range(500)], **dict.fromkeys(NAMES, numbers)})
    logs = np.log1p(numbers)
    typical = values.head(3).with_columns(
        likes=pl.Series(np.expm1([logs.mean(), np.quantile(logs, 0.95), logs.mean() + 1]))
    )
    scores = NaiveScores.fit(values).score(typical)
    slope = 23 / (np.quantile(logs, 0.95) - logs.mean())
    assert scores["likes"] == pytest.approx([40, 63, 40 + slope])


def test_what_is_known_of_nobody_has_no_scale_and_of_one_no_score() -> None:
    numbers = [float(n) for n in range(40)]
    values = pl.DataFrame(
        {"account": [f"n/{n}" for n in range(40)], "likes": numbers, "per_post": [None, *numbers[1:]]}
    )
    scores = NaiveScores.fit(values.with_columns(followers=pl.lit(None, pl.Float64))).score(values)
    assert list(scores) == ["likes", "per_post"]
    assert np.isnan(scores["per_post"]).sum() == 1
