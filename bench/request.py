"""What one answer costs in process: the features of a draft, its score, and its reasons.

Usage: python bench/request.py [SET] [--answers N] [--home FOLDER] [--json]

A home that holds a champion of the set is used as it is; else one is trained first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import numpy as np
import polars as pl
import typer
from measuring.home import working_home
from measuring.sets import NAMES, SOCIETY, at_hand, params_of
from measuring.tables import show
from measuring.trained import champion

from clout.data.history import History, load, read_tables
from clout.data.lake import Lake
from clout.display import print_json
from clout.features.request import AccountFacts, Draft, Past, RecentPost, features_of_draft
from clout.features.wording import Wording
from clout.models.score_model import ScoreModel

Arguments = ParamSpec("Arguments")

PEOPLE = 1_000
RECENT_POSTS = 20
MARKS = (50, 95, 99)


def drafts(history: History, count: int, seed: int) -> list[tuple[Draft, AccountFacts]]:
    """Random posts as drafts of their accounts at the end of the data, and what one could have seen of each account."""
    now = history.coverage.data_through
    assert now is not None  # noqa: S101 - there is a model, so there are data
    posts = history.posts.sample(count, seed=seed, with_replacement=count > history.posts.height)
    return [
        (
            Draft(
                row["network"],
                row["account"],
                now + timedelta(hours=1),
                row["text"],
                row["lang"],
                n_media=row["n_media"],
            ),
            AccountFacts(now, followers=1_000, recent=_recent(history, row["account"])),
        )
        for row in posts.iter_rows(named=True)
    ]


def _recent(history: History, account: str) -> tuple[RecentPost, ...]:
    last = history.outcomes.filter(pl.col("account") == account).tail(RECENT_POSTS)
    kinds = [name for name in ("like", "reshare") if name in last.columns]
    return tuple(
        RecentPost(row["published_at"], {kind: row[kind] for kind in kinds if row[kind] is not None})
        for row in last.iter_rows(named=True)
    )


def timed(answer: Callable[Arguments, object], *arguments: Arguments.args, **named: Arguments.kwargs) -> float:
    """How many milliseconds an answer takes."""
    start = time.perf_counter()
    answer(*arguments, **named)
    return (time.perf_counter() - start) * 1000


def measure(model: ScoreModel, history: History, count: int, seed: int) -> dict[str, list[float]]:
    """Milliseconds of each answer, by what is asked."""
    past = Past.of(history, model.data["action_values"])
    wording = Wording.read(model.wording_path) if model.wording_path else None

    def features(draft: Draft, facts: AccountFacts | None) -> dict[str, float | None]:
        return features_of_draft(draft, past, wording and wording.said(draft.text).lift, facts)

    def score(draft: Draft, facts: AccountFacts | None) -> object:
        return model.predict(model.contract.row(features(draft, facts)), [draft.network])

    def explain(draft: Draft, facts: AccountFacts | None) -> object:
        matrix = model.contract.row(features(draft, facts))
        return model.predict(matrix, [draft.network]), model.explain_rows(matrix, [draft.network]).reasons(0)

    asked = drafts(history, count, seed)
    told = {"features of a known account": [timed(features, draft, None) for draft, _ in asked]}
    for words, answer in (("score", score), ("explain", explain)):
        told[f"{words}, known account"] = [timed(answer, draft, None) for draft, _ in asked]
        told[f"{words}, {RECENT_POSTS} posts in the request"] = [timed(answer, *both) for both in asked]
    return told


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")] = SOCIETY,
    answers: Annotated[int, typer.Option(help="Answers of each sort.")] = 300,
    home: Annotated[Path | None, typer.Option(help="Folder of the lake and the champion.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Answer again and again, one at a time, and tell how long that takes."""
    if name not in NAMES:
        raise typer.BadParameter(f"got {name}; expected one of {', '.join(NAMES)}")
    if not at_hand(name):
        raise typer.Exit
    with working_home(home) as folder:
        model = champion(name, folder, PEOPLE)
        horizon = timedelta(days=model.data["horizon_days"])
        history = load(read_tables(Lake(folder / "lake")), horizon, model.data["action_values"])
        times = measure(model, history, answers, params_of(name).seed)
    figures: dict[str, Any] = {
        what: {f"p{mark}_ms": float(np.percentile(values, mark)) for mark in MARKS} for what, values in times.items()
    }
    if as_json:
        print_json(figures)
    else:
        title = f"{answers} answers of each sort, one at a time; {history.posts.height:,} posts in the lake"
        heads = ("", *(f"{mark} % within, ms" for mark in MARKS))
        show(title, heads, [(what, *marks.values()) for what, marks in figures.items()], 1)


if __name__ == "__main__":
    typer.run(main)
