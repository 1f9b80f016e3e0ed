"""A round does each part on its own and keeps what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from score_store import day

from clout.errors import CloutError
from clout.serving.live.round import LONGEST_ERROR, Clock, Count, Part, due, play, words
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, OK, LiveRun
from clout.serving.store.scores import Store


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'scores.db'}") as opened:
        yield opened


def clock() -> Clock:
    """A clock that goes on a minute each time."""
    moments = count()
    return lambda: day(0) + next(moments) * timedelta(minutes=1)


def good(tell: Count) -> None:
    """Two pieces come in."""
    tell(3, 1)
    tell(2, 0)


def refused(tell: Count) -> None:
    """One piece comes in, then an error."""
    tell(1, 0)
    raise CloutError("the token=abc is bad")


def broken(_: Count) -> None:
    """An error that nobody foresaw."""
    raise KeyError("x")


def hanging(_: Count) -> None:
    """Nothing ever comes."""
    time.sleep(60)


def told(run: LiveRun) -> tuple[object, ...]:
    return run.source, run.outcome, run.rows, run.rejected, run.error


def test_a_bad_part_does_not_stop_the_others(runs: Store, caplog: pytest.LogCaptureFixture) -> None:
    parts = [Part(do.__name__, do) for do in (refused, broken, hanging, good)]
    played = play(parts, runs.live_runs, clock(), seconds=0.1)
    assert [told(run) for run in played] == [
        ("refused", FAILED, 1, 0, "the token=… is bad"),
        ("broken", FAILED, 0, 0, "KeyError: 'x'"),
        ("hanging", FAILED, 0, 0, "it took longer than 0.1 s; the next round goes on from what it has brought in"),
        ("good", OK, 5, 1, None),
    ]
    assert played[3].ended_at == played[3].succeeded_at == played[3].started_at + timedelta(minutes=1)
    assert "Traceback" in caplog.text
    assert runs.live_runs.newest(9) == tuple(reversed(played))


def test_parts_are_asked_for_when_those_before_have_ended(runs: Store) -> None:
    done = list[str]()

    def parts() -> Iterator[Part]:
        yield Part("a", lambda _: done.append("a"))
        yield Part("b", lambda _: done.append("b"), model_version="m", lake_fingerprint=f"after {done}")

    [_, second] = play(parts(), runs.live_runs, clock())
    assert (second.model_version, second.lake_fingerprint) == ("m", "after ['a']")
    assert play([], runs.live_runs, clock()) == ()


def test_a_part_that_is_told_to_stop_ends_the_round(runs: Store) -> None:
    def stopped(tell: Count) -> None:
        tell(1, 0)
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        play([Part("a", stopped), Part("b", good)], runs.live_runs, clock())
    [run] = runs.live_runs.newest(9)
    assert told(run) == ("a", BROKEN_OFF, 1, 0, "it was told to stop")


def test_a_run_that_was_killed_is_told_by_the_next_round(runs: Store) -> None:
    runs.live_runs.count(runs.live_runs.begin("a", day(0)), 4, 0)
    play([Part("b", good)], runs.live_runs, clock())
    assert told(runs.live_runs.newest(9)[1]) == ("a", BROKEN_OFF, 4, 0, None)


def test_scoring_is_due_once_a_day_and_when_something_is_another(runs: Store) -> None:
    part = Part("score", good, "m", "f")
    assert due(None, part, day(0))
    [last] = play([part], runs.live_runs, clock())
    assert not due(last, part, day(0.9))
    assert due(last, part, day(1))
    assert due(last, Part("score", good, "m2", "f"), day(0.9))
    assert due(last, Part("score", good, "m", "f2"), day(0.9))


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("postgresql://amy:pa/ss@host/db is down", "postgresql://…@host/db is down"),
        ("https://amy:secret@example.org/a is down", "https://…@example.org/a is down"),
        ("got 401 from https://example.org/feed?key=1&b=2 now", "got 401 from https://example.org/feed?… now"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ('{"accessJwt": "abc"}', '{"accessJwt": …}'),
        ("access_token = abc and", "access_token = … and"),
        ("app_password='abc def' of amy", "app_password=… of amy"),
        ("a\x00b\nc\td", "a b c d"),
        ("é" * 600, "é" * (LONGEST_ERROR - 1) + "…"),
    ],
)
def test_words_are_short_and_let_nobody_in(error: str, shown: str) -> None:
    assert words(error) == shown
