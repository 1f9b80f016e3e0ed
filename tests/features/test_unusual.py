"""Signs of engagement that was arranged, by hand on a few actions."""

from __future__ import annotations

import pytest
from nasty_tables import DAY, HOUR, MINUTE, Acted, Published, Seen, features_of, tables_of

JUDGED = 40 * DAY
POST = 30 * DAY


def judged(*actions: Acted, posts: tuple[Published, ...] = (), seen: tuple[Seen, ...] = ()) -> dict[str, float | None]:
    """The features of account 0's second post; post 0 is its first, post 1 the judged one, `posts` come after."""
    tables = tables_of([Published(0, POST), Published(0, JUDGED), *posts], list(actions), [], list(seen))
    return features_of(tables).filter(post="log/p1").row(0, named=True)


def burst(*minutes: float, after: int = HOUR, post: int = 0) -> list[Acted]:
    """Actions of different accounts so many minutes after `after`."""
    return [Acted(post, 100 + place, after + round(minute * MINUTE)) for place, minute in enumerate(minutes)]


@pytest.mark.parametrize(
    ("actions", "share"),
    [
        (burst(0, 1, 2, 3, 4, 5), 1 / 6),
        (burst(0, 1, 2, 3, 4), 0),
        (burst(0, 1, 2, 3, 4, 10), 0),
        (burst(0.01, 1, 2, 3, 4, 10), 1 / 6),
        (burst(0, 0, 0, 0, 0, 0), 0),
        (burst(-30, -30, -30, -30, 0, 1, 2, 3, 4, 5), 1 / 10),
        (burst(-30, -30, -30, -30, -30, 0, 1, 2, 3, 4, 5), 0),
        (burst(0, 1, 2, 3, 4, 5, after=5 * MINUTE), 0),
        (burst(0, 1, 2, 3, 4, 5, after=5 * MINUTE + 1), 1 / 6),
    ],
    ids=["six", "five", "at ten minutes", "within", "at once", "after fewer", "after as many", "young post", "older"],
)
def test_a_burst_is_more_in_ten_minutes_than_ever_before(actions: list[Acted], share: float) -> None:
    assert judged(*actions)["actions_burst_share_30d"] == pytest.approx(share)


@pytest.mark.parametrize(("age", "share"), [(30 * DAY - 5 * MINUTE - 1, 1 / 6), (30 * DAY - 5 * MINUTE, 0)])
def test_a_burst_is_on_a_post_of_the_last_30_days(age: int, share: float) -> None:
    actions = burst(0, 1, 2, 3, 4, 5, after=age, post=2)
    old = Published(0, JUDGED - 35 * DAY)
    assert judged(*actions, posts=(old,))["actions_burst_share_30d"] == pytest.approx(share)


def test_actions_on_the_account_or_on_another_post_make_no_burst() -> None:
    other = Published(0, POST + HOUR)
    apart = [*burst(0, 1, 2), *burst(3, 4, 5, post=2, after=0)]
    assert judged(*apart, posts=(other,))["actions_burst_share_30d"] == 0
    on_account = [Acted(0, 100 + place, HOUR + place, on_account=True) for place in range(9)]
    assert judged(*on_account)["actions_burst_share_30d"] == 0


def test_strangers_react_to_nobody_else() -> None:
    theirs = Published(5, POST)
    got = judged(Acted(2, 60, HOUR), Acted(0, 60, DAY), Acted(0, 61, DAY), Acted(0, 61, 2 * DAY), posts=(theirs,))
    assert got["actions_stranger_share_30d"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("gap", "share"), [(90 * DAY - 1, 0), (90 * DAY, 1)])
def test_what_a_stranger_did_long_ago_is_forgotten(gap: int, share: int) -> None:
    at = POST + HOUR
    got = judged(Acted(2, 60, at - gap + 60 * DAY), Acted(0, 60, HOUR), posts=(Published(5, -60 * DAY),))
    assert got["actions_stranger_share_30d"] == share


def test_a_pod_reacts_mostly_to_those_who_react_back() -> None:
    """Accounts 0 and 5 act on each other; 10 is acted on by 5 and never acts."""
    mate, idol = Published(5, POST), Published(10, POST)
    ours, theirs = Acted(2, 0, HOUR), [Acted(0, 5, hours * HOUR) for hours in (2, 3)]
    posts = (mate, idol)
    assert judged(ours, *theirs, posts=posts)["actions_pod_share_30d"] == 0.5
    elsewhere = [Acted(3, 5, HOUR + 1), Acted(3, 5, 2 * HOUR + 1)]
    assert judged(ours, *theirs, *elsewhere, posts=posts)["actions_pod_share_30d"] == 0
    assert judged(*theirs, posts=posts)["actions_pod_share_30d"] == 0


def following(*numbers: int, apart: int = DAY) -> float | None:
    """The churn of an account that followed so many, seen one step apart, the last just before the judged post."""
    last = JUDGED - HOUR
    seen = [Seen(0, last - place * apart, 5, following=number) for place, number in enumerate(reversed(numbers))]
    return judged(seen=tuple(seen))["following_churn_share_30d"]


def test_followings_given_up_again() -> None:
    assert following(10, 110, 60) == 0.5
    assert following(10, 110, 10, 110) == 0.5
    assert following(10, 110) == 0
    assert following(10, 20, 0) == 1
    assert following(10, 5) is following(10, 10) is following(10) is following() is None


def test_what_was_followed_long_ago_may_be_given_up() -> None:
    assert following(10, 110, 60, apart=31 * DAY) is None


def test_without_a_log_nothing_is_unusual() -> None:
    got = judged()
    assert got["actions_burst_share_30d"] is got["actions_stranger_share_30d"] is got["actions_pod_share_30d"] is None
