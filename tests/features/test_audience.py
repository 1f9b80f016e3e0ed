"""Who listens and who reacts, by hand on a few actions."""

from __future__ import annotations

from math import log

import pytest
from nasty_tables import DAY, HOUR, Acted, Counted, Published, Seen, features_of, tables_of

JUDGED = 40 * DAY
POST = 30 * DAY
ENGAGERS = (
    "engagers_selectivity_mean_30d",
    "engagers_influence_mean_30d",
    "engagers_mutual_share_30d",
    "engagers_returning_share_30d",
    "actions_quick_share_30d",
)
COUNTS = ("actions_sum_1d", "actions_sum_7d", "engagers_sum_30d")


def judged(*actions: Acted, posts: tuple[Published, ...] = (), seen: tuple[Seen, ...] = ()) -> dict[str, float | None]:
    """The features of account 0's second post; post 0 is its first, post 1 the judged one, `posts` come after."""
    tables = tables_of([Published(0, POST), Published(0, JUDGED), *posts], list(actions), [], list(seen))
    return features_of(tables).filter(post="log/p1").row(0, named=True)


def before(gap: int) -> int:
    """When, after the first post, an action lies `gap` before the judged one."""
    return JUDGED - POST - gap


def test_a_network_without_a_log_says_nothing_of_engagers() -> None:
    tables = tables_of([Published(2, 0), Published(2, JUDGED)], [], [Counted(0, 8 * DAY, 9)], [])
    got = features_of(tables).row(1, named=True)
    assert [got[name] for name in (*COUNTS, *ENGAGERS)] == [None] * 8


def test_nobody_came() -> None:
    other = Published(5, POST)
    got = judged(Acted(2, 60, HOUR), posts=(other,))
    assert [got[name] for name in COUNTS] == [0, 0, 0]
    assert [got[name] for name in ENGAGERS] == [None] * 5


@pytest.mark.parametrize(("days", "name"), [(1, "actions_sum_1d"), (7, "actions_sum_7d")])
def test_windows_of_actions_are_open_at_both_ends(days: int, name: str) -> None:
    gaps = {days * DAY: 0, days * DAY - 1: 1, 1: 1, 0: 0}
    got = {gap: judged(Acted(0, 60, before(gap)), Acted(0, 61, HOUR))[name] for gap in gaps}
    base = 0 if days < 9 else 1
    assert got == {gap: base + more for gap, more in gaps.items()}


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [((30 * DAY,), 0), ((30 * DAY - 1,), 1), ((30 * DAY, 1), 1), ((45 * DAY, 15 * DAY), 1), ((3, 2, 1), 1), ((0,), 0)],
)
def test_different_engagers_are_counted_once(gaps: tuple[int, ...], expected: int) -> None:
    actions = [Acted(2, 60, JUDGED - gap) for gap in gaps]
    got = judged(*actions, Acted(0, 61, 0), posts=(Published(0, 0),))["engagers_sum_30d"]
    assert got == pytest.approx(expected + 1, abs=0.01)


def test_what_one_does_to_oneself_does_not_count() -> None:
    got = judged(Acted(0, 0, HOUR), Acted(0, 60, 2 * HOUR))
    assert got["engagers_sum_30d"] == 1
    assert got["engagers_selectivity_mean_30d"] == 1.0


def test_who_reacts_to_everybody_counts_less() -> None:
    elsewhere = [Acted(2, 60, hours * HOUR) for hours in (1, 2, 3)]
    got = judged(Acted(0, 60, DAY), Acted(0, 61, DAY), *elsewhere, posts=(Published(5, POST),))
    busy = 1 / (1 + 3 / 300)
    assert got["engagers_selectivity_mean_30d"] == pytest.approx((busy / 4 + 1) / (busy + 1), abs=1e-6)


def test_engagers_bring_their_own_record() -> None:
    record = Published(5, 0)
    got = judged(Acted(2, 60, HOUR), Acted(0, 5, DAY), Acted(0, 61, DAY), posts=(record,))
    assert got["engagers_influence_mean_30d"] == pytest.approx(log(2), abs=1e-6)


def test_people_one_reacts_to() -> None:
    theirs = Published(5, POST)
    got = judged(Acted(2, 0, HOUR), Acted(0, 5, DAY), Acted(0, 61, DAY), posts=(theirs,))
    assert got["engagers_mutual_share_30d"] == 0.5
    too_late = judged(Acted(2, 0, DAY), Acted(0, 5, DAY), Acted(0, 61, DAY), posts=(theirs,))
    assert too_late["engagers_mutual_share_30d"] == 0


def test_people_who_come_back() -> None:
    got = judged(Acted(0, 60, HOUR), Acted(0, 60, 2 * HOUR), Acted(0, 61, 2 * HOUR), Acted(0, 61, 2 * HOUR, kind=1))
    again = 1 / (1 + 1 / 300)
    assert got["engagers_returning_share_30d"] == pytest.approx(again / (3 + again), abs=1e-6)


@pytest.mark.parametrize(
    ("after", "quick"), [(-DAY, 0), (0, 0), (1, 1), (HOUR, 1), (HOUR + 1, 0)], ids=["before", "at", "on", "in", "out"]
)
def test_quick_is_within_the_hour_after_the_post(after: int, quick: int) -> None:
    assert judged(Acted(0, 60, after))["actions_quick_share_30d"] == quick


def test_an_action_on_the_account_is_not_quick_but_counts() -> None:
    got = judged(Acted(0, 60, HOUR, on_account=True), Acted(0, 61, HOUR))
    assert got["engagers_sum_30d"] == 2
    assert got["actions_quick_share_30d"] == 0.5


def test_actions_known_late_are_not_seen_before() -> None:
    assert judged(Acted(0, 60, before(HOUR), delay=HOUR), Acted(0, 61, 0))["engagers_sum_30d"] == 1


def test_the_newest_profile_is_shown() -> None:
    got = judged(seen=(Seen(0, 0, 5, verified=True), Seen(0, DAY, 30, verified=False), Seen(0, JUDGED, 99)))
    assert (got["followers_last"], got["following_last"], got["verified_flag"]) == (30, 10, 0)
    assert got["followers_following_share"] == 0.75
    assert got["listed_last"] == 30


def test_of_profiles_known_at_one_moment_the_later_seen_is_shown() -> None:
    together = (Seen(0, 2 * DAY, 2, delay=DAY), Seen(0, 3 * DAY, 3), Seen(0, DAY, 1, delay=2 * DAY))
    assert judged(seen=together)["followers_last"] == 3


def test_no_profile_yet() -> None:
    got = judged(seen=(Seen(0, JUDGED, 5), Seen(5, 0, 7)))
    assert got["followers_last"] is got["verified_flag"] is got["followers_following_share"] is None


def test_nobody_follows_nobody() -> None:
    tables = tables_of([Published(0, JUDGED)], [], [], [Seen(0, 0, 0)])
    tables["profiles"] = tables["profiles"].with_columns(following=0)
    assert features_of(tables)["followers_following_share"].to_list() == [None]


def test_followers_count_only_until_there_is_a_track_record() -> None:
    """Nine posts with a known outcome leave them in, the tenth takes them out."""
    names = ("followers_last", "listed_last", "verified_flag", "followers_following_share")
    for earlier, known in ((8, True), (9, False)):
        posts = tuple(Published(0, place * HOUR) for place in range(earlier))
        got = judged(Acted(0, 60, HOUR), posts=posts, seen=(Seen(0, 0, 30, verified=True),))
        assert got["outcome_count_all"] == earlier + 1
        assert [got[name] is not None for name in names] == [known] * 4
        assert got["following_last"] == 10


def test_a_crowd_nobody_knows_moves_nothing() -> None:
    """Where most engagers are known from elsewhere, those who act on one account alone count 0."""
    crowd = [Acted(0, 1000 + actor, before(3 * DAY)) for actor in range(50)]
    known = [Acted(2 + place % 2, 60 + actor, HOUR + place) for actor in range(40) for place in range(8)]
    posts = (Published(5, POST - 5 * DAY), Published(10, POST - 5 * DAY))
    ours = [Acted(0, actor, before(2 * DAY)) for actor in (60, 61)]
    without, beside = judged(*known, *ours, posts=posts), judged(*known, *ours, *crowd, posts=posts)
    names = [name for name in without if name.startswith(("engagers_", "actions_")) and "stranger" not in name]
    assert len(names) == 10
    assert [beside[name] for name in names] == [without[name] for name in names]
    assert without["actions_sum_7d"] > 1  # type: ignore[operator]
    assert (without["actions_stranger_share_30d"], beside["actions_stranger_share_30d"]) == (0, 50 / 52)
