"""The JSON of an explained post.

A reason is checked and written once for each value of its feature: only its points change from one post to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import isnan
from typing import Any

from pydantic_core import to_json

from clout.models.explain import Known, Phrasebook, Reasoned
from clout.serving import answers

# Of each feature: as many values as a busy service meets in a while, and a few MB of text.
KEPT_VALUES = 1024
NO_REASONS = b'"reasons":[]'

Parts = tuple[bytes, bytes]


class WrittenReasons:
    """The reasons of the features of a phrasebook as JSON; those that were asked for last are kept."""

    def __init__(self, book: Phrasebook) -> None:
        self._parts: Sequence[Callable[[float | None, bool], Parts]] = [
            lru_cache(KEPT_VALUES)(partial(_parts, known)) for known in book.known
        ]

    def of(self, explained: Reasoned, printed: Sequence[int]) -> bytes:
        """The reasons of the first row as a JSON list; `printed` are their points as integers, by column."""
        values, points = explained.values[0].tolist(), explained.points[0].tolist()
        numbers, parts = to_json(points)[1:-1].split(b","), self._parts
        told = []
        for at in explained.order(0):
            value = values[at]
            before, after = parts[at](None if isnan(value) else value, points[at] < 0)
            told.append(b'%b"points":%b,"points_printed":%d%b' % (before, numbers[at], printed[at], after))
        return b"[%b]" % b",".join(told)


def _parts(known: Known, value: float | None, held_back: bool) -> Parts:  # noqa: FBT001 - part of a key
    """The JSON of a reason before its points, and after them."""
    points = -1.0 if held_back else 1.0
    reason = answers.Reason(**known.told(float("nan") if value is None else value, points), points_printed=0)
    before, after = written(reason).split(b'"points":%b,"points_printed":0' % str(points).encode())
    return before, after


def written(answer: answers.Answer) -> bytes:
    """The JSON of an answer."""
    return answer.__pydantic_serializer__.to_json(answer)


def explained(fields: dict[str, Any], reasons: bytes) -> tuple[answers.Explained, bytes]:
    """The answer with these `fields` but for its reasons, and the JSON of the answer with them."""
    answer = answers.Explained(**fields, reasons=[])
    before, after = written(answer).split(NO_REASONS)
    return answer, b'%b"reasons":%b%b' % (before, reasons, after)
