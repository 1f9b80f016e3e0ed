"""Accounts side by side, and what makes the difference between the first and each other, from the answers programs get."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from starlette.datastructures import QueryParams

from clout.serving.accounts import answers, others, told
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.pages.views.named import network_and_name
from clout.serving.pages.views.view import View
from clout.serving.problems import Fault, ProblemError

MOST, FEW = 5, 8


class Unknown(View):
    """A name that was asked for, and why there is nothing to show for it."""

    name: str = Field(description="What was asked for.")
    code: str = Field(description="Why there is nothing: the code of the problem.")
    detail: str = Field(description="What was got and what was expected.")


class Against(View):
    """Why the first account's score is higher, or lower, than another's."""

    other: answers.AccountScore
    told: answers.Difference
    most: list[answers.ReasonDifference] = Field(description="The reasons that make most of it, largest first.")
    rest: int = Field(description="Points of all other reasons.")
    notes: list[str] = Field(description="What to mind when the two are compared.")


class Compare(View):
    """Accounts side by side, and the first against each other."""

    status: int = Field(200, exclude=True)
    asked: list[str] = Field(description="The names that were asked for.")
    accounts: list[answers.AccountScore] = Field([], description="The accounts, the first of them first.")
    against: list[Against] = Field([], description="The first against each other.")
    unknown: list[Unknown] = Field([], description="Names for which there is nothing to show.")
    twice: list[str] = Field([], description="Accounts that were named more than once, and are shown once.")
    example: str = Field(description="An account that is known.")


def names(query: QueryParams) -> list[str]:
    """The accounts that an address asks for, at most five of them; fields left empty ask for nothing."""
    given = [name.strip() for name in query.getlist("with") if name.strip()]
    if len(given) > MOST:
        told = f"got {len(given)} accounts; expected at most {MOST}, each as with=network/handle"
        raise ProblemError("invalid_query", told, [Fault("/query/with", told, "number_of_accounts")])
    return given


def compare(asked: Asked, given: Sequence[str]) -> Compare:
    """The accounts that bear the names, without those that are not known, of which it is told why."""
    known: dict[str, answers.AccountScore] = {}
    unknown, twice, status = [], [], 200
    for name in given:
        try:
            score = told.score(asked, _name(asked, name))
        except ProblemError as problem:
            unknown.append(Unknown(name=name, code=problem.errors[0].code, detail=problem.detail))
            status = problem.kind.status
            continue
        if score.account in known:
            twice.append(score.account)
        known.setdefault(score.account, score)
    return Compare(
        status=200 if known else status,
        asked=list(given),
        accounts=list(known.values()),
        against=_against(asked, list(known.values())),
        unknown=unknown,
        twice=list(dict.fromkeys(twice)),
        example=asked.loaded.example,
    )


def _name(asked: Asked, typed: str) -> Name:
    """The account that somebody named."""
    return Name(*network_and_name(asked.loaded, typed), "/query/with")


def _against(asked: Asked, accounts: Sequence[answers.AccountScore]) -> list[Against]:
    """The first account against each other."""
    if len(accounts) < 2:
        return []
    mine, *theirs = [_name(asked, account.account) for account in accounts]
    told = others.compare(asked, mine, theirs).differences
    return [_one(*pair) for pair in zip(accounts[1:], told, strict=True)]


def _one(other: answers.AccountScore, told: answers.Difference) -> Against:
    seen = sorted((reason for reason in told.reasons if reason.printed), key=lambda reason: -abs(reason.printed))
    return Against(
        other=other,
        told=told,
        most=seen[:FEW],
        rest=sum(reason.printed for reason in seen[FEW:]),
        notes=[note for note in (others.OTHER_SCALE, others.OTHER_MODEL) if note in (told.note or "")],
    )
