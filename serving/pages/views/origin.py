"""Where the posts come from that taught a model: whether somebody made them up."""

from __future__ import annotations

import json
from collections.abc import Iterable

PEOPLE = "lurkers"


def told_by_sources(notes: Iterable[str]) -> tuple[list[str], bool]:
    """What sources say of themselves in words, and whether a simulation is among them, which says its parameters.

    >>> told_by_sources(["Posts of members of Congress.", '{"seed": 7, "lurkers": 0.6}'])
    (['Posts of members of Congress.'], True)
    """
    every = list(notes)
    words = [note for note in every if not _is_society(note)]
    return words, len(words) < len(every)


def _is_society(note: str) -> bool:
    try:
        told = json.loads(note)
    except ValueError:
        return False
    return isinstance(told, dict) and PEOPLE in told
