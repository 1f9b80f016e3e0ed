"""What may become of a post before it is published: what was typed, what the model says of it, what would help."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError

from clout.models.step_words import NOTHING
from clout.serving import scoring
from clout.serving.active_model import Loaded
from clout.serving.answers import Explained, Reason
from clout.serving.drafts import judged
from clout.serving.drafts.answers import BestTime, Hour, Suggestion
from clout.serving.drafts.ideas import URL
from clout.serving.pages.views.named import network_and_name
from clout.serving.pages.views.view import View
from clout.serving.problems import ProblemError, of_validation
from clout.serving.schemas import PostRequest

FEW = 4
ONE_LINK = "1"
# What is wrong with a post that was typed; anything else is not for the form to say.
TYPED_WRONG = frozenset({"invalid_content", "unknown_account", "unknown_network"})
FIELDS = {"account": "account", "network": "account", "handle": "account", "happened_at": "when", "n_media": "media"}
OF_THE_WHOLE = {"no_account": "account"}


class Typed(View):
    """The fields of the form, as they were typed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = Field("", description="Whose post it is, as network/name.")
    text: str = Field("", description="What it says.")
    media: Literal["0", "1", "2", "3", "4"] = Field("0", description="Pictures and videos in it.")
    kind: Literal["original", "reply", "quote"] = Field("original", description="original, reply or quote.")
    link: Literal["", "1"] = Field("", description="1 where it will have a link that is not in the text yet.")
    when: str = Field("", description="When it is published, in UTC; empty is now.")
    hours: Literal["", "1"] = Field("", description="1 where the best hours are asked for.")

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """The fields that a form has sent; raises a problem where they are others than ours."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise of_validation(error) from error

    def post(self, loaded: Loaded, now: datetime) -> PostRequest:
        """The post they describe; raises a problem where there is none."""
        post = {
            **_named(loaded, self.account.strip()),
            "text": self.text,
            "kind": self.kind,
            "n_media": int(self.media),
            "n_urls": 1 if self.link and not URL.search(self.text) else None,
            "happened_at": f"{self.when}Z" if self.when else None,
        }
        try:
            return PostRequest.model_validate(post, context={"now": now})
        except ValidationError as error:
            raise of_validation(error) from error

    def after(self, change: Mapping[str, Any]) -> Typed:
        """The form after a change to the post; a link that was in the text already is not another one to come."""
        told: dict[str, str] = {"link": "" if URL.search(self.text) else self.link}
        if "text" in change:
            told["text"] = change["text"]
        if "n_media" in change:
            told["media"] = str(change["n_media"])
        if "n_urls" in change:
            told["link"] = ONE_LINK if change["n_urls"] else ""
        if "happened_at" in change:
            told["when"] = f"{change['happened_at']:%Y-%m-%dT%H:%M}"
        return self.model_copy(update=told)


def _named(loaded: Loaded, account: str) -> dict[str, str]:
    """The account as a request names it: by its id where there is one, else by its handle."""
    if not account:
        return {}
    network, name = network_and_name(loaded, account)
    key = f"{network}/{name}"
    return {"account": key} if key in loaded.accounts else {"network": network, "handle": name}


class Fault(View):
    """What is wrong with a field."""

    field: str = Field(description="The field of the form.")
    code: str = Field(description="What is wrong, as a stable code.")
    detail: str = Field(description="What was got and what was expected.")


class Idea(View):
    """A single change that the model says would help."""

    code: str = Field(description="The feature it is about.")
    sentence: str = Field(description="What to do.")
    points: float = Field(description="Points more than the draft as it is.")
    score: float = Field(description="The score then.")
    typed: Typed = Field(description="The form after the change.")


class Said(View):
    """What the model says of a draft."""

    score: Explained
    helping: list[Reason] = Field(description="The reasons that added most, at most four.")
    holding_back: list[Reason] = Field(description="The reasons that took most, at most four.")
    ideas: list[Idea] = Field(description="Single changes worth more than a point, best first.")
    nothing: str | None = Field(description="Said where there are none.")
    hours: BestTime | None = Field(description="The best hours; null unless asked for.")

    def days(self) -> list[list[Hour]]:
        """The hours of the week, one list for each day of it from midnight on, the draft's own day first."""
        hours = self.hours.hours if self.hours else []
        rows: dict[int, list[Hour]] = {}
        for hour in hours:
            rows.setdefault(hour.happened_at.weekday(), []).append(hour)
        return [sorted(row, key=lambda hour: hour.happened_at.hour) for row in rows.values()]

    def ends(self) -> tuple[float, float]:
        """The lowest and the highest score of an hour."""
        scores = [one.score for one in self.hours.hours] if self.hours else []
        return min(scores), max(scores)

    def depth(self, hour: Hour, low: float, high: float) -> float:
        """How dark an hour is drawn: 1 the best of the week, near 0 the worst."""
        return round(0.08 + 0.92 * (hour.score - low) / (high - low), 2) if high > low else 0.5


class Draft(View):
    """The form, and what the model says of the post in it, or what is wrong with it."""

    status: int = Field(200, exclude=True)
    typed: Typed
    said: Said | None = Field(
        None, description="What the model says; null where nothing was asked or something is wrong."
    )
    faults: list[Fault] = Field([], description="What is wrong with the fields.")
    example: str = Field(description="An account that is known.")
    networks: list[str] = Field(description="The networks that the model knows.")

    def wrong(self, field: str) -> bool:
        """Whether something is wrong with a field."""
        return any(fault.field == field for fault in self.faults)


def empty(loaded: Loaded, typed: Typed) -> Draft:
    """The form before anything was asked."""
    return Draft(typed=typed, **_known(loaded))


def judge(loaded: Loaded, typed: Typed, now: datetime) -> Draft:
    """What the model says of the post that was typed, or what is wrong with it."""
    try:
        return Draft(typed=typed, said=_said(loaded, typed, now), **_known(loaded))
    except ProblemError as problem:
        if problem.kind.code not in TYPED_WRONG:
            raise
        return Draft(typed=typed, faults=_faults(problem), status=problem.kind.status, **_known(loaded))


def _known(loaded: Loaded) -> dict[str, Any]:
    return {"example": loaded.example, "networks": list(loaded.model.networks)}


def _said(loaded: Loaded, typed: Typed, now: datetime) -> Said:
    post = typed.post(loaded, now)
    score = scoring.explain(loaded, post, now)
    found = judged.suggested(loaded, post, score, now)
    return Said(
        score=score,
        helping=[reason for reason in score.reasons if reason.points_printed > 0][:FEW],
        holding_back=[reason for reason in score.reasons if reason.points_printed < 0][:FEW],
        ideas=[_idea(typed, one) for one in found],
        nothing=None if found else NOTHING,
        hours=judged.best_time(loaded, post, now) if typed.hours else None,
    )


def _idea(typed: Typed, told: Suggestion) -> Idea:
    return Idea(
        code=told.code,
        sentence=told.sentence,
        points=told.points_gained,
        score=told.score,
        typed=typed.after(told.change),
    )


def _faults(problem: ProblemError) -> list[Fault]:
    """What is wrong by field; a field is named once."""
    faults: dict[str, Fault] = {}
    for fault in problem.errors:
        name = fault.pointer.split("/")[1] if fault.pointer else OF_THE_WHOLE.get(fault.code, "text")
        field = FIELDS.get(name, name)
        faults.setdefault(field, Fault(field=field, code=fault.code, detail=fault.detail))
    return list(faults.values())
