"""The service answers as its description says, whatever is asked: schemathesis tries it, in all of its phases."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzed import fuzz
from scored_home import NOW, Scored
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.ingest.intake import Intake

EXAMPLES = 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_no_answer_is_other_than_described(scored: Scored, tmp_path: Path) -> None:
    own = ActiveModel()  # which may forget an account
    own._current = scored.active.current()
    store, intake = AccountStore(lambda: scored.url), Intake(lambda: (tmp_path, str(tmp_path / "lake")), lambda: NOW)
    app = application(own, lambda: NOW, store, lambda: lambda _: {"posts": 1}, intake=intake)
    found = fuzz(app, scored.accounts, EXAMPLES)
    assert not found.failures, "\n\n".join(f"{key}: {said}" for key, said in found.failures.items())
    assert found.requests > 1000
    assert {200, 400, 404, 405, 415, 422} <= set(found.statuses)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("status", "body", "title"), [(500, {}, "Server error"), (200, {"status": 5}, "Response violates schema")]
)
def test_what_is_not_as_described_is_found(scored: Scored, status: int, body: object, title: str) -> None:
    async def live(_: Request) -> JSONResponse:
        """That the process answers."""
        return JSONResponse(body, status)

    app = application(scored.active, lambda: NOW)
    app.routes.insert(0, Route("/livez", live))
    assert title in {said for _, said in fuzz(app, scored.accounts, 1, only="livez", phases=["fuzzing"]).failures}
