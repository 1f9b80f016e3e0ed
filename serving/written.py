"""The JSON of an explained post.

A reason is checked and written once for each value of its feature: only its points change from one post to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from pydantic_core import to_json

from clout.models.explain import Known, Phrasebook, Reasoned
from clout.serving import answers

# Of each feature: as many values as a busy service meets in a while, and a few MB of text.
KEPT_VALUES = 1024
NO_REASONS = '"reasons":[]'

Parts = tuple[str, str]


class WrittenReasons:
    """The reasons of the features of a phrasebook as JSON; those that were asked for last are kept."""

    def __init__(self, book: Phrasebook) -> None:
        self._parts: Sequence[Callable[[float | None, bool], Parts]] = [
            lru_cache(KEPT_VALUES)(partial(_parts, known)) for known in book.known
        ]

    def of(self, explained: Reasoned, printed: Sequence[int]) -> str:
        """The reasons of the first row as a JSON list; `printed` are their points as integers, by column."""
        values, points = explained.values[0].tolist(), explained.points[0].tolist()
        numbers, parts, told = to_json(points)[1:-1].decode().split(","), self._parts, []
        for at in explained.order(0):
            value = values[at]
            before, after = parts[at](value if value == value else None, points[at] < 0)  # noqa: PLR0124 - not if it is NaN
            told.append(f'{before}"points":{numbers[at]},"points_printed":{printed[at]}{after}')
        return f"[{','.join(told)}]"


def _parts(known: Known, value: float | None, held_back: bool) -> Parts:  # noqa: FBT001 - part of a key
    """The JSON of a reason before its points, and after them."""
    points = -1.0 if held_back else 1.0
    reason = answers.Reason(**known.told(float("nan") if value is None else value, points), points_printed=0)
    before, after = reason.model_dump_json().split(f'"points":{points},"points_printed":0')
    return before, after


def explained(fields: dict[str, Any], reasons: str) -> tuple[answers.Explained, bytes]:
    """The answer with these `fields` but for its reasons, and the JSON of the answer with them."""
    answer = answers.Explained(**fields, reasons=[])
    before, after = answer.model_dump_json().split(NO_REASONS)
    return answer, f'{before}"reasons":{reasons}{after}'.encode()
