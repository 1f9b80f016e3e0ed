"""The score store gives back what it was given, in both databases."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from score_store import day, record, run

from clout.models.change import Change, changes
from clout.serving.store.rows import Judge, Record, StoreError
from clout.serving.store.scores import Store


def written(store: Store, *records: Record, number: float = 0, model: str = "a") -> int:
    """How many were new in a run of that day and model."""
    return store.write(store.begin(run(number, model)), records)


def test_a_record_comes_back_as_it_was(store: Store):
    given = record(0)
    assert written(store, given) == 1
    assert store.latest("x/1") == given


def test_a_record_without_evidence_comes_back_with_what_is_missing(store: Store):
    given = record(0, score=None, handle=None, detail={"missing": "3 of 10 posts"})
    written(store, given)
    assert store.latest("x/1") == given
    assert store.scores_at(day(0), "x").size == 0


def test_moments_are_utc_whatever_zone_they_came_in(store: Store):
    there = datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    written(store, record(0, account="x/1"))
    found = store.latest_before("x/1", there + timedelta(microseconds=1))
    assert found is not None
    assert found.as_of.isoformat() == "2026-03-01T00:00:00+00:00"
    assert store.latest_before("x/1", there) is None


def test_a_moment_without_zone_is_refused(store: Store):
    with pytest.raises(StoreError, match=r"got the moment 2026-03-01 00:00:00 without a time zone; expected one with"):
        store.latest_before("x/1", datetime(2026, 3, 1))  # noqa: DTZ001


def test_writing_again_changes_nothing(store: Store):
    assert written(store, record(0), record(0, "x/2")) == 2
    assert written(store, record(0, score=90.0), record(0, "x/3")) == 1
    assert written(store) == 0
    latest = store.latest("x/1")
    assert latest is not None
    assert latest.score == 40.0


def test_twice_in_one_call_is_once(store: Store):
    assert written(store, record(0), record(0)) == 1


def test_history_is_what_was_shown_oldest_first(store: Store):
    for number in (2, 0, 1):
        written(store, record(number, score=40.0 + number), number=number)
    assert [found.score for found in store.history("x/1", day(0), day(2))] == [40, 41, 42]
    assert [found.score for found in store.history("x/1", day(0.5), day(1))] == [41]
    latest = store.latest_before("x/1", day(2))
    assert latest is not None
    assert latest.score == 41


def test_bridges_are_kept_but_not_shown(store: Store):
    written(store, record(0, score=50.0))
    change = [record(1, score=55.0, model="b"), record(1, score=52.0, model="a", bridge=True)]
    assert written(store, *change, number=1, model="b") == 2
    assert [found.score for found in store.history("x/1", day(0), day(9))] == [50, 55]
    steps = store.with_bridges("x/1", day(0), day(9))
    assert [(found.score, found.bridge) for found in steps] == [(50, False), (52, True), (55, False)]
    assert store.scores_at(day(1), "x").tolist() == [55]
    assert store.written(day(1), "a") == set()
    assert store.written(day(1), "b") == {"x/1"}


def test_a_second_run_of_the_day_by_another_model_takes_the_place_of_the_first(store: Store):
    written(store, record(0, score=50.0), record(0, "x/2", score=10.0))
    written(store, record(0, score=55.0, model="b"), model="b")
    assert [found.score for found in store.history("x/1", day(0), day(0))] == [55]
    assert [found.bridge for found in store.with_bridges("x/1", day(0), day(0))] == [True, False]
    assert store.scores_at(day(0), "x").tolist() == [10, 55]
    latest = store.latest("x/1")
    assert latest is not None
    assert latest.model_version == "b"


def test_scores_are_of_one_moment_and_network(store: Store):
    rows = [record(0, f"x/{number}", score=float(number)) for number in (30, 10, 20)]
    written(store, *rows, record(0, "y/1", score=70.0))
    written(store, record(1, score=80.0), number=1)
    scores = store.scores_at(day(0), "x")
    assert scores.tolist() == [10, 20, 30]
    assert scores.dtype == np.float64
    assert store.scores_at(day(5), "x").size == 0


def test_scores_of_one_size_group_are_its_own(store: Store):
    written(store, record(0, score=10.0, size_group="small"), record(0, "x/2", score=20.0, size_group="large"))
    assert store.scores_at(day(0), "x", "large").tolist() == [20]
    assert store.scores_at(day(0), "x", "none").size == 0


def test_steps_are_the_records_without_their_reasons(store: Store):
    written(store, record(0, score=50.0))
    written(store, record(1, score=55.0, model="b"), record(1, score=52.0, bridge=True), number=1, model="b")
    records = store.with_bridges("x/1", day(0), day(1))
    steps = store.steps("x/1", day(0), day(1))
    assert len(steps) == 3
    assert all(step.__dict__.items() <= vars(found).items() for step, found in zip(steps, records, strict=True))
    assert changes(steps, now=day(1))["day"] == Change(day(0), total=5.0, yours=2.0, ours=3.0)


def test_the_newest_moment_of_a_run_is_found_within_a_day(store: Store):
    for number in (0, 0.5, 1):
        store.begin(run(number))
    assert store.moment_between(day(0), day(1)) == day(0.5)
    assert store.moment_between(day(0.6), day(1)) is None


def test_a_run_is_gone_on_with_and_finished(store: Store):
    begun = store.begin(run(0))
    store.write(begun, [record(0)])
    again = store.begin(run(0))
    assert again == begun == store.run_of(day(0), "a")
    store.write(again, [record(0, "x/2"), record(0, "x/3", model="b", bridge=True)])
    assert store.newest_run() is None
    done = store.finish(again, day(0.1))
    assert (done.accounts, done.finished_at) == (2, day(0.1))
    assert store.newest_run() == store.run_of(day(0), "a") == store.begin(run(0)) == done
    assert store.run_of(day(0), "b") is None


def test_another_state_of_the_lake_is_another_run(store: Store):
    first, second = store.begin(run(0)), store.begin(run(0, lake="more"))
    assert first.id != second.id
    assert store.run_of(day(0), "a") == second


def test_the_newest_run_of_a_network_is_one_that_scored_it(store: Store):
    for number, account in enumerate(("x/1", "y/1")):
        begun = store.begin(run(number))
        store.write(begun, [record(number, account)])
        store.finish(begun, day(number))
    store.write(store.begin(run(2)), [record(2)])
    found = [store.newest_run(network) for network in ("x", "y", None, "z")]
    assert [None if one is None else one.as_of for one in found] == [day(0), day(1), day(1), None]


def test_the_newest_run_of_a_network_is_not_another_of_the_same_moment(store: Store):
    for lake, account in (("lake", "x/1"), ("more", "y/1")):
        begun = store.begin(run(0, lake=lake))
        store.write(begun, [record(0, account)])
        store.finish(begun, day(0))
    found = [store.newest_run(network) for network in ("x", "y")]
    assert [one and one.lake_fingerprint for one in found] == ["lake", "more"]


def test_a_model_is_remembered_as_it_first_was(store: Store):
    store.remember(Judge("a", "other", "{}", "{}"))
    assert store.judge("a") == Judge("a", "scale-a", '{"model": "a"}', "{}")
    assert store.judge("c") is None


@pytest.mark.parametrize("asked", ["Name1", "@name1", "NAME1"])
def test_an_account_is_found_by_its_handle(store: Store, asked: str):
    written(store, record(0), record(0, "x/2"), record(0, "y/1"))
    assert store.find("x", asked) == ("x/1",)


def test_all_that_bear_a_handle_now_are_found_newest_first(store: Store):
    written(store, record(0, "x/1", handle="amy"), record(0, "x/2", handle="amy"), record(0, "x/3", handle="amy"))
    written(store, record(1, "x/2", handle="Amy"), record(1, "x/3", handle="bob"), number=1)
    assert store.find("x", "amy") == ("x/2", "x/1")
    assert store.find("x", "bob") == ("x/3",)
    assert store.find("x", "nobody") == ()


def test_forgetting_leaves_nothing_of_the_account(store: Store):
    written(store, record(0), record(0, "x/2"), record(0, model="b", bridge=True))
    written(store, record(1), number=1)
    assert len(store.all_of("x/1")["scores"]) == 3
    assert store.forget("x/1") == {"scores": 3, "feedback": 0}
    assert store.all_of("x/1") == {"scores": [], "feedback": []}
    assert store.latest("x/1") is None
    assert store.find("x", "name1") == ()
    assert store.latest("x/2") == record(0, "x/2")
    assert store.forget("x/1") == {"scores": 0, "feedback": 0}


def test_all_of_an_account_is_plain_values(store: Store):
    written(store, record(0), record(0, score=41.0, model="b", bridge=True))
    scores = store.all_of("x/1")["scores"]
    assert [(row["score"], row["bridge"]) for row in scores] == [(41, True), (40, False)]
    assert scores[1]["as_of"] == "2026-03-01T00:00:00+00:00"
    assert scores[1]["detail"] == {"why": ["ü", 1.5]}


@pytest.mark.parametrize(
    "wrong", [record(1), record(0, model="b"), record(0, bridge=True)], ids=["moment", "model", "bridge"]
)
def test_a_record_of_another_run_is_refused(store: Store, wrong: Record):
    with pytest.raises(StoreError, match=r"for the run \d+ at .* by a; expected a run that was begun, its moment"):
        written(store, record(0, "x/2"), wrong)
    assert store.latest("x/2") is None


def test_a_run_that_was_not_begun_is_refused(store: Store):
    with pytest.raises(StoreError, match="for the run None"):
        store.write(run(0), [record(0)])


def test_a_model_the_store_was_not_told_of_is_refused(store: Store):
    with pytest.raises(StoreError, match="tell it of the model"):
        store.begin(run(0, model="c"))
    with pytest.raises(StoreError, match=r"refused a row .* tell it of the model of each bridge"):
        written(store, record(0, "x/2"), record(0, model="c", bridge=True))
    assert store.latest("x/2") is None


def test_a_detail_that_is_not_plain_is_refused(store: Store):
    with pytest.raises(StoreError, match=r"cannot keep the detail of x/1 .*; expected plain values"):
        written(store, record(0, detail={"points": float("nan")}))


@pytest.mark.parametrize(
    ("score", "more", "told"),
    [
        (float("nan"), {}, "got the score nan of x/1 within nan to nan; expected a score from 1 to 100"),
        (0.5, {"low": 1.0}, "got the score 0.5"),
        (50.0, {"low": 51.0}, "expected a score from 1 to 100 inside its interval"),
        (50.0, {"high": None}, "inside its interval"),
        (None, {"size_group": "all"}, "got no score of x/1"),
    ],
)
def test_figures_that_cannot_be_are_refused(score: float | None, more: dict[str, float], told: str):
    with pytest.raises(StoreError, match=told):
        record(0, score=score, **more)
