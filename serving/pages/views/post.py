"""A published post: the score it would have been given just before it was published, and what it really drew."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from clout.features.request import Draft
from clout.serving import answers, scoring
from clout.serving.accounts.told import Asked
from clout.serving.active_model import Loaded
from clout.serving.answers import Explained, Reason
from clout.serving.pages.views.view import View
from clout.serving.problems import Fault, ProblemError, shown

FEW = 4
ALL = "actions"
RESHARE = "reshare"
TWO_LETTERS = re.compile("[a-z]{2}")
OF_A_DRAFT = tuple(name for name in Draft.__dataclass_fields__ if name != "happened_at")


class Drawn(View):
    """One kind of reaction, or all of them by their values: what was expected, and what came."""

    kind: str = Field(description="`actions` for all by their values, else one kind.")
    expected: float = Field(description="The number expected.")
    low: float = Field(description="Lower end of what was likely.")
    high: float = Field(description="Upper end.")
    drew: float | None = Field(description="The number that came; null where it is not known.")
    place: Literal["below", "inside", "above"] | None = Field(
        description="Where that lies beside what was likely; null where it is not known."
    )


class Post(View):
    """A post with all that its page says of it; nobody who reacted to it is named."""

    post: str = Field(description="Its id.")
    account: str = Field(description="Whose it is.")
    text: str | None = Field(description="What it says; null where that is not known.")
    lang: str | None = Field(description="The language of the text.")
    kind: str = Field(description="original, reply or quote.")
    n_media: int | None = Field(description="Pictures and videos in it; null where that is not known.")
    explained: Explained = Field(description="The score it would have been given just before, and why.")
    helping: list[Reason] = Field(description="The reasons that added most, at most four.")
    holding_back: list[Reason] = Field(description="The reasons that took most, at most four.")
    drawn: list[Drawn] = Field(description="What was expected beside what came, all reactions first.")
    ripe_at: datetime = Field(description="Reactions until then count.")
    waits: bool = Field(description="Whether the data end before that, so that nobody knows yet.")
    learned: bool = Field(description="Whether the model may have learned from what this very post drew.")

    def spoken(self) -> str | None:
        """The language of the text where it is one that a browser knows; networks have codes of their own beside them."""
        return self.lang if self.lang and TWO_LETTERS.fullmatch(self.lang) else None


def post(asked: Asked, name: str) -> Post:
    """All that is told of a post on its page; raises a problem where there is none."""
    loaded = asked.loaded
    row = _row(loaded, name)
    measured = scoring.measure_draft(loaded, _draft(row))
    explained, drew = scoring.tell_why(loaded, measured), loaded.published.drew(name)
    ripe_at = row["happened_at"] + loaded.past.horizon
    through, learned_until = loaded.past.through.get(row["network"]), loaded.model.data["data_through"]
    return Post(
        **{field: row[field] for field in ("post", "account", "text", "lang", "kind", "n_media")},
        explained=explained,
        helping=[reason for reason in explained.reasons if reason.points_printed > 0][:FEW],
        holding_back=[reason for reason in explained.reasons if reason.points_printed < 0][:FEW],
        drawn=_drawn(explained.expected, drew or {}),
        ripe_at=ripe_at,
        waits=drew is None and (through is None or ripe_at > through),
        learned=learned_until is not None and ripe_at <= datetime.fromisoformat(learned_until),
    )


def _row(loaded: Loaded, name: str) -> dict[str, Any]:
    """The post as the lake has it; raises a problem unless it is its account's own, and can be judged."""
    row = loaded.published.find(name)
    if row is None or row["account"] not in loaded.accounts:
        told = f"nothing is known of the post {shown(name)}; expected the id of a published post, as network/id"
        raise ProblemError("unknown_post", told, [Fault("/path/id", told, "unknown_post")])
    if row["kind"] == RESHARE:
        told = f"{shown(name)} is a reshare of another post; expected a post of its account's own"
        raise ProblemError("no_own_post", told, [Fault("/path/id", told, "no_own_post")])
    scoring.check_network(loaded, row["network"], "/path/id")
    return row


def _draft(row: dict[str, Any]) -> Draft:
    return Draft(happened_at=row["happened_at"], **{field: row[field] for field in OF_A_DRAFT})


def _drawn(expected: dict[str, answers.Expected], drew: dict[str, float | None]) -> list[Drawn]:
    """What was expected of each kind beside what came."""
    came = {**drew, ALL: drew.get("outcome")}
    return [
        Drawn(
            kind=kind,
            expected=told.value,
            low=told.low,
            high=told.high,
            drew=came.get(kind),
            place=_place(told, came.get(kind)),
        )
        for kind, told in sorted(expected.items(), key=lambda pair: pair[0] != ALL)
    ]


def _place(expected: answers.Expected, drew: float | None) -> Literal["below", "inside", "above"] | None:
    if drew is None:
        return None
    return "below" if drew < expected.low else "above" if drew > expected.high else "inside"
