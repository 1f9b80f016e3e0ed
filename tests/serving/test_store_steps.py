"""What a history and a place among others are told from, without unpacking reasons."""

from __future__ import annotations

from score_store import day, record, run

from clout.serving.store.scores import Store


def test_steps_are_the_records_without_their_reasons(store: Store):
    store.write(store.begin(run(0)), [record(0)])
    store.write(store.begin(run(1, "b")), [record(1, model="b", score=50.0), record(1, bridge=True)])
    store.write(store.begin(run(3)), [record(3, score=None, model="a")])
    steps = store.steps("x/1", day(0), day(2))
    assert [(step.as_of, step.model_version, step.score, step.bridge) for step in steps] == [
        (day(0), "a", 40.0, False),
        (day(1), "a", 40.0, True),
        (day(1), "b", 50.0, False),
    ]
    records = store.with_bridges("x/1", day(0), day(9))
    whole = store.steps("x/1", day(0), day(9))
    for name in ("as_of", "model_version", "scale_version", "score", "low", "high", "bridge"):
        assert [getattr(step, name) for step in whole] == [getattr(record, name) for record in records]


def test_scores_of_a_size_group(store: Store):
    store.write(
        store.begin(run(0)),
        [record(0), record(0, "x/2", 30.0, size_group="small"), record(0, "x/3", 20.0, size_group="small")],
    )
    assert store.scores_at(day(0), "x", "small").tolist() == [20.0, 30.0]
    assert store.scores_at(day(0), "x").tolist() == [20.0, 30.0, 40.0]
    assert store.scores_at(day(0), "x", "tiny").size == 0
