"""What may pass is tried again, what will not is not, and what takes too long ends."""

from __future__ import annotations

import signal
import time

import pytest

from clout.data.sources.live.passing import PassingError
from clout.errors import CloutError
from clout.serving.live.patience import OvertimeError, at_most, tried


class Failing:
    """Fails with each of the errors, then goes well."""

    def __init__(self, *errors: Exception) -> None:
        self._errors, self.calls = list(errors), 0

    def __call__(self) -> None:
        """Raises the next error."""
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)


@pytest.mark.parametrize("error", [ConnectionError("gone"), PassingError("busy"), RuntimeError("odd")])
def test_what_may_pass_is_tried_again_after_each_wait(error: Exception) -> None:
    do, slept = Failing(error, error), list[float]()
    tried(do, [1.0, 5.0], slept.append)
    assert (do.calls, slept) == (3, [1.0, 5.0])


def test_the_last_error_is_told() -> None:
    do, slept = Failing(ConnectionError("first"), ConnectionError("second"), ConnectionError("third")), list[float]()
    with pytest.raises(ConnectionError, match="third"):
        tried(do, [1.0, 5.0], slept.append)
    assert (do.calls, slept) == (3, [1.0, 5.0])


def test_what_is_refused_is_not_tried_again() -> None:
    do = Failing(CloutError("no such column"))
    with pytest.raises(CloutError, match="no such column"):
        tried(do, [1.0], pytest.fail)
    assert do.calls == 1


def test_what_takes_too_long_ends_though_errors_are_swallowed() -> None:
    def hang() -> None:
        while True:
            try:
                time.sleep(60)
            except Exception:  # noqa: S112
                continue

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(OvertimeError), at_most(0.05):
        hang()
    assert signal.getsignal(signal.SIGALRM) is before
    with at_most(0.05):
        pass
    time.sleep(0.1)
