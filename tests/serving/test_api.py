"""The routes as a client meets them."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asked import JSON, Asked

from clout.serving import answers
from clout.serving.accounts import answers as account_answers
from clout.serving.accounts.kept import NO_STORE
from clout.serving.active_model import NO_MODEL, ActiveModel, Loaded
from clout.serving.api import application, curl
from clout.serving.problems import KINDS
from clout.serving.schemas import AccountFactsBody, PostRequest, RecentPostBody
from clout.serving.scoring import explain, model, read_request, score

BODY = b'{"account": "%s", "text": "What did you read this week?"}'


@pytest.fixture
def body(loaded: Loaded) -> bytes:
    return BODY % loaded.example.encode()


@pytest.fixture
def unready(now: datetime) -> Asked:
    return Asked(application(ActiveModel(), lambda: now))


def test_score(client: Asked, loaded: Loaded, now: datetime, body: bytes) -> None:
    answer = client("POST", "/v1/posts:score", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == score(loaded, read_request(body, now), now).model_dump_json()
    assert answer.json()["as_of"].endswith("Z")


def test_times_are_answered_in_utc(client: Asked, loaded: Loaded) -> None:
    body = {"account": loaded.example, "happened_at": "2025-01-20T12:00:00+02:00"}
    told = client.post("/v1/posts:score", body).json()
    assert (told["happened_at"], told["as_of"]) == ("2025-01-20T10:00:00Z", "2025-01-20T10:00:00Z")


def test_explain(client: Asked, loaded: Loaded, now: datetime, body: bytes) -> None:
    answer = client("POST", "/v1/posts:explain", content=body, headers=JSON)
    assert answer.status_code == 200
    assert answer.text == explain(loaded, read_request(body, now), now).model_dump_json()


def test_model(client: Asked, loaded: Loaded) -> None:
    assert client.get("/v1/model").text == model(loaded).model_dump_json()


def test_ready(client: Asked, loaded: Loaded) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    versions = {"model_version": loaded.model.version, "scale_version": "1"}
    assert answer.json() == {"status": "ready", **versions, "refused": None, "store": NO_STORE}


def test_a_champion_that_could_not_be_taken_in_is_told(
    home: Path, tmp_path: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    active = ActiveModel()
    ask = Asked(application(active, lambda: now))
    active.load(home, str(home / "lake"))
    assert "clout_champion_refused 0.0" in ask.get("/metrics").text
    version = active.current().model.version
    broken = Path(shutil.copytree(home, tmp_path / "home"))
    (broken / "bundles" / version / "card.md").write_text("better")
    active.load(broken, str(home / "lake"))
    answer = ask.get("/readyz")
    assert (answer.status_code, answer.json()["model_version"]) == (200, version)
    assert answer.json()["refused"]["version"] == version
    said = "the champion or newer data could not be taken in; see the log of the service"
    assert answer.json()["refused"]["reason"] == said
    assert "card.md changed" in caplog.text
    assert "clout_champion_refused 1.0" in ask.get("/metrics").text
    active.load(home, str(home / "lake"))
    assert ask.get("/readyz").json()["refused"] is None
    assert "clout_champion_refused 0.0" in ask.get("/metrics").text


def test_why_there_is_no_model_is_for_the_log(now: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    active = ActiveModel()
    active.load(tmp_path, str(tmp_path / "lake"))
    ask = Asked(application(active, lambda: now))
    for answer in (ask.get("/readyz"), ask.get("/v1/model"), ask.post("/v1/posts:score", {"account": "commons/1"})):
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (503, "not_ready", NO_MODEL)
        assert answer.headers["retry-after"] == "5"
    assert str(tmp_path) in caplog.text


def test_alive_is_not_ready(unready: Asked, body: bytes) -> None:
    assert unready.get("/livez").json() == {"status": "alive"}
    for answer in (
        unready.get("/readyz"),
        unready.get("/v1/model"),
        unready("POST", "/v1/posts:score", content=body, headers=JSON),
        unready("POST", "/v1/posts:explain", content=body, headers=JSON),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"] == "5"
        assert "is being loaded" in answer.json()["detail"]
    assert unready.get("/").json()["try"] is None
    assert unready.get("/metrics").status_code == 200


def test_metrics_tell_of_scores_and_model(client: Asked, loaded: Loaded, body: bytes) -> None:
    client("POST", "/v1/posts:score", content=body, headers=JSON)
    client("POST", "/v1/posts:score", content=b"{", headers=JSON)
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'clout_requests_total{route="/v1/posts:score",status="200"} 1.0' in answer.text
    assert 'clout_requests_total{route="/v1/posts:score",status="400"} 1.0' in answer.text
    assert f'clout_score_count{{network="{loaded.example.split("/")[0]}"}} 1.0' in answer.text
    assert f'version="{loaded.model.version}"}} 1.0' in answer.text


def test_home_says_where_to_look_and_what_to_try(client: Asked, loaded: Loaded) -> None:
    told = client.get("/").json()
    for path, expected in told["routes"].items():
        options = {"json": {}} if expected == "POST" else {}
        answer = client(expected, path, **options)
        assert answer.status_code in (200, 422) or answer.json()["code"] in (
            "store_unavailable",
            "forbidden",
            "no_intake",
        )
    words = shlex.split(told["try"])
    assert words[:2] == ["curl", "http://127.0.0.1:3000/v1/posts:explain"]
    answer = client("POST", "/v1/posts:explain", content=words[-1], headers=JSON)
    assert (answer.status_code, answer.json()["account"]) == (200, loaded.example)


def test_an_account_with_a_quote_in_its_id_makes_a_line_for_the_shell_still() -> None:
    assert shlex.split(curl("http://a", "t/o'neil"))[-1].startswith('{"account": "t/o\'neil"')


def test_head_and_the_page_of_problems(client: Asked) -> None:
    assert client("HEAD", "/livez").status_code == 200
    assert client.get("/problems").headers["content-type"].startswith("text/html")


def test_the_clock_of_the_edge_is_the_one_used(active: ActiveModel, body: bytes) -> None:
    moments = iter([datetime.fromisoformat("2026-01-01T00:00:00+00:00") + timedelta(days=day) for day in range(2)])
    ask = Asked(application(active, lambda: next(moments)))
    told = [ask("POST", "/v1/posts:score", content=body, headers=JSON).json()["happened_at"] for _ in range(2)]
    assert told == ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]


def test_the_document_tells_every_field_and_problem(root: Path) -> None:
    text = (root / "docs" / "serving.md").read_text()
    for kind in KINDS.values():
        assert f"| `{kind.code}` | {kind.status} | {kind.advice} |" in text
    told = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r'"(\w+)":', text))
    accounts = [
        model
        for model in vars(account_answers).values()
        if isinstance(model, type) and model.__module__ == account_answers.__name__
    ]
    for schema in (PostRequest, AccountFactsBody, RecentPostBody, answers.Explained, answers.Reason, *accounts):
        assert set(schema.model_fields) <= told


def test_the_documents_requests_are_understood(root: Path, now: datetime) -> None:
    blocks = re.findall(r"```json request\n(.*?)```", (root / "docs" / "serving.md").read_text(), re.DOTALL)
    assert [read_request(block, now).network_name for block in blocks] == ["twitter", "twitter"]
