"""What an expression does with texts and moments, as functions of one value: only for texts of ASCII characters.

In those polars' regular expressions and Python's know the same letters, digits and spaces. In others they may not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

Told = Callable[[Any], Any]
TOKEN = re.compile(r"\\p\{(?P<letters>\w+)\}|\\.|[\[\]]")
ONE_CHARACTER = re.compile(r"[ \w]|\\S|\\p\{\w+\}|\[\^?(\\p\{\w+\}|[^\\\[\]])+\]")
LETTERS = {"L": "A-Za-z", "Lu": "A-Z", "N": "0-9", "Nd": "0-9"}
OF_TEXTS: dict[str, Told] = {"LenChars": len, "Lowercase": str.lower}
OF_MOMENTS: dict[str, Told] = {
    "Hour": lambda moment: moment.astimezone(UTC).hour,
    "Minute": lambda moment: moment.astimezone(UTC).minute,
    "WeekDay": lambda moment: moment.astimezone(UTC).isoweekday(),
}


def of_text(function: str | Mapping[str, Any], arguments: list[Any]) -> Told | None:
    """What a function says of a text, given its other arguments; None where it is not known here."""
    if function == "StripChars" and arguments == [" "]:
        return lambda text: text.strip(" ")
    if isinstance(function, str):
        return OF_TEXTS.get(function)
    pattern = ascii_pattern(arguments[0])
    told: Told | None = None
    match function, arguments[1:]:
        case {"CountMatches": False}, []:
            told = _counts(arguments[0], pattern)
        case {"Contains": {"literal": False}}, []:
            told = lambda text: pattern.search(text) is not None  # noqa: E731
        case {"Replace": {"n": -1 | 1 as most, "literal": False}}, ["" | " " as other]:
            told = lambda text: pattern.sub(other, text, count=max(0, most))  # noqa: E731
        case {"Extract": group}, []:
            told = lambda text: found[group] if (found := pattern.search(text)) else None  # noqa: E731
    return told


def _counts(written: str, pattern: re.Pattern[str]) -> Told:
    """How often a pattern matches; what matches single characters is counted without looking at each."""
    if not ONE_CHARACTER.fullmatch(written):
        return lambda text: len(pattern.findall(text))
    matched = bytes(code for code in range(128) if pattern.fullmatch(chr(code)))
    return lambda text: len(text) - len(text.encode("ascii").translate(None, matched))


def ascii_pattern(pattern: str) -> re.Pattern[str]:
    r"""The pattern of Rust's regex crate for Python, with the same matches in ASCII texts.

    >>> ascii_pattern(r"#[\p{L}\p{N}_]+|\p{Lu}").findall("a #b_1 C")
    ['#b_1', 'C']
    """
    inside = False

    def translate(found: re.Match[str]) -> str:
        nonlocal inside
        token, letters = found[0], found["letters"]
        if letters is not None:
            return LETTERS[letters] if inside else f"[{LETTERS[letters]}]"
        inside = {"[": True, "]": False}.get(token, inside)
        return token

    return re.compile(TOKEN.sub(translate, pattern), re.ASCII)
