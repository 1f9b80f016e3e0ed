"""A store that stops answering is told to everybody by kind, and to the log once, with the reason."""

from __future__ import annotations

import logging
from threading import Event

import pytest
from asked import Asked
from scored_home import NOW, Scored

from clout.serving import store_watch
from clout.serving.accounts.kept import NOWHERE, AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.store.rows import StoreError
from clout.serving.store_watch import DOWN

REASON = "the score store postgresql://ann@db.example/scores cannot be used"


class Moody(AccountStore):
    """A store that says whether it answers as its mood is."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.mood, self.asked, self.go = "ok", 0, Event()

    def state(self) -> str:
        """The mood; one that hangs waits until it may go on."""
        self.asked += 1
        if self.mood == "hangs":
            self.go.wait(10)
        if self.mood == "breaks":
            raise StoreError(REASON)
        return self.mood


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if "score store" in record.message]


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.parametrize("mood", [REASON, "breaks"])
def test_it_is_told_when_it_changes(scored: Scored, caplog: pytest.LogCaptureFixture, path: str, mood: str) -> None:
    store = Moody()
    ask = Asked(application(scored.active, lambda: NOW, store))
    with caplog.at_level(logging.INFO, "clout.serving"):
        ask.get(path)
        assert "clout_store_up 1.0" in ask.get("/metrics").text
        assert lines(caplog) == []
        store.mood = mood
        for _ in range(3):
            ask.get(path)
        assert "clout_store_up 0.0" in ask.get("/metrics").text
        [stopped] = lines(caplog)
        assert REASON in stopped
        store.mood = "ok"
        for _ in range(3):
            ask.get(path)
    assert lines(caplog) == [stopped, "the score store answers again"]
    assert "clout_store_up 1.0" in ask.get("/metrics").text


def test_why_is_for_the_log_alone(scored: Scored) -> None:
    store = Moody()
    store.mood = REASON
    ready = Asked(application(scored.active, lambda: NOW, store)).get("/readyz")
    assert (ready.status_code, ready.json()["code"], ready.json()["detail"]) == (503, "store_unavailable", DOWN)
    assert ready.headers["retry-after"] == "5"


def test_one_that_hangs_is_told_in_time_and_asked_once(scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_watch, "STORE_SECONDS", 0.02)
    store = Moody()
    store.mood = "hangs"
    ask = Asked(application(scored.active, lambda: NOW, store))
    try:
        answers = [ask.get("/readyz") for _ in range(3)]
        assert "clout_store_up 0.0" in ask.get("/metrics").text
    finally:
        store.mood = "ok"
        store.go.set()
    assert [(ready.status_code, ready.json()["detail"]) for ready in answers] == [(503, DOWN)] * 3
    while ask.get("/readyz").status_code != 200:
        pass
    assert store.asked <= 2


def test_where_there_is_none_nothing_is_wrong() -> None:
    ask = Asked(application(ActiveModel(), lambda: NOW, NOWHERE))
    assert "clout_store_up 1.0" in ask.get("/metrics").text
