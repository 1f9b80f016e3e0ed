from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from clout.training import watch_report
from clout.training.drift import Drift
from clout.training.ripened import Compared
from clout.training.volume import Volume
from clout.training.watch import Finding, Moved, Watched

HOSTILE = '<script>alert("x")</script>'


def moved(name: str, distance: float, share: float = 0.1) -> Moved:
    bins = ("≤ 1", "≤ 2", "never seen", "missing")
    return Moved(
        Drift(name, distance, 0.12, 0.31, bins, (0.4, 0.6, 0.0, 0.0), (0.2, 0.5, 0.1, 0.2)), share, f"what {name} is"
    )


@pytest.fixture
def told() -> dict[str, Any]:
    """A watch that found much."""
    march = datetime(2024, 3, 1, tzinfo=UTC)
    return Watched(
        version="72e0755c2ed8ab9e",
        since=march,
        through=datetime(2024, 3, 8, tzinfo=UTC),
        reference_from=datetime(2024, 1, 1, tzinfo=UTC),
        reference_through=march,
        posts=1234,
        ripe=567,
        taught=8901,
        inputs=(moved("outcome_log_mean_same_kind_365d", 0.4), *(moved(f"feature_{n}", 0.05) for n in range(20))),
        categories=(moved("lang", 0.3),),
        predictions=(moved("score", 0.02),),
        accuracy=(
            Compared("spearman", 0.5, 0.4, 0.6, 0.7, 0.2, 0.05),
            Compared("skill", None, None, None, 0.17),
        ),
        volume=Volume(30.0, 20.0, 0.1, (19.0, 21.0)),
        rejected=(0.01, 0.02),
        findings=(Finding("data", HOSTILE, retrain=False), Finding("inputs", "it moved", retrain=True)),
    ).told()


class Reader(HTMLParser):
    """Counts what is in a page and holds that tags close in the order they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing; the tag is open, and what it asks for is kept."""
        self.seen.append(tag)
        self.asked += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "link", "br", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Nothing; the tag closed is the one opened last."""
        if tag != "rect":
            assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(told: dict[str, Any]) -> None:
    page = watch_report.page(told)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.asked == ["data:,"]
    assert "script" not in reader.seen
    assert reader.seen.count("svg") == 8 + 1
    assert "&lt;script&gt;" in page
    assert page == watch_report.page(told)


def test_what_drifted_is_shown_first_and_bold(told: dict[str, Any]) -> None:
    rows = watch_report.shown(told)
    assert rows[0]["feature"] == "outcome_log_mean_same_kind_365d"
    assert len(rows) == watch_report.SHOWN
    assert '<tr class="drifted"><td>what outcome_log_mean_same_kind_365d is<br>' in watch_report.page(told)


def test_the_tables_fit_in_80_columns(told: dict[str, Any]) -> None:
    out = StringIO()
    Console(file=out, width=80).print(watch_report.table(told))
    text = out.getvalue()
    assert "…" not in text
    assert "0.400 to 0.600" in text
    assert "30.0 posts a day; stretches as long before had 19.0 to 21.0" in text


def test_a_watch_with_nothing_to_show_still_makes_a_page(told: dict[str, Any]) -> None:
    nothing = told | {"inputs": [], "categories": [], "predictions": [], "accuracy": [], "volume": None, "findings": []}
    page = watch_report.page(nothing | {"act": False, "verdict": "quiet: only 3 posts came since 2024-03-01"})
    assert "<strong>Quiet.</strong> Only 3 posts came since 2024-03-01." in page
    assert "too few to tell how well it does" in page
