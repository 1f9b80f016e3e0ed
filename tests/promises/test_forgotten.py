"""Whoever asks to be forgotten is gone from everything we hold, stays gone, and nobody gets a profile unasked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import score_store
import served_home
from asked import Asked
from small_lake import FEW, small_lake
from trained_society import TrainedSociety
from typer.testing import CliRunner

from clout.cli import app
from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.models import registry
from clout.serving import privacy
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.store.rows import Judge
from clout.serving.store.scores import Store
from clout.training.config import read_params
from clout.training.pipeline import make
from clout.training.scales import read as read_scale
from clout.training.whole_lake import WholeLake

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
ENGAGER = "commons/passer-by"


def engage(lake: Lake) -> str:
    """The account with most posts, on two of which ENGAGER has acted now."""
    posts = lake.read("posts").filter(kind="original")
    author = posts["account"].mode().sort()[0]
    rows = [
        {"action": f"commons/{ENGAGER}:{post}", "post": post, "account": author, "actor": ENGAGER, "kind": "like"}
        | {"happened_at": when, "known_at": when}
        for post, when in posts.filter(account=author).select("post", "happened_at").head(2).iter_rows()
    ]
    lake.append({"actions": pl.DataFrame(rows, schema=SCHEMAS["actions"])}, source="later.csv")
    return author


def keep_scores(home: Path, *accounts: str) -> None:
    """Nothing; each of `accounts` has a score in the store of the home."""
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        store.remember(Judge("a", "scale-a", "{}", "{}"))
        begun = store.begin(score_store.run(1))
        store.write(begun, [score_store.record(1, account) for account in accounts])
        store.finish(begun, NOW)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with a champion, and the author on whose posts ENGAGER acted."""
    home = served_home.make(tmp_path_factory.mktemp("served"))
    return home, engage(Lake(home / "lake"))


def test_who_only_acted_has_no_profile(served: tuple[Path, str]) -> None:
    home, author = served
    active = ActiveModel()
    active.load(home, str(home / "lake"))
    assert ENGAGER not in active.current().accounts
    assert author in active.current().accounts
    client = Asked(application(active, lambda: NOW))
    for path in ("/v1/posts:score", "/v1/posts:explain"):
        answer = client.post(path, {"account": ENGAGER, "text": "hello"})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")
        assert client.post(path, {"account": author, "text": "hello"}).status_code == 200
    assert ENGAGER not in client.get("/").text


def test_an_export_tells_of_others_what_they_did_and_not_who(served: tuple[Path, str]) -> None:
    home, author = served
    lake = Lake(home / "lake")
    keep_scores(home, author)
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        told = privacy.export(lake, store, author, NOW)
    tables, actions = told["tables"], lake.read("actions")
    assert len(tables["posts"]) == lake.read("posts").filter(account=author).height
    assert len(tables["profiles"]) == lake.read("profiles").filter(account=author).height
    received, done = actions.filter(account=author), actions.filter(actor=author)
    assert len(tables["actions_received"]) == received.filter(pl.col("actor") != author).height > 2
    assert len(tables["actions_done"]) == done.height
    assert told["scores"][0]["detail"] == {"why": ["ü", 1.5]}
    assert {batch["source"] for batch in told["batches"]} == {"simulate", "later.csv"}
    words = json.dumps(told)
    others = {*received["actor"], *done["account"], *lake.read("accounts")["account"]} - {author}
    assert ENGAGER in others
    assert not [name for name in others if f'"{name}"' in words]
    assert not [name for name in {*actions["action"]} if name in words], "the id of an action may name its actor"
    own = {*lake.read("posts").filter(account=author)["post"]}
    assert not [name for name in {*done["post"].drop_nulls()} - own if f'"{name}"' in words]


def held(folder: Path, names: Collection[str]) -> list[str]:
    """The files below `folder` with one of the ids in it, whatever their format."""
    found = []
    for file in (file for file in sorted(folder.rglob("*")) if file.is_file()):
        if file.suffix == ".parquet":
            frame = pl.read_parquet(file).select(pl.col(pl.String))
            holds = any(frame[column].is_in(list(names)).any() for column in frame.columns)
        else:
            content = file.read_bytes()
            told = [name for name in names if name.encode() in content]
            holds = any(_stands(name, content) for name in told) or bool(told and ".db" in file.name)
        if holds:
            found.append(str(file.relative_to(folder)))
    return found


def _stands(name: str, content: bytes) -> bool:
    """Whether an id that is somewhere in the content is a word of its own; in a database nothing parts values."""
    return re.search(rb"(?<!\w)%b(?!\w)" % re.escape(name).encode(), content) is not None


@pytest.fixture(scope="module")
def emptied(trained: TrainedSociety, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The home of a training, with scores, in which the account with most posts was forgotten; and what that told."""
    home = trained.copy(tmp_path_factory.mktemp("forgetful") / "home")
    shutil.rmtree(home / "lake-truth", ignore_errors=True)
    account, posts = author(trained)
    keep_scores(home, account, "commons/other")
    registry.comparison_file(home).write_text(f"<li>41.0 → 45.1 {account}</li>")
    kinds = {name.split("/")[0] for name in held(home, [account, *posts])}
    assert kinds >= {"lake", "judged", "artifacts", "scores.db", "comparison.html"}, "else nothing is shown below"
    done = CliRunner().invoke(app, ["forget", account, "--yes", "--json"], env={"CLOUT_HOME": str(home)})
    assert done.exit_code == 0, done.output
    return home, json.loads(done.stdout)


def author(trained: TrainedSociety) -> tuple[str, list[str]]:
    """The account with most posts in the champion's lake, and these posts."""
    posts = trained.lake.read("posts")
    account = str(posts["account"].mode().sort()[0])
    return account, posts.filter(account=account)["post"].to_list()


def test_no_file_of_the_home_holds_the_account_or_a_post_of_it(
    emptied: tuple[Path, dict[str, Any]], trained: TrainedSociety
) -> None:
    home, _ = emptied
    account, posts = author(trained)
    assert held(home, [account, *posts]) == []


def test_what_was_erased_is_told_by_table(emptied: tuple[Path, dict[str, Any]], trained: TrainedSociety) -> None:
    account, posts = author(trained)
    home, told = emptied[0], emptied[1]["erased"]
    before = read_tables(trained.lake)
    acted = (pl.col("account") == account) | (pl.col("actor") == account) | pl.col("post").is_in(posts)
    assert told["posts"] == len(posts)
    assert told["actions"] == before["actions"].filter(acted).height
    assert told["profiles"] == before["profiles"].filter(account=account).height
    assert (told["accounts"], told["scores"]) == (1, 1)
    assert told["judged"] > 0
    after = read_tables(Lake(home / "lake"))
    assert all(after[name].height == before[name].height - told.get(name, 0) for name in SCHEMAS)


def test_a_server_that_runs_forgets_too(served: tuple[Path, str], tmp_path: Path) -> None:
    home = shutil.copytree(served[0], tmp_path / "home")
    active, lake = ActiveModel(), Lake(home / "lake")
    active.load(home, str(home / "lake"))
    before = active.current()
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        erased = privacy.forget(lake, store, home, served[1], NOW)
    assert erased.accounts == (served[1],)
    assert lake.batches() != before.batches, "which is what a server looks at to take in what is new"
    active.load(home, str(home / "lake"))
    assert served[1] in before.accounts - active.current().accounts
    assert served[1] != active.current().example


def checked(lake: Lake, home: Path) -> dict[str, str]:
    """What a training on the lake finds of the forgotten."""
    params = read_params(None, FEW)
    verdicts = json.loads(
        make(WholeLake.read(lake, params), lake, params, read_scale(home, params)).content["checks.json"]
    )["checks"]
    return next(dict(verdict) for verdict in verdicts if verdict["code"] == "CLOUT014")


@pytest.mark.slow
def test_the_next_training_proves_the_absence(tmp_path: Path) -> None:
    lake = small_lake(tmp_path)
    account = lake.read("posts")["account"][0]
    before = lake.read("posts").filter(account=account)
    with Store.open(f"sqlite:///{tmp_path / 'scores.db'}") as store:
        privacy.forget(lake, store, tmp_path, account, NOW)
    result = checked(lake, tmp_path)
    assert result["status"] == "passed"
    assert result["detail"].startswith("1 forgotten accounts looked for among ")
    hidden = lake.shelf.path("tombstones", "x").rsplit("/", 1)[0]
    shutil.move(hidden, tmp_path / "away")
    lake.append({"posts": before}, source="by hand")
    shutil.move(tmp_path / "away", hidden)
    result = checked(lake, tmp_path)
    assert (result["status"], result["severity"]) == ("finding", "error")
    assert result["detail"].endswith(f"1 found, and {before.height:,} of their posts")
    assert account not in result["detail"]
