"""What a post drove: who counts, when, and what is missing rather than zero."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_tables import DAY, HORIZON, HOUR, Acted, Counted, Published, Tables, moment, tables_of

from clout.data.labels import drawn, first_actions, outcomes_from_counts, with_posts, without_undone

WEEK = 7 * DAY
TICK = timedelta(microseconds=1)


def driven(tables: Tables, weights: dict[str, float] | None = None) -> pl.DataFrame:
    """The outcomes of a log whose actions weigh 1, or what `weights` say by actor."""
    actions = in_order_of_clock(tables)
    weight = actions["actor"].replace_strict(weights or {}, default=1.0, return_dtype=pl.Float64)
    return drawn(first_actions(actions), weight)


def in_order_of_clock(tables: Tables) -> pl.DataFrame:
    """The actions, with what is known of their posts."""
    clock = pl.max_horizontal("happened_at", "known_at").alias("at")
    posts, actions = (tables[name].with_columns(clock) for name in ("posts", "actions"))
    return without_undone(with_posts(actions.sort("at"), posts, HORIZON), tables["removals"], HORIZON)


def from_actions(*actions: Acted, weights: dict[str, float] | None = None) -> dict[str, float]:
    """Kind → count of one post, by account 0; 0 where nothing was drawn."""
    others = [Acted(1, 90, HOUR, kind) for kind in range(4)]
    tables = tables_of([Published(0, 0), Published(5, 0)], [*actions, *others], [], [])
    found = driven(tables, weights)
    drew = dict(found.filter(post="log/p0").select("kind", "count").iter_rows())
    return dict.fromkeys(("like", "reshare", "reply", "mention"), 0.0) | drew


def from_counts(*counts: Counted) -> list[tuple[str, float, int]]:
    """(kind, count, microseconds until ripe) of one post that has these counts."""
    tables = tables_of([Published(2, 0)], [], list(counts), [])
    found = outcomes_from_counts(tables["posts"], tables["counts"], HORIZON).sort("kind")
    ripe = [(time - moment(0)) // TICK for time in found["ripe_at"]]
    return list(zip(found["kind"].to_list(), found["count"].to_list(), ripe, strict=True))


@pytest.mark.parametrize(
    ("action", "counted"),
    [
        (Acted(0, 60, -HOUR), 0),
        (Acted(0, 60, 0), 0),
        (Acted(0, 60, 1), 1),
        (Acted(0, 60, WEEK), 1),
        (Acted(0, 60, WEEK + 1), 0),
        (Acted(0, 60, DAY, delay=6 * DAY), 1),
        (Acted(0, 60, DAY, delay=6 * DAY + 1), 0),
        (Acted(0, 0, DAY), 0),
        (Acted(0, 60, DAY, on_account=True), 0),
    ],
    ids=["before", "with", "after", "at the end", "too late", "told in time", "told late", "by oneself", "on account"],
)
def test_who_counts(action: Acted, counted: int) -> None:
    assert from_actions(action) == {"like": counted, "reshare": 0, "reply": 0, "mention": 0}


@pytest.mark.parametrize(("taken_back", "counted"), [(2 * HOUR, 0), (WEEK, 0), (WEEK + 1, 1), (40 * DAY, 1)], ids=str)
def test_what_was_taken_back_in_time_does_not_count(taken_back: int, counted: int) -> None:
    assert from_actions(Acted(0, 60, HOUR, taken_back=taken_back))["like"] == counted


def test_taking_back_undoes_one_action_alone() -> None:
    again = [Acted(0, 60, HOUR, taken_back=2 * HOUR), Acted(0, 60, 3 * HOUR), Acted(0, 61, HOUR), Acted(0, 60, HOUR, 1)]
    got = from_actions(*again)
    assert (got["like"], got["reshare"]) == (2, 1)


def test_an_actor_counts_once_for_each_kind() -> None:
    actions = [Acted(0, actor, hours * HOUR, kind) for actor in (60, 61) for hours in (1, 2) for kind in (0, 1)]
    assert from_actions(*actions) == {"like": 2, "reshare": 2, "reply": 0, "mention": 0}


def test_an_actor_counts_what_it_weighs() -> None:
    weights = {"log/60": 0.25, "log/61": 0.5}
    actions = [Acted(0, actor, HOUR, kind) for actor in (60, 61, 62) for kind in (0, 1)]
    got = from_actions(*actions, weights=weights)
    assert (got["like"], got["reshare"]) == (1.75, 1.75)


def test_of_several_actions_of_a_kind_the_first_known_counts() -> None:
    later, known_first = Acted(0, 60, HOUR, delay=DAY), Acted(0, 60, 2 * HOUR)
    tables = tables_of([Published(0, 0)], [later, known_first], [], [])
    actions = in_order_of_clock(tables)
    assert first_actions(actions)["row"].to_list() == [0]
    assert actions["action"][0] == "log/a1"


def test_only_counts_of_ripe_posts() -> None:
    assert from_counts(Counted(0, WEEK - 1, 4)) == []
    assert from_counts(Counted(0, WEEK, 4)) == [("like", 4, WEEK)]


def test_the_first_ripe_count_stays() -> None:
    counts = Counted(0, 6 * DAY, 1), Counted(0, 8 * DAY, 2), Counted(0, 9 * DAY, 3)
    assert from_counts(*counts) == [("like", 2, 8 * DAY)]


def test_a_count_told_late_does_not_replace_one_in_use() -> None:
    late, prompt = Counted(0, 8 * DAY, 2, delay=30 * DAY), Counted(0, 9 * DAY, 3)
    assert from_counts(late, prompt) == [("like", 3, 9 * DAY)]


def test_kinds_known_later_than_the_first_do_not_count() -> None:
    likes, reshares = Counted(0, 8 * DAY, 2, kind=0), Counted(0, 8 * DAY, 5, kind=1)
    later = Counted(0, 8 * DAY, 5, kind=1, delay=HOUR)
    assert from_counts(likes, reshares) == [("like", 2, 8 * DAY), ("reshare", 5, 8 * DAY)]
    assert from_counts(likes, later) == [("like", 2, 8 * DAY)]


def test_a_retrospective_count_is_taken_as_known_when_the_post_had_ripened() -> None:
    assert from_counts(Counted(0, 300 * DAY, 2, delay=DAY, retrospective=True)) == [("like", 2, WEEK)]
    assert from_counts(Counted(0, 6 * DAY, 2, retrospective=True)) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 9), st.integers(0, 3)), max_size=12))
def test_the_count_never_exceeds_the_accounts_that_acted(rows: list[tuple[int, int, int]]) -> None:
    got = from_actions(*(Acted(0, actor, days * DAY, kind) for actor, days, kind in rows))
    for place, kind in enumerate(("like", "reshare", "reply", "mention")):
        assert got[kind] == len({actor for actor, days, of in rows if of == place and actor != 0 and 0 < days <= 7})


def test_no_tables_no_outcomes() -> None:
    tables: Tables = tables_of([], [], [], [])
    assert driven(tables).is_empty()
    assert outcomes_from_counts(tables["posts"], tables["counts"], HORIZON).is_empty()
