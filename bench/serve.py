"""How many requests a second one worker answers, and how soon, beside MLflow's server and a plain FastAPI service.

Usage: python bench/serve.py [--seconds N] [--home FOLDER] [--json]

Ours are asked for scores of drafts with their reasons: text in, features measured, model, interval, reasons in words.
The others are handed ready-made features. Servers run one after another, each on one core, the sender on another.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import lightgbm as lgb
import polars as pl
import typer
from measuring.home import working_home
from measuring.load import closed, steady
from measuring.processes import alone
from measuring.servers import free_port, running
from measuring.sets import SOCIETY, lake_of, params_of
from measuring.tables import show

from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.features.compute import compute, prepare
from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.training import pipeline

CONNECTIONS = (1, 16, 64)
POSTS = 500
BENCH = Path(__file__).parent


@dataclass(frozen=True)
class Server:
    """A service to be asked: how it is started on a port, where it tells that it is up, and what it is asked."""

    name: str
    command: Callable[[int], list[str]]
    alive: str
    path: str
    bodies: Sequence[bytes]
    environment: Mapping[str, str] = field(default_factory=dict)


def prepare_home(home: Path) -> None:
    """Nothing; a champion trained on a society lies in `home`, and as MLflow takes it in floats: whole, and its main trees."""
    if not (home / "champion.json").exists():
        lake, params = lake_of(SOCIETY, home), params_of(SOCIETY)
        with step_bar(pipeline.steps(params, lake)) as step:
            pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    import mlflow.lightgbm  # noqa: PLC0415 - takes seconds, and only here

    for name in ("bare", "floats"):
        shutil.rmtree(home / name, ignore_errors=True)
    bundle = registry.champion(home)
    mlflow.lightgbm.save_model(lgb.Booster(model_file=bundle / "model.txt"), str(home / "bare"))
    code = str(BENCH / "peers" / "floats.py")
    mlflow.pyfunc.save_model(home / "floats", python_model=code, artifacts={"bundle": str(bundle)}, pip_requirements=[])


@dataclass(frozen=True)
class Bodies:
    """The same posts as each service is asked about them: as drafts, as bare floats, as a DataFrame with columns."""

    drafts: list[bytes]
    bare: list[bytes]
    split: list[bytes]

    @classmethod
    def of(cls, home: Path) -> Bodies:
        """The newest posts of the lake in `home`; the features are those they had then."""
        model, tables = ScoreModel.load(registry.champion(home)), read_tables(Lake(home / "lake"))
        posts = tables["posts"].sort("happened_at").tail(POSTS)
        history = load(tables, params_of(SOCIETY).label.horizon, model.data["action_values"])
        frame = compute(posts, prepare(history)).select("network", *model.contract.names)
        known = posts.select("account", "text", pl.col("n_media").fill_null(0)).fill_null("Hello")
        return cls(
            [json.dumps(draft).encode() for draft in known.to_dicts()],
            [json.dumps({"inputs": [row]}).encode() for row in frame.drop("network").fill_null(0.0).rows()],
            [
                json.dumps({"dataframe_split": {"columns": frame.columns, "data": [row]}}).encode()
                for row in frame.rows()
            ],
        )


def servers(home: Path) -> list[Server]:
    """Ours, started in both ways, and their peers."""
    bodies, python = Bodies.of(home), sys.executable
    ours = {"CLOUT_HOME": str(home), "CLOUT_LAKE": str(home / "lake"), "BENTOML_HOME": str(home / "bentoml")}
    asked = ("/readyz", "/v1/posts:explain", bodies.drafts, ours)
    clout = ["clout", "serve"]
    bento = [python, "-m", "bentoml", "serve", "clout.serving.service:service", "--port"]
    [logged] = (home / "artifacts").rglob("MLmodel")
    mlflow = [python, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1", "-m"]
    plain = [
        python,
        "-m",
        "uvicorn",
        "plain:app",
        "--app-dir",
        str(BENCH / "peers"),
        "--log-level",
        "warning",
        "--port",
    ]
    bundle = {"BUNDLE": str(registry.champion(home))}
    return [
        Server("clout serve, reasons", lambda _: clout, *asked),
        Server("bentoml serve, reasons", lambda port: [*bento, str(port)], *asked),
        Server(
            "MLflow, bare floats, main trees alone",
            lambda port: [*mlflow, str(home / "bare"), "--port", str(port)],
            "/ping",
            "/invocations",
            bodies.bare,
        ),
        Server(
            "MLflow, bare floats, no reasons",
            lambda port: [*mlflow, str(home / "floats"), "--port", str(port)],
            "/ping",
            "/invocations",
            bodies.bare,
        ),
        Server(
            "MLflow, DataFrame, no reasons",
            lambda port: [*mlflow, str(logged.parent), "--port", str(port)],
            "/ping",
            "/invocations",
            bodies.split,
        ),
        Server(
            "FastAPI, contributions", lambda port: [*plain, str(port)], "/openapi.json", "/explain", bodies.bare, bundle
        ),
    ]


def measure(server: Server, seconds: float) -> dict[str, Any]:
    """What a server does at full speed with 1, 16 and 64 connections, and at half of its best rate."""
    port = free_port()
    with running(server.command(port), server.alive, server.environment, port) as service:
        address = service.url + server.path
        closed(address, server.bodies, 4, 2)
        full = {count: closed(address, server.bodies, count, seconds) for count in CONNECTIONS}
        half = max(heard.rate for heard in full.values()) / 2
        return {
            "name": server.name,
            "full": {str(count): asdict(heard) for count, heard in full.items()},
            "half": {"asked": half, **asdict(steady(address, server.bodies, half, max(CONNECTIONS), seconds))},
        }


def measure_all(home: Path, seconds: float) -> list[dict[str, Any]]:
    """The figures of each server in turn."""
    return [measure(server, seconds) for server in servers(home)]


def print_figures(told: list[dict[str, Any]]) -> None:
    """Nothing; the tables go to stdout."""
    cells = "{rate:,.0f} / {p50:.1f} / {p99:.0f}"
    rows = [(one["name"], *(cells.format(**one["full"][str(count)]) for count in CONNECTIONS)) for one in told]
    heads = ("answers a second / 50 % / 99 % within, ms", *(f"{count} connections" for count in CONNECTIONS))
    show("As fast as answers come, one worker on one core", heads, rows)
    rows = [(one["name"], *(one["half"][what] for what in ("asked", "p50", "p99"))) for one in told]
    show("At half of its best rate, from when each request was due", ("", "a second", "p50 ms", "p99 ms"), rows, 1)
    best = {one["name"]: max(heard["rate"] for heard in one["full"].values()) for one in told}
    first = next(iter(best.values()))
    rows = [
        (name, first / rate if rate else math.inf, failures(one))
        for (name, rate), one in zip(best.items(), told, strict=True)
    ]
    show("The first beside the others", ("", "times as many a second", "failed"), rows, 2)


def failures(told: dict[str, Any]) -> int:
    """The requests to a server that got no 200, or no whole answer."""
    return sum(heard["failed"] for heard in (*told["full"].values(), told["half"]))


def main(
    seconds: Annotated[float, typer.Option(help="Seconds of each measurement.")] = 10.0,
    home: Annotated[Path | None, typer.Option(help="Folder of the lake and the champion.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Start each server, ask it, and compare."""
    with working_home(home) as folder:
        home = folder.absolute()
        alone(prepare_home, home)
        told = alone(measure_all, home, seconds)
    print_json(told) if as_json else print_figures(told)


if __name__ == "__main__":
    typer.run(main)
