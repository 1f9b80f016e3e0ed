"""What advice was worth where the truth is known: figures that pages say beside it."""

from __future__ import annotations

from pydantic import Field

from clout.serving.pages.measured import measured
from clout.serving.pages.views.view import View


class Helped(View):
    """What steps brought accounts that took them."""

    accounts: int
    raised: float = Field(description="The share for whom people then truly reacted more.")
    raised_low: float
    raised_high: float
    points_said: float = Field(description="The points that were foreseen, in the mean.")
    points_true: float = Field(description="The points that it truly was.")


class Recourse(View):
    """What our advice is worth, measured on a made-up society whose truth is known."""

    people: int
    accounts: int
    with_suggestion: int = Field(description="Accounts for which a step was found.")
    first: Helped = Field(description="The first step that each was told.")
    by_chance: Helped = Field(description="A step picked by chance.")


def advice_tested() -> Recourse | None:
    """What our advice is worth; None where nobody has measured it."""
    told = measured("recourse")
    return None if told is None else Recourse.model_validate(told)
