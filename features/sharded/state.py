"""What is known over all shards when a run ends, and of what it was made: a folder that the next run goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from clout.data.acquaintance import MONTH
from clout.data.coverage import Coverage
from clout.data.hourly import HOUR
from clout.errors import CloutError
from clout.features.network import Sums
from clout.features.sharded.work import STATE, Before

TOLD = "told.json"
LATE = timedelta(days=30)
ANEW = "measure all anew, without --after"


class StateError(CloutError):
    """A run cannot go on from what another one left."""

    code = "state"


class Told(BaseModel):
    """What a state was made of: where any of it differs, the next run would not say what a whole one says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shards: int
    horizon: timedelta
    action_values: Mapping[str, float]
    batches: frozenset[str]
    code: str


@dataclass(frozen=True)
class State:
    """Sums over all shards: `engagers` are `engager_sums`, `first_worth` and `worth` `worth_sums` without and with influence."""

    known: Coverage
    engagers: pl.DataFrame
    first_worth: pl.DataFrame
    worth: pl.DataFrame
    networks: Sums

    def write(self, folder: Path, told: Told) -> None:
        """Nothing; all that a later run may ask for is then in a folder that is there."""
        ends = self.known.through
        hours = {"engagers": self.engagers, "first_worth": self.first_worth, "worth": self.worth}
        heard = {"outcomes": self.networks.outcomes, "openings": self.networks.openings}
        frames = {"reported": self.known.reported, "through": ends}
        start = pl.col("hour").cast(pl.Int64) * (HOUR // timedelta(microseconds=1))
        frames |= {name: _recent(rows, start.cast(pl.Datetime("us", "UTC")), ends) for name, rows in hours.items()}
        frames |= {name: _recent(rows, pl.col("at"), ends) for name, rows in heard.items()}
        for name, frame in frames.items():
            frame.write_parquet(folder / f"{name}.parquet")
        (folder / TOLD).write_text(told.model_dump_json())


def _recent(rows: pl.DataFrame, at: pl.Expr, ends: pl.DataFrame) -> pl.DataFrame:
    """The sums that a later run still hears of."""
    known = rows.join(ends, on="network", maintain_order="left")
    return known.filter(at >= pl.col("through") - (MONTH + LATE + 2 * HOUR)).drop("through")


@dataclass(frozen=True)
class Previous:
    """A run that another one goes on from: the folder it wrote, what its state was made of, and the state."""

    out: Path
    told: Told
    state: State

    @property
    def before(self) -> Before:
        """What tasks are told of it."""
        known = self.state.known
        return Before(self.out.absolute() / STATE, known.reported, known.through)

    def expect(self, asked: Told) -> None:
        """Nothing; a run that is `asked` for and does not fit raises `StateError`."""
        made = self.told
        gone = len(made.batches - asked.batches)
        misfits = {
            f"{made.shards} shards, where {asked.shards} are asked for": made.shards != asked.shards,
            "another horizon or other values of actions": (made.horizon, made.action_values)
            != (asked.horizon, asked.action_values),
            "another version of Clout or polars": made.code != asked.code,
            f"{gone} batches that the lake has no more as they were, as after an erasure": gone > 0,
        }
        for words in [words for words, misfit in misfits.items() if misfit]:
            raise StateError(f"got {self.out}, which was measured with {words}; expected the same: {ANEW}")

    def expect_reported(self, known: Coverage) -> None:
        """Nothing; a network that reports what it did not raises `StateError`: all that was said of it would change."""
        there = known.reported.join(self.state.known.through, on="network", how="semi", maintain_order="left")
        refuse_kinds(there.join(self.state.known.reported, on=there.columns, how="anti"))


def refuse_kinds(kinds: pl.DataFrame) -> None:
    """Nothing; any kinds of action (network, kind) that were not reported before raise `StateError`."""
    if words := ", ".join(
        sorted({f"{kind} on {network}" for network, kind in kinds.select("network", "kind").iter_rows()})
    ):
        raise StateError(f"got actions of a kind that was not reported before: {words}; expected none: {ANEW}")


def read(out: Path) -> Previous:
    """What the run that wrote `out` left."""
    folder = out / STATE
    try:
        told = Told.model_validate_json((folder / TOLD).read_text())
    except (OSError, ValidationError) as error:
        raise StateError(
            f"got {out}, which holds nothing to go on from; expected a folder measured with --keep-state: {ANEW}"
        ) from error
    frame = {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}
    known, heard = Coverage(frame["reported"], frame["through"]), Sums(frame["outcomes"], frame["openings"])
    return Previous(out, told, State(known, frame["engagers"], frame["first_worth"], frame["worth"], heard))
