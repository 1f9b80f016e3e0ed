"""Rows that come in over HTTP, as a client meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from threading import Event, Thread

import pytest
from asked import JSON, Asked
from ingest_rows import NOW, action, count, post

from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake
from clout.data.tables import KEYS, NULLABLE, SCHEMAS
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.gate import Access
from clout.serving.edge.layers import Edge
from clout.serving.ingest import inbox as inboxes
from clout.serving.ingest import intake as intakes
from clout.serving.ingest import mover as movers
from clout.serving.ingest.answers import Ingested, RowResult, RowsRequest
from clout.serving.ingest.intake import Intake
from clout.serving.privacy import forget_all
from clout.serving.store.scores import Store

ROWS = {"posts": post(1), "actions": action(1), "counts": count(1)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def intake(home: Path) -> Iterator[Intake]:
    made = Intake(lambda: (home, str(home / "lake")), lambda: NOW)
    yield made
    made._way[0].close()


@pytest.fixture
def ask(intake: Intake) -> Asked:
    """A client of a service that takes rows in and moves none."""
    return Asked(application(ActiveModel(), lambda: NOW, intake=intake))


def waiting(intake: Intake) -> int:
    return intake._way[0].count()


@pytest.mark.parametrize("table", ROWS)
def test_a_row_is_taken_once(ask: Asked, intake: Intake, table: str) -> None:
    for status in ("accepted", "duplicate", "duplicate"):
        answer = ask.post(f"/v1/ingest/{table}", {"rows": [ROWS[table]]})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        told = answer.json()
        assert told["results"] == [{"status": status, "pointer": "/rows/0", "code": None, "detail": None}]
        assert {name: told[name] for name in ("accepted", "duplicate", "rejected")} == {
            "accepted": int(status == "accepted"),
            "duplicate": int(status == "duplicate"),
            "rejected": 0,
        }
    assert waiting(intake) == 1


def test_each_row_has_its_result(ask: Asked, intake: Intake) -> None:
    rows = [post(1), post(1), post(1, text="else"), post(2, account="ann"), post(3, **{"a/b": 1}), post(4, n_urls="x")]
    told = ask.post("/v1/ingest/posts", {"rows": [*rows, post(5)]}).json()
    assert [told[name] for name in ("accepted", "duplicate", "rejected")] == [2, 1, 4]
    assert [(result["status"], result["pointer"], result["code"]) for result in told["results"]] == [
        ("accepted", "/rows/0", None),
        ("duplicate", "/rows/1", None),
        ("rejected", "/rows/2", "conflicting_duplicate"),
        ("rejected", "/rows/3", "id_without_network"),
        ("rejected", "/rows/4/a~1b", "unknown_column"),
        ("rejected", "/rows/5/n_urls", "wrong_type"),
        ("accepted", "/rows/6", None),
    ]
    assert all(bool(result["detail"]) == (result["status"] == "rejected") for result in told["results"])
    again = ask.post("/v1/ingest/posts", {"rows": [post(1, text="else")]}).json()
    assert again["results"][0]["code"] == "conflicting_duplicate"
    assert waiting(intake) == 2


def test_what_is_no_row_does_not_harm_the_others(ask: Asked, intake: Intake) -> None:
    rows = [post(1), 7, {**count(1)}, None, {key: value for key, value in post(2).items() if key != "kind"}]
    told = ask.post("/v1/ingest/posts", {"rows": rows}).json()
    assert [(result["status"], result["pointer"], result["code"]) for result in told["results"]] == [
        ("accepted", "/rows/0", None),
        ("rejected", "/rows/1", "wrong_type"),
        ("rejected", "/rows/2/count", "unknown_column"),
        ("rejected", "/rows/3", "wrong_type"),
        ("rejected", "/rows/4/kind", "missing_value"),
    ]
    assert told["results"][4]["detail"] == "kind is missing"
    assert waiting(intake) == 1


def test_rows_are_counted_and_those_that_wait_too(ask: Asked, intake: Intake, home: Path) -> None:
    assert "clout_inbox_rows 0.0" in ask.get("/metrics").text
    assert not home.exists()
    ask.post("/v1/ingest/posts", {"rows": [post(1), post(2), post(2), {}]})
    told = ask.get("/metrics").text
    assert "clout_inbox_rows 2.0" in told
    for status, rows in (("accepted", 2), ("duplicate", 1), ("rejected", 1)):
        assert f'clout_ingested_rows_total{{status="{status}",table="posts"}} {rows}.0' in told
    intake._way[0].close()
    (home / "inbox.db").write_text("no database")
    assert "clout_inbox_rows NaN" in ask.get("/metrics").text


def test_nothing_good_needs_no_inbox(ask: Asked, home: Path) -> None:
    assert ask.post("/v1/ingest/counts", {"rows": [{}, count(1, count=-1)]}).json()["rejected"] == 2
    assert not (home / "inbox.db").exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_content"),
        ({"rows": []}, 422, "invalid_content"),
        ({"rows": {"0": post(1)}}, 422, "invalid_content"),
        ({"rows": [post(1)], "more": 1}, 422, "invalid_content"),
        ({"rows": [{}] * 1_001}, 422, "invalid_content"),
        ([post(1)], 422, "invalid_content"),
        ({"rows": [post(1, text="x" * 100_000) for _ in range(11)]}, 413, "body_too_large"),
    ],
)
def test_a_body_that_is_none_is_refused_whole(ask: Asked, home: Path, body: object, status: int, code: str) -> None:
    answer = ask.post("/v1/ingest/posts", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not (home / "inbox.db").exists()


@pytest.mark.parametrize("raw", [b"{", b'{"rows": [{"post": "\\ud800"}]}', b"\xff"])
def test_broken_json(ask: Asked, raw: bytes) -> None:
    answer = ask("POST", "/v1/ingest/posts", content=raw, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_json")


def test_who_was_forgotten_does_not_come_in_again_nor_what_was_counted(ask: Asked, home: Path, intake: Intake) -> None:
    assert ask.post("/v1/ingest/posts", {"rows": [post(1)]}).json()["accepted"] == 1
    erase(Lake(home / "lake"), ["f/ann"], ASKED, date(2026, 3, 1))
    told = ask.post("/v1/ingest/posts", {"rows": [post(2), post(3, account="f/ben")]}).json()
    assert [result["code"] for result in told["results"]] == ["forgotten", None]
    again = ask.post("/v1/ingest/posts", {"rows": [post(2)]}).json()
    assert [result["code"] for result in again["results"]] == ["forgotten"]
    intake._way[2].move()
    assert Lake(home / "lake").read("posts")["post"].to_list() == ["f/3"]
    counted = ask.post("/v1/ingest/counts", {"rows": [count(2), count(3)]}).json()
    assert [result["code"] for result in counted["results"]] == ["forgotten", None]


def test_who_is_forgotten_is_gone_from_the_inbox_too(ask: Asked, intake: Intake, home: Path) -> None:
    ask.post("/v1/ingest/posts", {"rows": [post(1), post(2, account="f/ben")]})
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        erased = forget_all(Lake(home / "lake"), store, home, ["f/ann"], ASKED, NOW)
    assert erased.rows == {"inbox": 1}
    assert waiting(intake) == 1


def test_what_was_counted_on_a_post_that_waits_goes_with_its_account_and_stays_out(
    ask: Asked, intake: Intake, home: Path
) -> None:
    """The post itself never came into the lake, which hears of it all the same."""
    ask.post("/v1/ingest/posts", {"rows": [post(1), post(2, account="f/ben")]})
    ask.post("/v1/ingest/counts", {"rows": [count(1), count(2)]})
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        erased = forget_all(Lake(home / "lake"), store, home, ["f/ann"], ASKED, NOW)
    assert erased.rows == {"inbox": 2}
    intake._way[2].move()
    assert Lake(home / "lake").read("counts")["post"].to_list() == ["f/2"]
    later = count(1, happened_at="2026-02-01T12:00:00Z", known_at="2026-02-01T12:00:00Z")
    told = ask.post("/v1/ingest/counts", {"rows": [later]}).json()
    assert [result["code"] for result in told["results"]] == ["forgotten"]


def test_when_too_many_wait_nothing_of_a_request_is_kept(
    ask: Asked, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "MOST_WAITING", 2)
    ask.post("/v1/ingest/posts", {"rows": [post(1)]})
    answer = ask.post("/v1/ingest/posts", {"rows": [post(2), post(3)]})
    assert (answer.status_code, answer.json()["code"]) == (503, "inbox_unavailable")
    assert (answer.headers["retry-after"], waiting(intake)) == ("10", 1)
    assert answer.json()["detail"] == "1 rows wait to be moved to the lake; expected 2 at most"


def test_an_inbox_that_cannot_be_written_is_told_and_why_is_in_the_log(
    ask: Asked, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.touch()
    answer = ask.post("/v1/ingest/posts", {"rows": [post(1)]})
    assert (answer.status_code, answer.json()["code"]) == (503, "inbox_unavailable")
    assert str(home) not in answer.json()["detail"]
    assert str(home) in caplog.text
    assert "Not a directory" in caplog.text


def test_a_service_that_carries_its_data_takes_none() -> None:
    answer = Asked(application(ActiveModel(), lambda: NOW)).post("/v1/ingest/posts", {"rows": [post(1)]})
    assert (answer.status_code, answer.json()["code"]) == (403, "no_intake")
    Intake(lambda: None, lambda: NOW).follow(Event())


def test_it_takes_a_key(intake: Intake) -> None:
    ask = Asked(application(ActiveModel(), lambda: NOW, edge=Edge(Access("never")), intake=intake))
    assert ask.post("/v1/ingest/posts", {"rows": [post(1)]}).json()["code"] == "no_key"


def test_when_enough_wait_they_are_moved_at_once(
    ask: Asked, intake: Intake, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "ENOUGH", 3)
    monkeypatch.setattr(movers, "MOVE_SECONDS", 3600.0)
    stop = Event()
    follower = Thread(target=intake.follow, args=(stop,))
    follower.start()
    for number in range(3):
        ask.post("/v1/ingest/posts", {"rows": [post(number)]})
    for _ in range(3_000):
        if not waiting(intake):
            break
        stop.wait(0.01)
    stop.set()
    intake._way[2].wake.set()
    follower.join()
    assert Lake(home / "lake").read("posts")["post"].to_list() == ["f/0", "f/1", "f/2"]


@pytest.mark.parametrize("table", ROWS)
def test_the_document_shows_a_whole_row_of_each_table(ask: Asked, root: Path, table: str) -> None:
    text = (root / "docs" / "ingest-api.md").read_text()
    [shown] = re.findall(rf"```json {table}\n(.*?)```", text, re.DOTALL)
    row = json.loads(shown)
    assert set(row) == set(SCHEMAS[table])
    assert ask.post(f"/v1/ingest/{table}", {"rows": [row]}).json()["accepted"] == 1
    needed = {name: row[name] for name in row if name not in NULLABLE[table]}
    needed[KEYS[table][0]] = "forum/99"
    assert ask.post(f"/v1/ingest/{table}", {"rows": [needed]}).json()["accepted"] == 1


def test_the_document_shows_what_what_is_answered(ask: Asked, root: Path) -> None:
    text = (root / "docs" / "ingest-api.md").read_text()
    [body], [answer] = (
        re.findall(r"-d '(.*?)'\n```", text, re.DOTALL),
        re.findall(r"```json answer\n(.*?)```", text, re.DOTALL),
    )
    assert ask("POST", "/v1/ingest/posts", content=body, headers=JSON).json() == json.loads(answer)
    told = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r'"(\w+)":', text))
    for schema in (RowsRequest, RowResult, Ingested):
        assert set(schema.model_fields) <= told
