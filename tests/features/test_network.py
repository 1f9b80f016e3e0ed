"""The usual level around an account."""

from __future__ import annotations

from math import log

import pytest
from nasty_tables import DAY, HOUR, Acted, Counted, Published, features_of, tables_of


def around(judged: int, author: int = 0) -> dict[str, float | None]:
    """The features of a post at `judged`, when posts of two others drew 1 and 3 likes and ripened on days 7 and 20."""
    posts = [Published(5, 0), Published(10, 13 * DAY), Published(2, 0), Published(author, judged)]
    likes = [Acted(0, 60, HOUR), *(Acted(1, actor, HOUR) for actor in (61, 62, 63))]
    tables = tables_of(posts, likes, [Counted(2, 8 * DAY, 100)], [])
    return features_of(tables).filter(happened_at=tables["posts"]["happened_at"][3]).row(0, named=True)


@pytest.mark.parametrize(
    ("judged", "month"),
    [
        (7 * DAY, None),
        (7 * DAY + 1, log(2)),
        (21 * DAY, (log(2) + log(4)) / 2),
        (37 * DAY - 1, (log(2) + log(4)) / 2),
        (37 * DAY, log(4)),
        (60 * DAY, None),
    ],
)
def test_means_of_everybody_on_the_network(judged: int, month: float | None) -> None:
    got = around(judged)
    assert got["network_outcome_log_mean_30d"] == (None if month is None else pytest.approx(month, abs=1e-6))


def test_networks_are_apart() -> None:
    assert around(21 * DAY, author=2)["network_outcome_log_mean_30d"] == pytest.approx(log(101), abs=1e-6)
