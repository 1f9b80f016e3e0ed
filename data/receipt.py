"""What the lake remembers of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Receipt(BaseModel):
    """A batch: where it came from, and its rows by table and by reason.

    `rows` were appended, `already_there` were in the lake before, `rejected` counts rejects by reason. `number`
    orders the batches of a lake, and is 0 when the batch had nothing new and nothing was written. `digests` and
    `bytes` tell what the batch's files hold and how long they are, `ends` between which first keys the rows of a table
    are (older lakes do not say). Each time rows were `erased`, the batch was written anew as another `edition`; `batch`
    stays the name of what came in. `cursor` is where its source goes on after it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: str
    number: int
    source: str
    note: str = ""
    rows: dict[str, int] = {}
    already_there: dict[str, int] = {}
    rejected: dict[str, int] = {}
    digests: dict[str, str] = {}
    bytes: dict[str, int] = {}
    erased: dict[str, int] = {}
    ends: dict[str, tuple[str, str]] = {}
    edition: int = 0
    cursor: str = ""

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return stem(self.batch, self.edition)

    def may_hold(self, table: str, least: str, most: str) -> bool:
        """Whether a row of `table` may have a first key from `least` to `most`."""
        if table not in self.bytes:
            return False
        first, last = self.ends.get(table, (least, most))
        return first <= most and least <= last

    def again(self, rows: Mapping[str, int]) -> Receipt:
        """The receipt of this batch given once more with `rows` accepted: nothing is new."""
        there = {table: count for table, count in rows.items() if count}
        return self.model_copy(update={"number": 0, "rows": {}, "already_there": there})

    def sums(self) -> tuple[int, int]:
        """(rows, rejected) over all tables and reasons."""
        return sum(self.rows.values()), sum(self.rejected.values())

    def told(self) -> dict[str, Any]:
        """What people and programs are shown of it."""
        return self.model_dump(exclude={"digests", "bytes", "ends", "edition", "cursor"})


def stem(batch: str, edition: int) -> str:
    """How the names of the files of an edition of a batch begin."""
    return f"{batch}-{edition}" if edition else batch


def totals(receipts: Iterable[Receipt]) -> dict[str, dict[str, int]]:
    """`rows` by table and `rejected` by reason, over all `receipts`."""
    rows: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for receipt in receipts:
        rows.update(receipt.rows)
        rejected.update(receipt.rejected)
    return {"rows": dict(rows), "rejected": dict(rejected)}
