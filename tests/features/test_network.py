"""The usual level around an account, and what lifts everybody's posts."""

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
        (7 * DAY + HOUR, None),
        (7 * DAY + HOUR + 1, log(2)),
        (21 * DAY, (log(2) + log(4)) / 2),
        (37 * DAY + HOUR - 1, (log(2) + log(4)) / 2),
        (37 * DAY + HOUR, log(4)),
        (60 * DAY, None),
    ],
)
def test_means_of_everybody_on_the_network(judged: int, month: float | None) -> None:
    """Heard of at the end of the hour in which they ripened."""
    got = around(judged)
    assert got["network_outcome_log_mean_30d"] == (None if month is None else pytest.approx(month, abs=1e-6))


def opened(*texts: str, judged: str = "Good day", after: int = 60 * DAY) -> float | None:
    """The lift of the first word of a post at `after`, when one account's posts drew 3 likes each, but 0 for these texts."""
    usual = [Published(5, place * DAY, text="x") for place in range(4)]
    unusual = [Published(5, 40 * DAY + place * DAY, text=text) for place, text in enumerate(texts)]
    likes = [Acted(post, 60 + post * 3 + actor, HOUR) for post in range(4) for actor in range(3)]
    tables = tables_of([*usual, *unusual, Published(0, after, text=judged)], likes, [], [])
    got = features_of(tables).filter(happened_at=tables["posts"]["happened_at"][-1]).row(0, named=True)
    return got["opening_lift_mean_30d"]


def test_posts_that_begin_alike_lift_together() -> None:
    """Three more posts that lifted nothing count beside them; case does not."""
    assert opened("good night") == pytest.approx(-log(4) / 4, abs=1e-5)
    assert opened("GOOD night", "good bye") == pytest.approx(-(log(4) + log(4) * 4 / 5) / 5, abs=1e-5)
    assert opened("day good") == opened() == 0
    assert opened("good night", judged="") is None


def test_a_lift_is_known_at_the_end_of_the_hour_in_which_its_post_has_ripened_and_for_a_month() -> None:
    ripe = 47 * DAY + HOUR
    assert [opened("good", after=at) == 0 for at in (ripe, ripe + 1, ripe + 30 * DAY - 1, ripe + 30 * DAY)] == [
        True, False, False, True
    ]  # fmt: skip


def test_networks_are_apart() -> None:
    assert around(21 * DAY, author=2)["network_outcome_log_mean_30d"] == pytest.approx(log(101), abs=1e-6)
