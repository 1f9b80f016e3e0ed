"""The track record: what ripened before the post, by hand on a few posts."""

from __future__ import annotations

from math import log

import pytest
from nasty_tables import DAY, HOUR, Acted, Counted, Published, Tables, features_of, tables_of

HORIZON = 7 * DAY


def liked(*numbers: int, at: int = 0, judged: int = 40 * DAY, **form: object) -> dict[str, float | None]:
    """The features of a post at `judged` of an account whose posts, one a day from `at` on, drew so many likes."""
    earlier = [Published(0, at + place * DAY, **form) for place in range(len(numbers))]  # type: ignore[arg-type]
    likes = [Acted(place, 50 + place * 9 + actor, HOUR) for place, n in enumerate(numbers) for actor in range(n)]
    return judged_last(tables_of([*earlier, Published(0, judged)], likes, [], []))


def judged_last(tables: Tables) -> dict[str, float | None]:
    """The features of the post that was written last."""
    last = tables["posts"]["post"][-1]
    return features_of(tables).filter(post=last).row(0, named=True)


def test_no_record() -> None:
    got = liked()
    assert got["outcome_count_all"] == got["outcome_count_90d"] == 0
    names = ("outcome_level_365d", "outcome_log_mean_90d", "outcome_log_max_all")
    assert [got[name] for name in names] == [None] * 3
    assert got["outcome_log_mean_3p"] is got["outcome_log_std_90d"] is None


def test_means_and_best() -> None:
    got = liked(3, 0, 1)
    assert got["outcome_log_mean_90d"] == pytest.approx((log(4) + log(2)) / 3, abs=1e-6)
    assert got["outcome_log_max_all"] == pytest.approx(log(4))
    assert got["outcome_count_90d"] == got["outcome_count_all"] == 3


@pytest.mark.parametrize("posts", [3, 30])
def test_half_lives_weigh_a_post_half_as_much_as_one_so_many_posts_newer(posts: int) -> None:
    weights = [0.5 ** (age / posts) for age in (2, 1, 0)]
    expected = sum(w * v for w, v in zip(weights, (log(4), 0.0, log(2)), strict=True)) / sum(weights)
    assert liked(3, 0, 1)[f"outcome_log_mean_{posts}p"] == pytest.approx(expected, rel=1e-12)


def test_a_post_ripens_strictly_after_the_horizon() -> None:
    assert liked(1, judged=HORIZON)["outcome_count_all"] == 0
    assert liked(1, judged=HORIZON + 1)["outcome_count_all"] == 1


def test_an_outcome_leaves_the_window_when_it_is_as_old() -> None:
    ripe = HORIZON
    assert liked(1, judged=ripe + 90 * DAY - 1)["outcome_count_90d"] == 1
    assert liked(1, judged=ripe + 90 * DAY)["outcome_count_90d"] == 0
    assert liked(1, judged=ripe + 90 * DAY)["outcome_count_all"] == 1


def test_the_level_of_few_posts_is_near_that_of_the_network() -> None:
    """Five posts at the network's mean count beside one's own."""
    others = [Published(5, place * DAY) for place in range(10)]
    tables = tables_of([*others, Published(0, 0), Published(0, 30 * DAY)], [Acted(10, 60, HOUR)] * 1, [], [])
    network = log(2) / 11
    got = judged_last(tables)
    assert got["network_outcome_log_mean_30d"] == pytest.approx(network, abs=1e-6)
    assert got["outcome_level_365d"] == pytest.approx((log(2) + 5 * network) / 6, abs=1e-6)


def test_a_stranger_has_the_level_of_the_network() -> None:
    tables = tables_of([Published(5, 0), Published(0, 9 * DAY)], [Acted(0, 60, HOUR), Acted(0, 61, HOUR)], [], [])
    assert judged_last(tables)["outcome_level_365d"] == pytest.approx(log(3), abs=1e-6)


def test_ups_and_downs_need_two_posts() -> None:
    assert liked(3)["outcome_log_std_90d"] is None
    assert liked(3, 0)["outcome_log_std_90d"] == pytest.approx(log(4) / 2, abs=1e-5)
    assert liked(2, 2, 2)["outcome_log_std_90d"] == pytest.approx(0, abs=3e-3)


def test_a_kind_the_network_does_not_report_is_missing() -> None:
    got = liked(3, 0)
    assert got["likes_log_mean_90d"] == pytest.approx(log(4) / 2, abs=1e-6)
    assert got["reshares_log_mean_90d"] is got["quotes_log_mean_90d"] is None


def test_a_reported_kind_without_actions_is_zero() -> None:
    posts = [Published(0, 0), Published(5, 0), Published(0, 40 * DAY)]
    tables = tables_of(posts, [Acted(0, 60, HOUR, kind=0), Acted(1, 60, HOUR, kind=1)], [], [])
    assert judged_last(tables)["reshares_log_mean_90d"] == 0


def test_one_actor_counts_once_for_each_kind() -> None:
    actions = [Acted(0, 60, hours * HOUR, kind=kind) for hours in (1, 2, 3) for kind in (0, 1)]
    tables = tables_of([Published(0, 0), Published(0, 40 * DAY)], actions, [], [])
    assert judged_last(tables)["outcome_log_max_all"] == pytest.approx(log(1 + 1 + 2))


def test_posts_of_the_same_kind() -> None:
    posts = [Published(0, place * DAY, kind=kind) for place, kind in enumerate(("reply", "original", "reply"))]
    likes = [Acted(0, 60, HOUR), Acted(0, 61, HOUR), Acted(1, 62, HOUR)]
    as_reply = judged_last(tables_of([*posts, Published(0, 40 * DAY, kind="reply")], likes, [], []))
    as_original = judged_last(tables_of([*posts, Published(0, 40 * DAY)], likes, [], []))
    assert as_reply["outcome_log_mean_same_kind_365d"] == pytest.approx(log(3) / 2, abs=1e-6)
    assert as_original["outcome_log_mean_same_kind_365d"] is None


def test_posts_of_the_same_form_and_time_of_day() -> None:
    morning, evening = 9 * HOUR, 20 * HOUR
    posts = [Published(0, place * DAY + morning, n_media=1, n_urls=0) for place in range(2)]
    posts += [Published(0, place * DAY + evening, n_media=0, n_urls=2) for place in range(2)]
    likes = [Acted(0, 60, HOUR), Acted(1, 61, HOUR)]
    got = judged_last(tables_of([*posts, Published(0, 40 * DAY + morning, n_media=3, n_urls=1)], likes, [], []))
    assert got["outcome_log_mean_same_link_365d"] == 0
    assert got["outcome_log_mean_same_media_365d"] == pytest.approx(log(2), abs=1e-6)
    assert got["outcome_log_mean_same_form_365d"] is None
    assert got["outcome_log_mean_same_daypart_365d"] == pytest.approx(log(2), abs=1e-6)


def test_a_form_that_is_not_known_meets_no_other() -> None:
    got = liked(1, 1)
    assert got["outcome_log_mean_same_link_365d"] is None


def test_counts_make_a_record_too() -> None:
    posts = [Published(2, 0), Published(2, 40 * DAY)]
    counts = [Counted(0, HORIZON, 4, kind=1, delay=DAY), Counted(0, HORIZON, 6, kind=0, delay=DAY)]
    got = judged_last(tables_of(posts, [], counts, []))
    assert got["outcome_log_max_all"] == pytest.approx(log(1 + 6 + 8))
    assert got["reshares_log_mean_90d"] == pytest.approx(log(5), abs=1e-6)
    assert got["replies_log_mean_90d"] is None


def test_reshares_of_others_are_no_record() -> None:
    assert liked(4, kind="reshare")["outcome_count_all"] == 0


def test_posts_of_the_same_form_are_alike_in_all_of_it() -> None:
    forms = [(None, 0), (0, 0), (1, 0), (0, 1)]
    posts = [Published(0, place * DAY, n_media=media, n_urls=urls) for place, (media, urls) in enumerate(forms)]
    likes = [Acted(0, 60, HOUR), Acted(2, 61, HOUR), Acted(3, 62, HOUR)]
    got = judged_last(tables_of([*posts, Published(0, 40 * DAY, n_media=0, n_urls=0)], likes, [], []))
    assert got["outcome_log_mean_same_form_365d"] == pytest.approx(log(2) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "alike", "unlike"),
    [
        ("opening", " GOOD morning", "a good morning"),
        ("hashtag", "see #One #two", "see #two #one"),
        ("length", "x" * 79, "x" * 80),
        ("length", "x" * 41 + " https://example.org", "x" * 39),
    ],
)
def test_posts_that_look_alike(name: str, alike: str, unlike: str) -> None:
    posts = [Published(0, place * DAY, text=text) for place, text in enumerate((alike, alike, unlike, unlike))]
    judged = Published(0, 40 * DAY, text="Good #one " + "x" * 40)
    got = judged_last(tables_of([*posts, judged], [Acted(0, 60, HOUR)], [], []))
    assert got[f"outcome_log_mean_same_{name}_365d"] == pytest.approx(log(2) / 2, abs=1e-6)
