"""What was done with live sources is kept: how it ended, what came, and what has come ever."""

from __future__ import annotations

import pytest
from score_store import day, record, run
from sqlalchemy import text

from clout.serving.store import live_runs
from clout.serving.store.engine import open_engine, writing
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, OK
from clout.serving.store.scores import Store


def test_a_run_is_told_while_it_goes_on_and_when_it_has_ended(store: Store) -> None:
    of = store.live_runs
    first = of.begin("club", day(0))
    of.count(first, 5, 1)
    [going] = of.newest(10)
    assert (going.outcome, going.ended_at, going.rows, going.rejected) == (None, None, 5, 1)
    of.count(first, 2, 0)
    of.end(first, day(0.1), OK)
    second = of.begin("club", day(1))
    of.count(second, 10, 0)
    of.end(second, day(1.1), FAILED, "gone")
    newest, before = of.newest(10)
    assert (before.rows, before.rows_ever, before.outcome, before.succeeded_at) == (7, 7, OK, day(0.1))
    assert (newest.rows, newest.rows_ever, newest.rejected_ever) == (10, 17, 1)
    assert (newest.outcome, newest.error, newest.succeeded_at) == (FAILED, "gone", day(0.1))
    assert of.last("club", OK) == before
    assert of.last("club", BROKEN_OFF) is None
    assert of.newest(1) == (newest,)
    assert newest.told()["succeeded_at"] == day(0.1).isoformat()


def test_each_source_counts_for_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    of = store.live_runs
    for number, source in enumerate(("b", "a", "b", "c")):
        begun = of.begin(source, day(number), model_version="m", lake_fingerprint="f")
        of.count(begun, 1, 0)
    assert [(one.source, one.rows_ever) for one in of.last_of_each()] == [("a", 1), ("b", 2), ("c", 1)]
    assert of.newest(1)[0].told()["lake_fingerprint"] == "f"
    monkeypatch.setattr(live_runs, "MOST_SOURCES", 2)
    assert [one.source for one in of.last_of_each()] == ["b", "c"]


def test_a_run_without_an_end_was_broken_off(store: Store) -> None:
    of = store.live_runs
    of.end(of.begin("a", day(0)), day(0), OK)
    of.count(of.begin("a", day(1)), 3, 0)
    of.break_off()
    broken, whole = of.newest(2)
    assert (broken.outcome, broken.ended_at, broken.rows, broken.succeeded_at) == (BROKEN_OFF, None, 3, day(0))
    assert whole.outcome == OK


def test_old_runs_go_but_what_ever_came_is_known(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_runs, "KEPT", 2)
    of = store.live_runs
    of.begin("other", day(0))
    for number in range(4):
        begun = of.begin("club", day(number))
        of.count(begun, 1, 1)
        of.end(begun, day(number), OK if number == 0 else FAILED)
    newest, before, other = of.newest(10)
    assert (newest.source, before.source, other.source) == ("club", "club", "other")
    assert (newest.rows_ever, newest.rejected_ever, newest.succeeded_at) == (4, 4, day(0))


def test_a_store_from_before_there_were_live_runs_keeps_its_scores(store: Store, store_url: str) -> None:
    store.write(store.begin(run(0)), [record(0)])
    engine = open_engine(store_url)
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE live_runs"))
        connection.execute(text("UPDATE store_version SET version_num = '0004'"))
    engine.dispose()
    with Store.open(store_url) as again:
        assert again.live_runs.begin("a", day(0))
        assert again.latest("x/1") == record(0)
