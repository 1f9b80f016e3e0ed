"""Which posts have an outcome, and what is missing in it rather than zero."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest
from nasty_tables import DAY, HORIZON, HOUR, Acted, Counted, Published, Tables, moment, tables_of

from clout.data.coverage import coverage
from clout.data.ripening import Ripening, by_kind

WEEK = 7 * DAY
VALUES = {"like": 1.0, "reshare": 2.5, "reply": 0.0}
LOGGED, COUNTED, BOTH = 0, 2, 3
LATER = Published(LOGGED, 60 * DAY)


def ripening(tables: Tables, values: Mapping[str, float] = VALUES) -> Ripening:
    posts = tables["posts"].with_columns(at=pl.max_horizontal("happened_at", "known_at"))
    drawing = tables["actions"]["post"].drop_nulls()
    return Ripening.of(posts, tables["counts"], drawing, HORIZON, values, coverage(tables))


def drew(**counts: float) -> pl.DataFrame:
    """What post 0 drew."""
    schema = {"post": pl.String, "kind": pl.String, "count": pl.Float64}
    return pl.DataFrame([("log/p0", kind, count) for kind, count in counts.items()], schema=schema, orient="row")


def logs(*kinds: int) -> Tables:
    """Posts of a network that logs these kinds."""
    return tables_of([Published(LOGGED, 0), LATER], [Acted(1, 90, 0, kind) for kind in kinds], [], [])


def test_weighing() -> None:
    got = ripening(logs(0, 1, 2)).outcomes(drew(like=3, reshare=2, reply=9))
    assert got.columns == ["post", "account", "network", "published_at", "at", "outcome", "like", "reshare"]
    assert got.drop("account").row(0) == ("log/p0", "log", moment(0), moment(WEEK), 8.0, 3, 2)


def test_zero_is_not_missing() -> None:
    """Reshares are not reported at all; likes are, and there were none."""
    got = ripening(logs(0)).outcomes(drew()).row(0, named=True)
    assert (got["outcome"], got["like"], got["reshare"]) == (0.0, 0.0, None)


def test_a_post_without_a_kind_of_value_has_no_outcome() -> None:
    assert ripening(logs(2)).outcomes(drew(reply=9)).is_empty()
    assert ripening(logs()).outcomes(drew()).is_empty()


@pytest.mark.parametrize(("end", "ripe"), [(WEEK - 1, False), (WEEK, True)])
def test_a_post_ripens_when_the_data_reach_that_far(end: int, ripe: bool) -> None:
    tables = tables_of([Published(LOGGED, 0)], [Acted(0, 90, end)], [], [])
    assert ripening(tables).posts.height == ripe


def test_reshares_are_nobodys_own() -> None:
    tables = logs(0)
    reshared = tables["posts"].with_columns(kind=pl.lit("reshare"))
    assert ripening({**tables, "posts": reshared}).posts.is_empty()


@pytest.mark.parametrize(("heard", "drawn", "ripe"), [(WEEK, (), 1), (WEEK + 1, (), 0), (WEEK + 1, (HOUR,), 1)])
def test_a_post_first_heard_of_when_it_was_ripe_was_in_no_log(heard: int, drawn: tuple[int, ...], ripe: int) -> None:
    old = Published(LOGGED, 0, delay=heard)
    tables = tables_of([old, LATER], [Acted(1, 90, 0), *(Acted(0, 91, after) for after in drawn)], [], [])
    assert ripening(tables).posts.filter(post="log/p0").height == ripe


def test_where_there_are_counts_one_must_be_known() -> None:
    posts = [Published(COUNTED, 0), Published(COUNTED, HOUR), Published(COUNTED, 60 * DAY)]
    tables = tables_of(posts, [], [Counted(0, 8 * DAY, 4)], [])
    got = ripening(tables).outcomes(drew())
    assert got.select("outcome", "like", "reshare", "at").rows() == [(4.0, 4.0, None, moment(8 * DAY))]


def test_a_kind_that_is_logged_is_not_taken_from_counts() -> None:
    posts = [Published(BOTH, 0), Published(BOTH, 60 * DAY)]
    replies, likes = Counted(0, 8 * DAY, 5, kind=0), Counted(0, 8 * DAY, 4, kind=1)
    tables = tables_of(posts, [Acted(0, 60, HOUR)], [replies, likes], [])
    name = tables["posts"]["post"][0]
    told = ripening(tables, {"like": 1.0, "reply": 2.5}).outcomes(drew(like=1).with_columns(post=pl.lit(name)))
    assert told.select("like", "reply", "outcome").rows() == [(1.0, 5.0, 13.5)]


def test_counts_side_by_side() -> None:
    got = by_kind(drew(like=1, view=2), ["like", "reshare"], "drew")
    assert got.rows(named=True) == [{"post": "log/p0", "drew like": 1.0, "drew reshare": None}]
