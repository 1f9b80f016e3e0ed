"""A sharded run from beginning to end: which task comes after which, and what is summed between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from clout.data import coverage, hourly
from clout.data.lake import Lake
from clout.data.receipt import Receipt
from clout.features import network
from clout.features.sharded import stages
from clout.features.sharded.work import Work

T = TypeVar("T")
ROWS_AT_ONCE = 1_000_000


class Engine(Protocol):
    """Who runs tasks: processes of this machine, or of others."""

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order; several may run at once."""


def measure(work: Work, engine: Engine, step: Callable[[str], None] = lambda _: None) -> None:
    """Nothing; the features of each shard's posts are then kept as `features`."""
    shards = range(work.shards)

    def each(task: Callable[..., T], *given: object, **named: object) -> list[T]:
        return engine.map(partial(_on_shard, task, work, given, named), shards)

    step("cutting the lake into shards")
    parts = _parts(Lake(work.lake).receipts())
    engine.map(partial(_on_part, work, parts), range(len(parts)))
    each(stages.count)
    step("joining actions to posts")
    known = coverage.together(each(stages.receive))
    step("getting to know engagers")
    sums = hourly.together(each(stages.acquaint))
    sums = hourly.together(each(stages.appraise, sums))
    step("weighing actions")
    each(stages.weigh, sums, influence=False)
    each(stages.ripen, known)
    step("weighing actions by influence")
    sums = hourly.together(each(stages.appraise_again))
    each(stages.weigh, sums, influence=True)
    networks = network.Sums.together(each(stages.ripen, known))
    step("telling accounts of their engagers")
    each(stages.tell)
    step("measuring posts")
    each(stages.measure, known, networks)


def _on_shard(task: Callable[..., T], work: Work, given: Sequence[object], named: dict[str, object], shard: int) -> T:
    return task(work, shard, *given, **named)


def _on_part(work: Work, parts: Sequence[Mapping[str, Sequence[str]]], part: int) -> None:
    stages.split(work, part, parts[part])


def _parts(receipts: Iterable[Receipt]) -> list[Mapping[str, Sequence[str]]]:
    """The files of batches by table, some batches at a time, so that a part has not many more rows than `ROWS_AT_ONCE`."""
    parts: list[defaultdict[str, list[str]]] = [defaultdict(list)]
    rows = 0
    for receipt in receipts:
        rows += sum(receipt.rows.values())
        for table in receipt.bytes:
            parts[-1][table].append(receipt.stem)
        if rows > ROWS_AT_ONCE:
            parts.append(defaultdict(list))
            rows = 0
    return [*parts]
