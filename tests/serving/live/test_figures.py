"""What Prometheus and the page on models tell of live sources is what the store holds, and costs no page its answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from asked import Asked
from read_page import HTML, Read
from score_store import day

from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, OK
from clout.serving.store.scores import Store

FIGURES = """
clout_source_last_try_timestamp_seconds{source="club"} 1.7723664e+09
clout_source_last_try_timestamp_seconds{source="square"} 1.7723664e+09
clout_source_last_success_timestamp_seconds{source="club"} 1.77232326e+09
clout_source_ok{source="club"} 0.0
clout_source_ok{source="square"} 1.0
clout_source_rows_total{source="club"} 1234.0
clout_source_rows_total{source="square"} 7.0
clout_source_rejected_rows_total{source="club"} 5.0
clout_source_rejected_rows_total{source="square"} 0.0
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'scores.db'}") as opened:
        yield opened


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Asked:
    """A service without a model; in its store `club` came in and then failed, and `square` is being read."""
    of = store.live_runs
    first = of.begin("club", day(0))
    of.count(first, 1234, 5)
    of.end(first, day(0) + timedelta(minutes=1), OK)
    of.end(of.begin("club", day(0.5)), day(0.5), FAILED, "got <b>429</b>")
    of.count(of.begin("square", day(0.5)), 7, 0)
    kept = AccountStore(lambda: f"sqlite:///{tmp_path / 'scores.db'}")
    return Asked(application(ActiveModel(), lambda: day(1), kept))


def live_rows(client: Asked) -> list[list[str]]:
    page = Read(client.get("/models", headers=HTML))
    found = page.tree.css("section[aria-labelledby=live] tbody tr")
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in found]


def test_prometheus_reads_the_newest_run_of_each_source(client: Asked) -> None:
    said = client.get("/metrics").text
    lines = [line for line in said.splitlines() if line.startswith("clout_source_")]
    assert lines == FIGURES.split("\n")[1:-1]
    assert "clout_store_up 1.0" in said


def test_the_page_tells_the_last_try_and_the_last_success(client: Asked) -> None:
    club, square = live_rows(client)
    assert (club[0], square[0]) == ("club", "square")
    assert "12:00" in club[2]
    assert "00:01" in club[1]
    assert club[3:] == ["failed", "0", "0", "1,234"]
    assert square[1] == "never"
    assert square[3:] == ["goes on", "7", "0", "7"]
    said = Read(client.get("/models", headers=HTML)).words("[aria-labelledby=live]")
    assert "club: failed – got <b>429</b>" in said


def test_programs_get_the_same(client: Asked) -> None:
    club, _ = client.get("/models?format=json").json()["live"]
    assert (club["source"], club["outcome"], club["error"]) == ("club", "failed", "got <b>429</b>")
    assert (club["rows"], club["rows_ever"], club["rejected_ever"]) == (0, 1234, 5)
    assert club["succeeded_at"] == "2026-03-01T00:01:00Z"


def test_scoring_and_watching_are_named(client: Asked, store: Store) -> None:
    begun = store.live_runs.begin("score", day(0.6), "abc", "f")
    store.live_runs.end(begun, day(0.6), BROKEN_OFF)
    store.live_runs.end(store.live_runs.begin("watch", day(0.6), "abc", "f"), day(0.6), OK)
    said = Read(client.get("/models", headers=HTML)).words("[aria-labelledby=live]")
    assert [row[0] for row in live_rows(client)] == ["club", "square"]
    assert "Scoring accounts: broken off" in said
    assert "Scoring accountsnever done, abc" in said
    assert "Watching the championlast done 1 March 2026, 14:24 UTC, abc" in said


def test_where_nothing_was_read_the_page_says_how(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    empty = Asked(application(ActiveModel(), lambda: day(1), AccountStore(lambda: url)))
    assert "clout up" in Read(empty.get("/models", headers=HTML)).words("[aria-labelledby=live]")


def test_without_a_store_the_page_and_the_figures_are_there() -> None:
    without = Asked(application(ActiveModel(), lambda: day(1)))
    assert "cannot be read" in Read(without.get("/models", headers=HTML)).words("[aria-labelledby=live]")
    figures = without.get("/metrics")
    assert figures.status_code == 200
    assert "clout_source_" not in figures.text
