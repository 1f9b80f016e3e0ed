"""A small society with known influence: the tables, and the truth that made them.

Replies and quotes are actions on a post; what the reactors say is not repeated as posts of their own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import ValidationError

from clout.data.lake import Lake
from clout.data.receipt import Receipt
from clout.data.society.content import true_effects
from clout.data.society.course import run
from clout.data.society.logbook import log_tables, tell_truth
from clout.data.society.manipulation import SimulationError
from clout.data.society.people import Society
from clout.data.tables import SCHEMAS

__all__ = ["Simulation", "SimulationError", "Society", "configure", "fill", "simulate", "truth_of"]

QUALITY_SPREAD = 0.6
LIVELINESS = 0.7
SOURCE = "simulate"


@dataclass(frozen=True)
class Simulation:
    """`tables` as a lake takes them, and `truth`, which no model may see.

    truth: accounts (account, role, person, community, quality, audience, influence, expected_outcome, pod),
    posts (post, account, like, reshare, reply, quote, expected_outcome), effects (effect, kind, coefficient, meaning),
    purchases (account, what, amount, since, until). `influence` is the outcome expected, without noise, of a typical
    original post on the last day; `expected_outcome` the same for a post as published, or the mean over an account's.
    """

    tables: dict[str, pl.DataFrame]
    truth: dict[str, pl.DataFrame]


def simulate(config: Society) -> Simulation:
    """The society of `config`; the same config gives the same rows in the same order.

    >>> simulate(Society(accounts=60, days=8)).tables["accounts"].height
    60
    """
    shared, *streams = np.random.default_rng(config.seed).spawn(1 + len(config.networks))
    quality = shared.normal(0.0, QUALITY_SPREAD, config.accounts)
    tables: list[dict[str, pl.DataFrame]] = []
    truths: list[dict[str, pl.DataFrame]] = []
    for place, (network, rng) in enumerate(zip(config.networks, streams, strict=True)):
        course = run(config, network, LIVELINESS**place, quality, rng)
        tables.append(log_tables(course))
        truths.append(tell_truth(course))
    truth = {name: pl.concat([part[name] for part in truths]) for name in truths[0]}
    return Simulation(
        tables={name: pl.concat([part[name] for part in tables]) for name in SCHEMAS},
        truth=truth | {"effects": true_effects()},
    )


def configure(values: Mapping[str, object]) -> Society:
    """The society of `values`, defaults for the rest; raises `SimulationError` for a value out of range."""
    try:
        return Society.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise SimulationError(
            f"got {'.'.join(map(str, first['loc']))} = {first['input']!r} for the society; expected another: "
            f"{first['msg'][0].lower()}{first['msg'][1:]}"
        ) from error


def fill(lake: Lake, config: Society, home: Path) -> Receipt:
    """The receipt of the society of `config`, which is then in `lake`; its truth is where `truth_of` says.

    The same config again changes nothing. Raises `SimulationError` when the lake holds anything else.
    """
    note = config.model_dump_json()
    for receipt in lake.receipts():
        if (receipt.source, receipt.note) != (SOURCE, note):
            held = f"the society {receipt.note}" if receipt.source == SOURCE else f"data of {receipt.source}"
            raise SimulationError(
                f"got the lake {lake.url}, which holds {held}; expected an empty one, or this very society: "
                "simulate into another home, or remove that lake first"
            )
    simulation = simulate(config)
    write_truth(simulation.truth, truth_of(lake, home))
    return lake.append(simulation.tables, source=SOURCE, note=note)


def truth_of(lake: Lake, home: Path) -> Path:
    """Where the truth of the society in `lake` lies: beside the lake, never in it; of a lake elsewhere, in `home`."""
    place = Path(lake.shelf.place if "://" in lake.url else lake.url)
    return (place.parent if lake.shelf.is_local else home) / f"{place.name}-truth"


def write_truth(truth: dict[str, pl.DataFrame], folder: Path) -> None:
    """Nothing; `folder` then holds one Parquet file for each of `truth`, whole and nothing else."""
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, frame in truth.items():
            frame.write_parquet(partial / f"{name}.parquet")
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise SimulationError(
            f"could not write {folder} ({error}); expected a folder to write in: make room or name another home"
        ) from error
