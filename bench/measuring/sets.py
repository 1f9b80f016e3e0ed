"""The real sets and the simulated society, each in a lake of its own."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from clout.data.lake import Lake
from clout.data.simulate import Society, fill
from clout.data.sources.mapping import read_mapping
from clout.data.sources.table import ingest
from clout.training.config import Params, read_params

SOCIETY = "society"
PEOPLE = 2_000


@dataclass(frozen=True)
class RealSet:
    """Files of the shared data, each with the mapping that reads it, and what its training sets otherwise.

    `tuned` is what `bench/tuning.py` found on its rolling blocks, rounded; its last block took no part.
    """

    files: tuple[tuple[str, str], ...]
    overrides: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()


REAL_SETS = {
    "politicians": RealSet(
        (("politicians.parquet", "politicians"),),
        ("splits.final_from=2016-04-06T00:00:00Z",),
        (
            "fit.num_leaves=37",
            "fit.max_depth=8",
            "fit.learning_rate=0.027",
            "fit.min_data_in_leaf=18",
            "fit.lambda_l2=15.3",
            "fit.feature_fraction=0.805",
            "fit.bagging_fraction=0.789",
        ),
    ),
    "news_pages": RealSet((("news_pages.parquet", "news_pages"),)),
    "vaccine_tweets": RealSet((("vaccine_tweets.parquet", "vaccine_tweets"),)),
    "weibo": RealSet((("weibo_posts.parquet", "weibo_posts"), ("weibo_actions.parquet", "weibo_actions"))),
}
NAMES = (*REAL_SETS, SOCIETY)


def shared_folder() -> Path:
    """The folder of the real sets: $CLOUT_SHARED_DATA, else `shared/data` beside the repository."""
    return Path(os.environ.get("CLOUT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def at_hand(name: str) -> bool:
    """Whether a set can be had here; where it cannot, stderr says so loudly."""
    absent = (
        [file for file, _ in REAL_SETS[name].files if not (shared_folder() / file).is_file()] if name != SOCIETY else []
    )
    if absent:
        print(
            f"SKIPPED {name}: no {', '.join(absent)} in {shared_folder()}; "
            "set CLOUT_SHARED_DATA to the folder of the real sets",
            file=sys.stderr,
        )
    return not absent


def params_of(name: str, *, tuned: bool = False) -> Params:
    """The parameters a set is trained with: the defaults, but for its own last block, and what was tuned if asked for."""
    own = REAL_SETS.get(name, RealSet(()))
    return read_params(None, [*own.overrides, *(own.tuned if tuned else ())])


def lake_of(name: str, home: Path, people: int = PEOPLE) -> Lake:
    """The lake at `home` with a set in it, read from its raw files, or the society of so many people."""
    lake = Lake(home / "lake")
    if name == SOCIETY:
        fill(lake, Society(accounts=people), home)
        return lake
    for file, mapping in REAL_SETS[name].files:
        ingest(lake, shared_folder() / file, read_mapping(mapping), datetime.now(UTC))
    return lake


def planted(home: Path) -> pl.DataFrame:
    """What each account of the society at `home` was made with: its role, influence, expected_outcome and more."""
    return pl.read_parquet(home / "lake-truth" / "accounts.parquet")
