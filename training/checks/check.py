"""What a check is: a code, a verdict, how grave a finding is, and where to read about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

Status = Literal["passed", "finding", "not applicable"]
Severity = Literal["error", "warning"]
Seen = TypeVar("Seen")
PAGE = "docs/checks.md"


class Verdict(NamedTuple):
    """Whether it holds, and the figure looked at in words; `severity` where this finding is milder than the check."""

    status: Status
    detail: str
    severity: Severity | None = None


class Check(Generic[Seen]):
    """One check: a stable code, a title, how grave a finding is, why it is there and what to do on a finding."""

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    why: ClassVar[str]

    def verdict(self, evidence: Seen) -> Verdict:
        """Whether it holds, and the figure in words."""
        raise NotImplementedError

    def run(self, evidence: Seen, mute: Mapping[str, str]) -> dict[str, str]:
        """The result, ready for JSON: code, title, severity, status, detail, docs, and `muted`, the reason, if it is."""
        verdict = self.verdict(evidence)
        return {
            "code": self.code,
            "title": self.title,
            "severity": verdict.severity or self.severity,
            "status": verdict.status,
            "detail": verdict.detail,
            "docs": f"{PAGE}#{self.code.lower()}",
            **({"muted": mute[self.code]} if self.code in mute else {}),
        }


def run_all(checks: Iterable[Check[Seen]], evidence: Seen, mute: Mapping[str, str]) -> list[dict[str, str]]:
    """The results of all `checks`, in order; `mute` has the reason for each code that does not count."""
    return [check.run(evidence, mute) for check in checks]


def stopping(results: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The results that stop a promotion: findings of severity error that nobody has muted."""
    return [
        result
        for result in results
        if result["status"] == "finding" and result["severity"] == "error" and "muted" not in result
    ]


def passed(results: Sequence[Mapping[str, str]]) -> bool:
    """Whether nothing stops a promotion."""
    return not stopping(results)


def held(holds: bool) -> Status:  # noqa: FBT001 - a verdict is a bool
    """The status of what holds, or does not."""
    return "passed" if holds else "finding"


def named(items: Sequence[str], most: int = 3) -> str:
    """The first items in words.

    >>> named(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
