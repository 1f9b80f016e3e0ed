"""Values as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LARGEST_LOG = 30.0


def say(value: float, unit: str) -> str:
    """A value with its unit, in words.

    Some units say how the value is kept: "… (typical)" as log1p of a count, "times …" as the logarithm of a
    factor, "of …" as a share.

    >>> say(math.log1p(1250), "actions (typical)"), say(math.log(1.25), "times your usual")
    ('about 1,250 actions', '1.2 times your usual')
    >>> say(0.25, "of the posts"), say(12.3, "hours"), say(1, "posts"), say(1234567.8, "followers")
    ('25 % of the posts', '12.3 hours', '1 post', '1,234,568 followers')
    >>> say(14.51, "o'clock (UTC)"), say(5, "(1 is Monday)"), say(1, "yes or no")
    ("14:30 o'clock (UTC)", 'Friday', 'yes')
    >>> say(0.04321, ""), say(1e-9, "hours"), say(9.96, "days")
    ('0.043', 'almost 0 hours', '10.0 days')
    """
    if unit in SAID:
        return SAID[unit](value)
    if unit.endswith("(typical)"):
        return f"about {_counted(math.expm1(min(value, LARGEST_LOG)), unit.removesuffix('(typical)').strip())}"
    if unit.startswith("times "):
        return _factor(_number(math.exp(min(value, LARGEST_LOG))), unit)
    if unit.startswith("of "):
        return f"{_number(100 * value)} % {unit}"
    return _counted(value, unit)


def _clock(value: float) -> str:
    minutes = int(value * 60 + 1e-6)
    return f"{minutes // 60}:{minutes % 60:02d} o'clock (UTC)"


def _factor(number: str, unit: str) -> str:
    return f"about {unit.removeprefix('times ')}" if number in {"1", "1.0"} else f"{number} {unit}"


def _counted(value: float, unit: str) -> str:
    number = _number(value)
    one = number == "1" and " or " not in unit
    return f"{number} {unit.removesuffix('s') if one else unit}".strip()


def _number(value: float) -> str:
    size = abs(value)
    if size >= 100 or math.isclose(value, round(value), rel_tol=1e-9):
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.1f}"
    return f"{value:.2g}" if size >= 0.001 else "almost 0"


SAID: dict[str, Callable[[float], str]] = {
    "o'clock (UTC)": _clock,
    "(1 is Monday)": lambda value: WEEKDAYS[(round(value) - 1) % 7],
    "yes or no": lambda value: "yes" if value else "no",
}
