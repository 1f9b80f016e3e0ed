"""A sharded run from beginning to end: which task comes after which, and what is summed between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from clout.data import coverage, hourly
from clout.data.coverage import Coverage
from clout.data.lake import Lake
from clout.data.receipt import Receipt, totals
from clout.errors import CloutError
from clout.features import network
from clout.features.sharded import left, measuring, stages
from clout.features.sharded.state import Previous, State, Told, read
from clout.features.sharded.work import OUT, STATE, Work
from clout.features.warm import code

T = TypeVar("T")
ROWS_AT_ONCE, FEWEST = 2_000_000, 4
STEPS = 7
SPENT = ("known", *left.WEIGHTS)


class FeaturesError(CloutError):
    """Features cannot be measured, or not be written where they should be."""

    code = "features"


class Engine(Protocol):
    """Who runs tasks: processes of this machine, or of others."""

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order; several may run at once, and one more than once."""


@dataclass(frozen=True)
class Chain:
    """Whether a run leaves what a later one needs to go on from it, and the folder of the one that it goes on from itself."""

    keeps_state: bool = False
    after: Path | None = None


def measure(
    lake: Lake,
    out: Path,
    engine: Engine,
    horizon: timedelta,
    action_values: Mapping[str, float],
    shards: int | None = None,
    step: Callable[[str], None] = lambda _: None,
    judge: measuring.Judge | None = None,
    chain: Chain = Chain(),
) -> measuring.Measured:
    """How much was measured; the folder `out` then has `posts` and `accounts`, a Parquet file a shard each.

    Features of posts are those of `features.compute`; without a `judge` no words were learned, so `wording_lift` is
    missing. With one there are `scores` too. Features of accounts are those that no post of theirs changes, when the data
    end. Without `shards` there is one for each 2,000,000 actions or posts, and then up to a multiple of four. What is on
    the way lies beside `out`, in a folder that is gone when this ends.

    After another run only the batches that it did not have are read, and only their posts come out: as a run over all
    would measure them.
    """
    rows = _rows(lake, out)
    previous = read(chain.after) if chain.after else None
    receipts = lake.receipts()
    made = Told(
        shards=shards or (previous.told.shards if previous else shards_for(rows)),
        horizon=horizon,
        action_values=action_values,
        batches=frozenset(receipt.stem for receipt in receipts),
        code=code(),
    )
    if previous:
        previous.expect(made)
        receipts = [receipt for receipt in receipts if receipt.stem not in previous.told.batches]
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        url = lake.url if "://" in lake.url else str(Path(lake.url).absolute())
        before = previous.before if previous else None
        kept = chain.keeps_state
        work = Work(url, Path(folder), made.shards, horizon, action_values, "removals" in rows, kept, before)
        parts, state = cut(work, receipts, engine, step, previous)
        step("measuring posts")
        with ThreadPoolExecutor(1) as meanwhile:
            meanwhile.submit(work.drop, *SPENT)
            done = parts.each(engine, measuring.measure, parts.known, parts.networks, judge)
        measured = measuring.Measured(*map(sum, zip(*done, strict=True)))
        if kept:
            state.write(Path(folder) / OUT / STATE, made)
        (Path(folder) / OUT).rename(out)
        parts.each(engine, Work.forget)
    return measured


@dataclass(frozen=True)
class Shards:
    """A lake cut into shards: all that is known of their accounts, but what is measured of it.

    `known` is what the lake covers, and `networks` what outcomes add up to on each network.
    """

    work: Work
    known: Coverage
    networks: network.Sums

    def each(self, engine: Engine, task: Callable[..., T], *given: object) -> list[T]:
        """What `task` returns for each shard, told the work, the shard and what is `given`."""
        return engine.map(partial(_on_shard, task, self.work, given, {}), range(self.work.shards))


def _rows(lake: Lake, out: Path) -> dict[str, int]:
    if out.exists():
        raise FeaturesError(f"{out} is there already; expected a folder that is not: name another, or remove it")
    rows = totals(lake.receipts())["rows"]
    if not rows.get("posts"):
        raise FeaturesError(
            f"the lake {lake.url} has no posts; expected some to measure: run `clout ingest` or `clout simulate` first"
        )
    return rows


def shards_for(rows: Mapping[str, int]) -> int:
    """As many as there are rows for, and a multiple of `FEWEST`, so that few processes end at about the same time."""
    return FEWEST * ceil(max(rows.get("actions", 0), rows["posts"]) / ROWS_AT_ONCE / FEWEST)


def cut(
    work: Work,
    receipts: Iterable[Receipt],
    engine: Engine,
    step: Callable[[str], None],
    previous: Previous | None = None,
    covers: Coverage | None = None,
) -> tuple[Shards, State]:
    """The rows of batches in shards, and the sums over all of them; `covers` overrides what they are taken to cover.

    What is `SPENT` then, and lies there still, is needed no more.
    """

    def each(task: Callable[..., T], *given: object, **named: object) -> list[T]:
        return engine.map(partial(_on_shard, task, work, given, named), range(work.shards))

    before = [previous.state] if previous else []
    step("cutting the lake into shards")
    each(left.recall)
    parts = _parts(receipts)
    engine.map(partial(_on_part, work, parts), range(len(parts)))
    counted = each(stages.count)
    step("joining actions to posts")
    heard = coverage.together([*(state.known for state in before), *counted, *each(stages.receive)])
    known = covers or heard
    if previous:
        previous.expect_reported(known)
    with ThreadPoolExecutor(1) as meanwhile:
        if not work.leaves:
            meanwhile.submit(work.drop, "actions", "counts", "counts of posts", "owners of posts")
        step("getting to know engagers")
        strangers = hourly.together([*(state.engagers for state in before), *each(stages.acquaint)])
        meanwhile.submit(work.drop, "given", "given before")
        step("weighing actions")
        first = hourly.together([*(state.first_worth for state in before), *each(stages.appraise, strangers)])
        each(stages.weigh, first, influence=False)
        each(stages.ripen_first, known)
        step("weighing actions by influence")
        again = hourly.together([*(state.worth for state in before), *each(stages.appraise_again)])
        each(stages.weigh, again, influence=True)
        ripe = each(stages.ripen, known)
        networks = meanwhile.submit(network.Sums.together, [*(state.networks for state in before), *ripe])
        meanwhile.submit(work.drop, "hours", "worth", "influence", "first actions", "drew")
        step("telling accounts of their engagers")
        each(stages.tell)
    sums = networks.result()
    return Shards(work, known, sums), State(known, strangers, first, again, sums)


Files = Mapping[str, Sequence[str]]


def _on_shard(
    task: Callable[..., T], work: Work, given: Sequence[object], named: Mapping[str, object], shard: int
) -> T:
    return task(work, shard, *given, **named)


def _on_part(work: Work, parts: Sequence[Files], part: int) -> None:
    stages.split(work, part, parts[part])


def _parts(receipts: Iterable[Receipt]) -> list[Files]:
    """The files of batches by table, some batches at a time, so that a part has not many more rows than `ROWS_AT_ONCE`."""
    parts: list[dict[str, list[str]]] = [defaultdict(list)]
    rows = 0
    for receipt in receipts:
        rows += sum(receipt.rows.values())
        for table in receipt.bytes:
            parts[-1][table].append(receipt.stem)
        if rows > ROWS_AT_ONCE:
            parts.append(defaultdict(list))
            rows = 0
    return [*parts]
