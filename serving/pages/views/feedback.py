"""A form by which people report a problem, and what became of a report."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, Self

from pydantic import ConfigDict, Field, ValidationError

from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.pages.views.view import View
from clout.serving.problems import TURNING, Fault, ProblemError, of_validation, shown
from clout.serving.store.feedback import MOST_A_DAY, Feedback, Report

LONGEST_SAID, LONGEST_CONTACT, LONGEST_ACCOUNT, LONGEST_PAGE = 2_000, 200, 500, 500
INVALID = 422
RETRY_SECONDS = "3600"
LINES = frozenset("\n\t")
# Signs that nobody types.
UNSEEN = frozenset({"Cc", "Cs"})
# What is wrong with the name of an account; anything else is not for the form to say.
NAMED_WRONG = frozenset({"unknown_account", "ambiguous_account"})
DETAILS = {
    "no_kind": "got no kind; expected not_me, wrong_data or objection",
    "account_format": "got no account; expected network/id or network/handle, or nothing",
    "unknown_account": "nothing is known of this account; expected one that is known, or nothing",
    "ambiguous_account": "several accounts bear this handle; expected the id of one",
    "no_words": "got no words; expected what is wrong",
    "too_long": "got more than can be kept; expected less",
    "unseen_sign": "got a sign that cannot be kept; expected letters and line ends",
}


class Typed(View):
    """The fields of the form, as they were typed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field("", description="not_me, wrong_data or objection.")
    account: str = Field("", description="The account it is about, as network/name; empty where it is about none.")
    said: str = Field("", description="What is wrong.")
    contact: str = Field("", description="How to reach whoever reports; may be empty.")
    page: str = Field("", description="The address of the page they were on.")

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """The fields that a form has sent; raises a problem where they are others than ours."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise of_validation(error) from error

    def faults(self) -> dict[str, str]:
        """A code for each field that is wrong, but for the account's: whether that is known is not seen here."""
        longest = {
            "account": LONGEST_ACCOUNT,
            "said": LONGEST_SAID,
            "contact": LONGEST_CONTACT,
            "page": LONGEST_PAGE,
        }
        found = {name: "too_long" for name, most in longest.items() if len(getattr(self, name)) > most}
        found |= {name: "unseen_sign" for name in longest if _is_unseen(getattr(self, name), lines=name == "said")}
        if self.kind not in ("not_me", "wrong_data", "objection"):
            found["kind"] = "no_kind"
        return found if self.said.strip() else {**found, "said": "no_words"}


class Form(View):
    """The form, and what is wrong with what was typed into it."""

    status: int = Field(200, exclude=True)
    typed: Typed
    account: str | None = Field(None, description="The account it is about, where it is known.")
    faults: dict[str, str] = Field({}, description="What is wrong, as a code by field.")
    longest: int = Field(LONGEST_SAID, description="How many letters there is room for.")

    def problem(self) -> ProblemError:
        """What is wrong, for programs."""
        errors = [Fault(f"/{field}", DETAILS[code], code) for field, code in self.faults.items()]
        return ProblemError(
            "invalid_content", "; ".join(f"{error.pointer}: {error.detail}" for error in errors), errors
        )


class Reported(View):
    """A report as it stands; what it said, and how to reach whoever said it, is not told to everybody."""

    id: str = Field(description="Its reference.")
    at: datetime = Field(description="When it was sent.")
    kind: Literal["not_me", "wrong_data", "objection"] = Field(description="What it is.")
    account: str | None = Field(description="The account it is about; null where it is about none.")
    state: Literal["open", "closed"] = Field(description="Whether somebody has dealt with it.")
    closed_at: datetime | None = Field(description="When it was dealt with.")
    note: str | None = Field(description="What was done.")


def empty(typed: Typed, asked: Callable[[], Asked]) -> Form:
    """The form before anything was sent; whatever is wrong with the account that an address names is not told yet."""
    name = typed.account.strip()
    known = name and "account" not in typed.faults()
    return Form(typed=typed, account=_account(asked(), name)[0] if known else None)


def send(typed: Typed, asked: Callable[[], Asked], feedback: Feedback, reference: str, now: datetime) -> Form | Report:
    """The report, kept under its reference; or the form again with what is wrong.

    `asked` is called only where an account is named, so that there need not be a model to object.
    """
    faults, account = typed.faults(), None
    if typed.account.strip() and "account" not in faults:
        account, fault = _account(asked(), typed.account.strip())
        faults |= {"account": fault} if fault else {}
    if faults:
        return Form(typed=typed, account=account, faults=faults, status=INVALID)
    words = {name: getattr(typed, name).strip() or None for name in ("contact", "page")}
    report = Report(reference, now, typed.kind, account, typed.said.strip(), **words)
    if not feedback.add(report):
        detail = f"got more than is kept of a day ({MOST_A_DAY:,} reports); expected this one later"
        raise ProblemError("too_much_feedback", detail, (), {"Retry-After": RETRY_SECONDS})
    return report


def reported(feedback: Feedback, reference: str) -> Reported:
    """What became of a report; raises a problem where there is none."""
    found = None if "\0" in reference else feedback.find(reference)
    if found is None:
        told = f"there is no report {shown(reference)}; expected the reference of one, as it was given"
        raise ProblemError("unknown_report", told, [Fault("/path/reference", told, "unknown_report")])
    return Reported.model_validate({name: getattr(found, name) for name in Reported.model_fields})


def _account(asked: Asked, name: str) -> tuple[str | None, str | None]:
    """The id of the account that a name means, and what is wrong with the name."""
    network, _, own = name.partition("/")
    if not network or not own:
        return None, "account_format"
    try:
        return asked.key(Name(network, own, "/account")), None
    except ProblemError as problem:
        if problem.kind.code not in NAMED_WRONG:
            raise
        return None, problem.kind.code


def _is_unseen(text: str, *, lines: bool) -> bool:
    """Whether a text holds what cannot be kept, or would turn around what stands beside it; it may have several `lines`."""
    meant = LINES if lines else frozenset[str]()
    return bool(TURNING.search(text)) or any(
        unicodedata.category(sign) in UNSEEN and sign not in meant for sign in text
    )
