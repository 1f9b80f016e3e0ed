"""Whether broken bodies ever break the service: good ones, each with some of it made odd, sent to every address that takes one.

Usage: python bench/fuzz.py [--bodies N] [--seed N] [--json]

The application runs in this process, with a small society and a model trained on it. Ends with 1 when an answer is a 5xx;
the bodies that led there are printed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import httpx
import typer
from measuring.tables import show

from clout.display import print_json
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.ingest.intake import Intake
from clout.serving.openapi.document import address, method
from clout.serving.openapi.operations import OPERATIONS
from clout.serving.openapi.routes import described

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fixtures"))
import served_home

NOW = datetime(2025, 2, 15, 12, tzinfo=UTC)
HERE = "http://127.0.0.1:3000"
MOST_SHOWN = 20
FACTS = {
    "created_at": "2019-05-01T00:00:00Z",
    "followers": 1250,
    "verified": False,
    "recent": [{"happened_at": "2025-01-20T09:00:00Z", "counts": {"like": 12}, "kind": "original", "n_media": 0}],
}
FULL = {
    "text": "What did you read this week? https://example.org #books @amy",
    "lang": "en",
    "happened_at": "2025-02-16T14:30:00Z",
    "kind": "reply",
    "n_media": 1,
    "n_urls": None,
}
TEXTS = (
    "",
    " ",
    "\0",
    "\ud800",
    "é" * 300,
    "🙂" * 50,
    "/",
    "a/b",
    "@",
    "#",
    "?" * 999,
    "NaN",
    "-1",
    "1e999",
    "%00",
    "\u202e",
)
TIMES = ("2025-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2025-02-15T12:00", "2025-02-15")
NUMBERS = (0, -1, 1, 1.5, 1e308, -0.0, 2**31, 2**63, 2**64, 10**400, float("nan"), float("inf"), True)
ODD: tuple[Any, ...] = (*TEXTS, *TIMES, *NUMBERS, None, [], {}, [[]], {"": {}}, [None] * 50)


def good(accounts: list[str], draw: random.Random) -> dict[str, Any]:
    """A body that each address understands, by what it is about."""
    post = {"account": draw.choice(accounts), **{name: FULL[name] for name in FULL if draw.random() < 0.5}}
    if draw.random() < 0.15:
        post = {"network": post["account"].split("/")[0], "account_facts": FACTS}
    return {
        "post": post,
        "/v1/scores:batch": {"posts": [post, {"account": draw.choice(accounts)}]},
        "/v1/posts:what-if": {"post": post, "changes": [{"n_media": 2}, {"text": "What now?"}], "suggest": False},
    }


def spoiled(body: Any, draw: random.Random) -> bytes:  # noqa: ANN401 (anything JSON holds)
    """The body as bytes, one to three places of it made odd; now and then the bytes themselves."""
    body = json.loads(json.dumps(body))
    for _ in range(draw.randint(1, 3)):
        spoil(body, draw)
    text = json.dumps(body).encode()
    if draw.random() < 0.1:
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice([b"", b"\xff", b"[" * 300, b'"', b"\\u0000", text[: at // 2]]) + text[at + 1 :]
    return text


def spoil(body: Any, draw: random.Random) -> None:  # noqa: ANN401
    """Nothing; a place somewhere in the body is another, gone, or there twice."""
    place = draw.choice(list(containers(body)))
    if isinstance(place, dict):
        name = draw.choice([*place, "odd", "kind", "happened_at"])
        if draw.random() < 0.2:
            place.pop(name, None)
        else:
            place[name] = deepcopy(draw.choice(ODD))
    elif draw.random() < 0.3:
        place.extend(deepcopy(place[:1]))
    else:
        place.append(deepcopy(draw.choice(ODD)))


def containers(body: Any) -> Iterator[dict[str, Any] | list[Any]]:  # noqa: ANN401
    """Each object and list in the body."""
    if isinstance(body, dict | list):
        yield body
        for part in body.values() if isinstance(body, dict) else body:
            yield from containers(part)


async def answered(app: Any, bodies: int, seed: int, accounts: list[str]) -> tuple[Counter[int], list[str]]:  # noqa: ANN401
    """How many answers had which status, and the requests that broke something."""
    draw, statuses, broke = random.Random(seed), Counter[int](), list[str]()  # noqa: S311 (the same again)
    said = {address(route): OPERATIONS.get((method(route), address(route))) for route in described(app.routes)}
    examples = {path: operation.example for path, operation in said.items() if operation and operation.body}
    paths = list(examples)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        for number in range(bodies):
            path = paths[number % len(paths)]
            choices = good(accounts, draw)
            usual = examples[path] if "ingest" in path else choices["post"]
            body = spoiled(choices.get(path, usual), draw)
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
            statuses[answer.status_code] += 1
            if answer.status_code >= 500:
                broke.append(f"{answer.status_code} {path} {body[:2000]!r}")
    return statuses, broke


def main(
    bodies: Annotated[int, typer.Option(help="Requests to make.")] = 5_000,
    seed: Annotated[int, typer.Option(help="What they are made from.")] = 1,
    as_json: Annotated[bool, typer.Option("--json/--table")] = False,  # noqa: FBT002 (typer's own way)
) -> None:
    """Nothing; what the service answered is printed."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        home, active = Path(folder), ActiveModel()
        active.load(served_home.make(home), str(home / "lake"))
        began = perf_counter()
        accounts = sorted(active.current().accounts)
        intake = Intake(lambda: (home, str(home / "lake")), lambda: NOW)
        app = application(active, lambda: NOW, intake=intake)
        statuses, broke = asyncio.run(answered(app, bodies, seed, accounts))
        seconds = perf_counter() - began
    told = {"requests": bodies, "statuses": dict(sorted(statuses.items())), "broke": broke, "seconds": seconds}
    if as_json:
        print_json(told)
    else:
        show("answers", ("status", "requests"), [(str(status), count) for status, count in sorted(statuses.items())])
        print(f"{bodies:,} bodies, {len(broke)} answered with a 5xx, {seconds:.0f} s")
        print(*broke[:MOST_SHOWN], sep="\n")
    if broke:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
