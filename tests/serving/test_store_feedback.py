"""What people reported is kept as they said it, within bounds, and goes with the account it is about."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from score_store import day, record, run
from sqlalchemy import text

from clout.serving.store import feedback
from clout.serving.store.engine import open_engine, writing
from clout.serving.store.feedback import Report
from clout.serving.store.rows import StoreError
from clout.serving.store.scores import Store

SAID = "Das bin ich nicht: <b>'\";--\n\N{GRINNING FACE} \N{HEBREW LETTER SHIN}"
REPORT = Report("aa", day(0), "not_me", "x/1", SAID, "amy@example.org", "/why/x/1")
BARE = Report("ab", day(1), "wrong_data", None, "The page is empty.", None, None)


def test_a_report_comes_back_as_it_was(store: Store) -> None:
    assert store.feedback.add(BARE)
    assert store.feedback.add(REPORT)
    assert store.feedback.all() == store.feedback.open() == (REPORT, BARE)
    assert store.feedback.of("x/1") == (REPORT,)
    assert store.feedback.find("ab") == BARE
    assert store.feedback.find("zz") is None


def test_two_reports_of_one_id_are_refused(store: Store) -> None:
    store.feedback.add(REPORT)
    with pytest.raises(StoreError, match="refused a row"):
        store.feedback.add(replace(REPORT, said="other"))
    assert store.feedback.all() == (REPORT,)


def test_closing_is_for_good(store: Store) -> None:
    store.feedback.add(REPORT)
    store.feedback.add(BARE)
    closed = replace(REPORT, closed_at=day(2), note="Erased.")
    assert store.feedback.close("aa", day(2), "Erased.") == closed
    assert store.feedback.close("aa", day(3), "Again.") == closed
    assert store.feedback.close("zz", day(3), None) is None
    assert store.feedback.open() == (BARE,)
    assert store.feedback.all() == (closed, BARE)
    assert (closed.state, BARE.state) == ("closed", "open")


def test_no_more_are_kept_of_a_day_than_so_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_A_DAY", 2)
    kept = [store.feedback.add(replace(BARE, id=str(number), at=day(number / 4))) for number in range(6)]
    assert kept == [True, True, False, False, True, True]
    assert len(store.feedback.all()) == 4


def test_no_more_are_open_than_so_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_OPEN", 1)
    assert store.feedback.add(REPORT)
    assert not store.feedback.add(BARE)
    store.feedback.close("aa", day(1), None)
    assert store.feedback.add(BARE)


def test_forgetting_an_account_takes_what_was_said_of_it(store: Store) -> None:
    store.write(store.begin(run(0)), [record(0)])
    other = replace(REPORT, id="ac", account="x/2")
    for report in (REPORT, BARE, other):
        store.feedback.add(report)
    assert store.forget("x/1") == {"scores": 1, "feedback": 1}
    assert store.feedback.all() == (other, BARE)


def test_its_bytes_are_gone_too(tmp_path: Path) -> None:
    file = tmp_path / "scores.db"
    with Store.open(f"sqlite:///{file}") as store:
        store.feedback.add(replace(REPORT, said="a word found nowhere else: quagga"))
        store.forget("x/1")
        assert all(b"quagga" not in part.read_bytes() for part in tmp_path.iterdir())
    assert sqlite3.connect(file).execute("SELECT count(*) FROM feedback").fetchone() == (0,)


def test_an_account_is_shown_what_was_said_of_it_but_not_by_whom(store: Store) -> None:
    store.feedback.add(REPORT)
    store.feedback.close("aa", day(2), "Seen.")
    [told] = store.all_of("x/1")["feedback"]
    assert told == {
        "id": "aa",
        "at": "2026-03-01T00:00:00+00:00",
        "kind": "not_me",
        "account": "x/1",
        "said": SAID,
        "page": "/why/x/1",
        "closed_at": "2026-03-03T00:00:00+00:00",
        "note": "Seen.",
        "state": "closed",
    }
    assert store.all_of("x/2")["feedback"] == []


def test_a_store_from_before_there_was_feedback_keeps_its_scores(store: Store, store_url: str) -> None:
    store.write(store.begin(run(0)), [record(0)])
    engine = open_engine(store_url)
    with writing(engine) as connection:
        for table in ("feedback", "usual", "live_runs"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE store_version SET version_num = '0002'"))
    engine.dispose()
    with Store.open(store_url) as again:
        assert again.feedback.add(REPORT)
        assert again.feedback.all() == (REPORT,)
        assert again.latest("x/1") == record(0)
