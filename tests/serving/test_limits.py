"""A bucket gives what it holds at once and refills at its rate, whatever the order of requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.serving.edge import limits
from clout.serving.edge.limits import Allowance, Buckets, InFlight
from clout.serving.problems import ProblemError


class Time:
    """A clock that stands still until it is moved."""

    seconds = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@given(
    rate=st.sampled_from([0.5, 1.0, 7.0, 50.0]),
    burst=st.integers(1, 20),
    waits=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_more_than_the_burst_and_the_rate_are_answered(rate: float, burst: int, waits: list[float]) -> None:
    time = Time()
    buckets, answered = Buckets(rate, burst, time), 0
    for wait in waits:
        time.seconds += wait
        told = buckets.take("a")
        answered += not told.wait
        assert 0 <= told.remaining <= burst
        assert answered <= burst + time.seconds * rate + 1e-6
    assert answered >= min(len(waits), burst)


@given(burst=st.integers(1, 20), rate=st.sampled_from([0.3, 1.0, 7.0]))
def test_after_the_wait_the_next_is_answered_and_after_the_reset_all(burst: int, rate: float) -> None:
    time = Time()
    buckets = Buckets(rate, burst, time)
    while not (told := buckets.take("a")).wait:
        pass
    time.seconds += told.wait
    assert not buckets.take("a").wait
    time.seconds += buckets.take("a").reset
    assert buckets.take("a").remaining == burst - 1


def test_each_name_has_its_own() -> None:
    buckets = Buckets(1, 1, Time())
    assert [buckets.take(name).wait for name in "abab"] == [0, 0, 1, 1]


def test_names_are_forgotten_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_NAMES", 3)
    buckets = Buckets(1, 1, Time())
    assert [buckets.take(name).wait for name in "abcdda"] == [0, 0, 0, 0, 1, 0]
    assert len(buckets._left) == 3


def test_workers_share() -> None:
    buckets = Buckets.share(50, 100, 4)
    assert buckets.take("a") == Allowance(25, 24, 1, 0)
    assert Buckets.share(1, 1, 4).take("a") == Allowance(1, 0, 4, 0)


def test_the_headers_say_how_it_stands() -> None:
    told = {"RateLimit-Limit": "5", "RateLimit-Remaining": "0", "RateLimit-Reset": "9"}
    assert Allowance(5, 0, 9, 0).headers == told
    assert Allowance(5, 0, 9, 2).headers == {**told, "Retry-After": "2"}


def test_a_place_is_given_back_whatever_happens() -> None:
    in_flight = InFlight(1)

    def break_off() -> None:
        with in_flight.one_more():
            with pytest.raises(ProblemError, match="got a request beside 1 others"):
                in_flight.one_more().__enter__()
            raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            break_off()
