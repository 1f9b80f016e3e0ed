"""Numbers as people read them."""

from __future__ import annotations

import math


def say(value: float, unit: str) -> str:
    """A value with its unit, in words.

    Units ending in "(typical)" mark values on a log1p scale, which are said as counts; units that start with
    "of " mark shares, which are said in per cent.

    >>> say(math.log1p(1250), "actions (typical)"), say(0.25, "of the posts"), say(12.3, "hours")
    ('about 1,250 actions', '25 % of the posts', '12.3 hours')
    >>> say(3, "posts"), say(0.04321, ""), say(1234567.8, "followers")
    ('3 posts', '0.043', '1,234,568 followers')
    """
    if unit.endswith("(typical)"):
        return f"about {_number(math.expm1(value))} {unit.removesuffix('(typical)').strip()}"
    if unit.startswith("of "):
        return f"{_number(100 * value)} % {unit}"
    return f"{_number(value)} {unit}".strip()


def _number(value: float) -> str:
    size = abs(value)
    if value == round(value) or size >= 100:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.1f}"
    return f"{value:.2g}" if size >= 0.001 else "almost 0"
