"""One round: each part in turn, each on its own, with what became of it in the store of scores."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from clout.errors import CloutError
from clout.serving.live.patience import OvertimeError, at_most
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, OK, LiveRun, LiveRuns

Count = Callable[[int, int], object]
Clock = Callable[[], datetime]
MOST_SECONDS = 3600.0
LONGEST_ERROR = 500
# What may let somebody in does not belong in a table that people look at.
SECRETS = (
    (re.compile(r"://(?:[^/\s@]*|[^/\s@]*:[^\s@]*)@"), "://…@"),
    (re.compile(r"(https?://[^\s?]*)\?\S*"), r"\1?…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), r"\1 …"),
    (
        re.compile(
            r"(?i)\b(\w*(?:token|secret|password|passwd|api[_-]?key|jwt)\w*['\"]?\s*[:=]\s*)(?:'[^']*'|\"[^\"]*\"|\S+)"
        ),
        r"\1…",
    ),
)
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

log = logging.getLogger("clout.live")


@dataclass(frozen=True)
class Part:
    """A part of a round: `do` is given what counts rows that are new and rejected.

    A part that scores or watches names the model and the data that it does it by.
    """

    name: str
    do: Callable[[Count], object]
    model_version: str | None = None
    lake_fingerprint: str | None = None


def play(parts: Iterable[Part], runs: LiveRuns, clock: Clock, seconds: float = MOST_SECONDS) -> tuple[LiveRun, ...]:
    """What became of each part, in order; the next one is asked for when the one before has ended.

    A part that fails, or takes longer than `seconds`, does not stop the others. Only one round at a time may be played.
    """
    runs.break_off()
    played = [_play(part, runs, clock, seconds) for part in parts]
    return tuple(reversed(runs.newest(len(played))))


def due(last: LiveRun | None, part: Part, now: datetime) -> bool:
    """Whether accounts are to be scored, or the champion watched: another day, another model, or other data.

    `last` is the newest that went well.
    """
    if last is None or last.started_at.date() != now.date():
        return True
    return (last.model_version, last.lake_fingerprint) != (part.model_version, part.lake_fingerprint)


def _play(part: Part, runs: LiveRuns, clock: Clock, seconds: float) -> int:
    run = runs.begin(part.name, clock(), part.model_version, part.lake_fingerprint)
    try:
        with at_most(seconds):
            part.do(partial(runs.count, run))
    except CloutError as error:
        runs.end(run, clock(), FAILED, words(str(error)))
    except Exception as error:
        log.exception("%s failed", part.name)
        runs.end(run, clock(), FAILED, words(f"{type(error).__name__}: {error}"))
    except OvertimeError:
        told = f"it took longer than {seconds:g} s; the next round goes on from what it has brought in"
        runs.end(run, clock(), FAILED, told)
    except BaseException:
        runs.end(run, clock(), BROKEN_OFF, "it was told to stop")
        raise
    else:
        runs.end(run, clock(), OK)
    return run


def words(error: str) -> str:
    r"""The words of an error on one line, not too long, and without what may let somebody in.

    >>> words("cannot read https://amy:x@example.org/a?token=y:\n got 429")
    'cannot read https://…@example.org/a?… got 429'
    """
    told = " ".join(CONTROL.sub(" ", error).split())
    for secret, shown in SECRETS:
        told = secret.sub(shown, told)
    return told if len(told) <= LONGEST_ERROR else f"{told[: LONGEST_ERROR - 1]}…"
