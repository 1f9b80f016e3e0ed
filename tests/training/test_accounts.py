"""One margin an account: what its recent posts would drive now, set right by its track record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from nasty_tables import known_until
from trained_society import Studied

from clout.data.history import History, known_before, load
from clout.data.simulate import Simulation
from clout.data.tables import SCHEMAS
from clout.features import account_posts
from clout.features.catalogue import CONTRACT
from clout.features.compute import prepare
from clout.features.wording import Wording
from clout.training.accounts import Judge, MeasuredPosts, account_margins

Floats = npt.NDArray[np.float64]
NOW = datetime(2024, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MUTE = Wording((), np.zeros(0), np.zeros(0))


def history_of(*posts: tuple[str, float, int | None], kind: str = "original", text: str | None = None) -> History:
    """Posts as (account, days before NOW, likes in the week after or None where never read)."""
    rows, counts = [], []
    for number, (account, days, likes) in enumerate(posts):
        time, post = NOW - days * DAY, f"net/p{number}"
        clocks = {"happened_at": time, "known_at": time}
        rows.append({"post": post, "account": account, "network": "net", "kind": kind, "text": text} | clocks)
        read = {"happened_at": time + 7 * DAY, "known_at": time + 7 * DAY, "retrospective": False}
        counts += [{"post": post, "kind": "like", "count": likes} | read] if likes is not None else []
    tables = {name: schema.to_frame() for name, schema in SCHEMAS.items()}
    tables["posts"] = pl.DataFrame(rows, schema=SCHEMAS["posts"])
    tables["counts"] = pl.DataFrame(counts, schema=SCHEMAS["counts"])
    return load(tables, 7 * DAY, {"like": 1.0})


def said(history: History, judge: Judge, wording: Wording = MUTE) -> list[dict[str, object]]:
    """The rows that are said of each account."""
    return account_margins([MeasuredPosts.of(history, prepare(history), wording, NOW)], judge).to_dicts()


def ones(matrix: Floats) -> Floats:
    return np.ones(len(matrix))


def feature(name: str) -> Judge:
    """A model that says what one feature is."""
    return lambda matrix: np.nan_to_num(matrix[:, CONTRACT.names.index(name)])


def test_the_margin_is_what_is_expected_plus_what_came_beyond() -> None:
    (row,) = said(history_of(("net/a", 10, 7), ("net/a", 20, 31), ("net/a", 200, 0), ("net/a", 1, None)), ones)
    assert (row["account"], row["network"], row["posts"], row["ripe"]) == ("net/a", "net", 3, 3)
    assert row["expected"] == 1.0
    beyond = (np.log(8) - 1) + (np.log(32) - 1) + (0 - 1)
    assert row["track_record"] == pytest.approx(beyond / (3 + 5))
    assert row["margin"] == pytest.approx(1 + beyond / 8)
    assert row["own_mean_90d"] == pytest.approx((np.log(8) + np.log(32)) / 2)
    assert row["own_mean_all"] == pytest.approx((np.log(8) + np.log(32)) / 3)


def test_without_ripe_posts_there_is_no_track_record() -> None:
    (row,) = said(history_of(("net/a", 1, None), ("net/a", 6, 50), ("net/b", 300, 5)), ones)
    assert (row["account"], row["posts"], row["ripe"], row["track_record"], row["margin"]) == ("net/a", 2, 0, 0.0, 1.0)
    assert row["own_mean_90d"] is None
    assert row["own_mean_all"] is None


@pytest.mark.parametrize(("days", "there"), [(90, False), (89.9, True), (0, False), (-1, False)])
def test_an_account_needs_a_post_of_the_last_90_days(days: float, there: bool) -> None:
    rows = said(history_of(("net/a", days, None), ("net/b", 1, None)), ones)
    assert ("net/a" in [row["account"] for row in rows]) is there


def test_an_outcome_counts_once_it_is_known() -> None:
    (early,) = said(history_of(("net/a", 7.001, 9)), ones)
    (late,) = said(history_of(("net/a", 7, 9)), ones)
    assert (early["ripe"], late["ripe"]) == (1, 0)


def test_reshares_are_not_its_own_posts() -> None:
    assert said(history_of(("net/a", 10, 7), kind="reshare"), ones) == []


def test_posts_are_judged_with_what_is_known_now() -> None:
    """Seen from now, even the oldest post has three known outcomes before it."""
    history = history_of(("net/a", 10, 7), ("net/a", 20, 31), ("net/a", 30, 0), ("net/a", 3, None))
    (row,) = said(history, feature("outcome_count_all"))
    assert row["expected"] == 3.0


def test_words_are_those_of_the_wording_given() -> None:
    wording = Wording(("good",), np.ones(1), np.array([0.5]))
    (row,) = said(history_of(("net/a", 10, None), text="so good"), feature("wording_lift"), wording)
    assert row["expected"] == pytest.approx(0.5)


def test_accounts_stand_in_order_whatever_the_order_of_their_posts() -> None:
    posts = [(f"net/{number % 7}", number / 3 + 1, number) for number in range(60)]
    forth, back = said(history_of(*posts), ones), said(history_of(*posts[::-1]), ones)
    assert [row["account"] for row in forth] == [f"net/{number}" for number in range(7)]
    assert forth == back


def test_parts_of_many_posts_are_judged_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    history = history_of(*[(f"net/{number % 7}", number / 3 + 1, number) for number in range(60)])
    whole = said(history, feature("outcome_level_365d"))
    monkeypatch.setattr(account_posts, "CHUNK", 7)
    assert said(history, feature("outcome_level_365d")) == whole


def test_nobody_posted() -> None:
    assert said(history_of(), ones) == []


def test_the_future_changes_nothing(society: Simulation, studied: Studied) -> None:
    at, params = studied.dataset.plan.rolling[1].start, studied.params
    past, known = known_before(society.tables, at), known_until(society.tables, at)
    meaning = (params.label.horizon, params.action_values)
    histories = [load(society.tables, *meaning), load(past, *meaning, known)]
    judge = feature("outcome_level_365d")
    now, then = (
        account_margins([MeasuredPosts.of(history, prepare(history), MUTE, at)], judge) for history in histories
    )
    assert now.equals(then)
    assert now.height > 100
