"""What stops a promotion and what does not."""

from __future__ import annotations

import pytest

from clout.training.checks.check import Check, Verdict, passed, run_all, stopping


class AtMostTen(Check[int]):
    """Small numbers pass, large ones are findings, those between are milder."""

    code, title, why = "CLOUT900", "at most ten", ""

    def verdict(self, evidence: int) -> Verdict:
        """As the class says."""
        if evidence > 100:
            return Verdict("finding", f"{evidence}")
        return Verdict("finding", f"{evidence}", "warning") if evidence > 10 else Verdict("passed", f"{evidence}")


@pytest.mark.parametrize(
    ("number", "mute", "stops"),
    [
        (1, {}, False),
        (50, {}, False),
        (500, {}, True),
        (500, {"CLOUT900": "why"}, False),
        (500, {"CLOUT901": "w"}, True),
    ],
)
def test_only_an_error_that_nobody_muted_stops(number: int, mute: dict[str, str], stops: bool) -> None:
    results = run_all([AtMostTen()], number, mute)
    assert passed(results) is not stops
    assert [result["code"] for result in stopping(results)] == ["CLOUT900"] * stops


def test_what_does_not_apply_stops_nothing() -> None:
    assert passed([{"status": "not applicable", "severity": "error"}])


def test_a_result_says_where_to_read_and_how_grave_it_is() -> None:
    told = {"code": "CLOUT900", "title": "at most ten", "detail": "50", "docs": "docs/checks.md#clout900"}
    assert run_all([AtMostTen()], 50, {"CLOUT900": "why"}) == [
        {**told, "severity": "warning", "status": "finding", "muted": "why"}
    ]
