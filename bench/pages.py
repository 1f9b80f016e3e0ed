"""How soon each page begins to arrive, and how much of it there is, beside the JSON of the same account.

Usage: python bench/pages.py [--home FOLDER] [--requests N] [--json]

The service is started as `clout serve` starts it, on one core, over a society of 2,000 whose accounts are scored;
whoever asks has the other core. `--home` is the home of such a society, made there when there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import typer
from measuring.home import working_home
from measuring.processes import alone
from measuring.servers import free_port, running
from measuring.sets import SOCIETY, lake_of, params_of
from measuring.tables import show

from clout.data.coverage import coverage
from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.features.account_posts import AccountsAt
from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.serving.accounts.batch import Judgement, score_all
from clout.serving.store.scores import Store
from clout.training import pipeline

AT_ONCE = 4
WARMING = 20
LOADED = re.compile(r'(?:href|src)="(/static/[^"]+)"')
TEXT = "What did you read this week? #books"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Page:
    """What is asked for: its name, its address, and the form that is sent there, if one is."""

    name: str
    path: str
    form: str | None = None
    accept: str = "text/html"


def prepare_home(home: Path) -> None:
    """Nothing; `home` holds a society, a champion trained on it, and the scores of its accounts."""
    if not (home / "champion.json").exists():
        lake, params = lake_of(SOCIETY, home), params_of(SOCIETY)
        with step_bar(pipeline.steps(params, lake)) as step:
            pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    if not (home / "scores.db").exists():
        score(home)


def score(home: Path) -> None:
    """Nothing; every account is scored as of the end of the data."""
    lake, model = Lake(home / "lake"), ScoreModel.load(registry.champion(home))
    tables = read_tables(lake)
    through = coverage(tables).data_through
    assert through is not None  # noqa: S101 - a filled lake has data
    history = load(tables, timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    past = AccountsAt.of(history, through + timedelta(microseconds=1), model.networks, *model.account.windows)
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        score_all(past, [Judgement.of(model)], store, lake, lambda: datetime.now(UTC))


def pages(home: Path) -> list[Page]:
    """The pages of the two accounts that post most, and first what a program is told of one."""
    posts = Lake(home / "lake").read("posts").filter(kind="original")
    one, other = posts["account"].value_counts(sort=True)["account"].head(2)
    post = posts.filter(account=one).sort("happened_at")["post"][-10]
    draft = urlencode({"account": one, "text": TEXT, "media": "0", "kind": "original", "when": ""})
    return [
        Page("JSON of an account", f"/v1/accounts/{one}/explanation", accept="application/json"),
        Page("/", "/"),
        Page("/why", f"/why/{one}"),
        Page("/post", f"/post/{post}"),
        Page("/draft, empty", f"/draft?account={one}"),
        Page("/draft, judged", "/draft", draft),
        Page("/draft, best hours", "/draft", f"{draft}&hours=1"),
        Page("/compare", f"/compare?with={one}&with={other}"),
        Page("/methodology", "/methodology"),
        Page("/feedback", f"/feedback?account={one}"),
        Page("/models", "/models"),
        Page("a problem", "/nowhere"),
    ]


class Asker:
    """One connection that is kept open."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)

    def ask(self, page: Page) -> tuple[float, bytes]:
        """The milliseconds until a page began to arrive, and all of it."""
        headers = {"Accept": page.accept} | ({"Content-Type": FORM} if page.form else {})
        began = perf_counter()
        self._connection.request("POST" if page.form else "GET", page.path, page.form, headers)
        answer = self._connection.getresponse()
        waited = perf_counter() - began
        return waited * 1e3, answer.read()


def waits(url: str, page: Page, requests: int) -> list[float]:
    """How long each of so many requests waited, one after another."""
    asker = Asker(url)
    return [asker.ask(page)[0] for _ in range(requests)]


def measure(url: str, page: Page, requests: int) -> dict[str, Any]:
    """The figures of one page."""
    waits(url, page, WARMING)
    single = waits(url, page, requests)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(lambda _: waits(url, page, requests // AT_ONCE), range(AT_ONCE))
        many = [wait for part in parts for wait in part]
    asker = Asker(url)
    body = asker.ask(page)[1]
    loaded = [asker.ask(Page(path, path))[1] for path in sorted(set(LOADED.findall(body.decode())))]
    return {
        "name": page.name,
        **dict(zip(("p50", "p95"), quantiles(single), strict=True)),
        **dict(zip(("at_once_p50", "at_once_p95"), quantiles(many), strict=True)),
        "own_bytes": len(body),
        "all_bytes": len(body) + sum(map(len, loaded)),
    }


def quantiles(values: Sequence[float]) -> list[float]:
    """What half, and what 95 in 100, stay below."""
    return [float(value) for value in np.quantile(values, (0.5, 0.95))]


def measure_all(home: Path, requests: int) -> list[dict[str, Any]]:
    """The figures of each page in turn."""
    environment = {"CLOUT_HOME": str(home), "CLOUT_LAKE": str(home / "lake")}
    port = free_port()
    with running(["clout", "serve"], "/readyz", environment, port) as service:
        return [measure(service.url, page, requests) for page in pages(home)]


def print_figures(told: list[dict[str, Any]]) -> None:
    """Nothing; the table goes to stdout."""
    base = told[0]["p95"]
    rows = [
        (
            one["name"],
            *(one[name] for name in ("p50", "p95", "at_once_p50", "at_once_p95")),
            one["p95"] / base,
            one["own_bytes"] / 1e3,
            one["all_bytes"] / 1e3,
        )
        for one in told
    ]
    heads = ("ms to the first byte", "50 %", "95 %", "4 at once, 50 %", "95 %", "times JSON's", "kB", "kB with all")
    show("Pages of a society of 2,000, warm, one worker", heads, rows, 1)


def main(
    home: Annotated[Path | None, typer.Option(help="Folder of the society, its champion and its scores.")] = None,
    requests: Annotated[int, typer.Option(min=AT_ONCE, help="Requests for each page.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Start the service, ask for each page, and weigh it."""
    with working_home(home) as folder:
        alone(prepare_home, folder.absolute())
        told = alone(measure_all, folder.absolute(), requests)
    print_json(told) if as_json else print_figures(told)


if __name__ == "__main__":
    typer.run(main)
