"""A sharded run from beginning to end: which task comes after which, and what is summed between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from clout.data import coverage, hourly
from clout.data.lake import Lake
from clout.data.receipt import Receipt, totals
from clout.errors import CloutError
from clout.features import network
from clout.features.sharded import stages
from clout.features.sharded.work import OUT, Work

T = TypeVar("T")
ROWS_AT_ONCE, FEWEST = 1_000_000, 4
STEPS = 7


class FeaturesError(CloutError):
    """Features cannot be measured, or not be written where they should be."""

    code = "features"


class Engine(Protocol):
    """Who runs tasks: processes of this machine, or of others."""

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order; several may run at once, and one more than once."""


def measure(
    lake: Lake,
    out: Path,
    engine: Engine,
    horizon: timedelta,
    action_values: Mapping[str, float],
    shards: int | None = None,
    step: Callable[[str], None] = lambda _: None,
    judge: stages.Judge | None = None,
) -> stages.Measured:
    """How much was measured; the folder `out` then has `posts` and `accounts`, a Parquet file a shard each.

    Features of posts are those of `features.compute`; without a `judge` no words were learned, so `wording_lift` is
    missing. With one there are `scores` too. Features of accounts are those that no post of theirs changes, when the data
    end. Without `shards` there is one for each 1,000,000 actions or posts. What is on the way lies beside `out`, in a folder that is gone when this ends.
    """
    rows = _rows(lake, out)
    shards = shards or max(FEWEST, ceil(max(rows.get("actions", 0), rows["posts"]) / ROWS_AT_ONCE))
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        url = lake.url if "://" in lake.url else str(Path(lake.url).absolute())
        work = Work(url, Path(folder), shards, horizon, action_values, undone="removals" in rows)
        measured = _run(work, _parts(lake.receipts()), engine, step, judge)
        (Path(folder) / OUT).rename(out)
    return measured


def _rows(lake: Lake, out: Path) -> dict[str, int]:
    if out.exists():
        raise FeaturesError(f"{out} is there already; expected a folder that is not: name another, or remove it")
    rows = totals(lake.receipts())["rows"]
    if not rows.get("posts"):
        raise FeaturesError(
            f"the lake {lake.url} has no posts; expected some to measure: run `clout ingest` or `clout simulate` first"
        )
    return rows


def _run(
    work: Work, parts: Sequence[Files], engine: Engine, step: Callable[[str], None], judge: stages.Judge | None
) -> stages.Measured:
    def each(task: Callable[..., T], *given: object, **named: object) -> list[T]:
        return engine.map(partial(_on_shard, task, work, given, named), range(work.shards))

    step("cutting the lake into shards")
    engine.map(partial(_on_part, work, parts), range(len(parts)))
    counted = each(stages.count)
    step("joining actions to posts")
    known = coverage.together([*counted, *each(stages.receive)])
    work.drop("actions", "counts", "counts of posts", "owners of posts")
    step("getting to know engagers")
    sums = hourly.together(each(stages.acquaint))
    work.drop("given", "removals")
    step("weighing actions")
    sums = hourly.together(each(stages.appraise, sums))
    each(stages.weigh, sums, influence=False)
    each(stages.ripen, known)
    step("weighing actions by influence")
    sums = hourly.together(each(stages.appraise_again))
    each(stages.weigh, sums, influence=True)
    networks = network.Sums.together(each(stages.ripen, known))
    step("telling accounts of their engagers")
    each(stages.tell)
    work.drop("known", "worth", "influence", "weight", "first actions", "drew")
    step("measuring posts")
    return stages.Measured(*map(sum, zip(*each(stages.measure, known, networks, judge), strict=True)))


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
