"""What the readers of archives share: values found in JSON of any shape, ids, moments, rows, and rows put together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from clout.data.tables import LONGEST_TEXT, REJECTS, SCHEMAS, entered
from clout.data.values import TIME

LONGEST_VALUE = 2_000
LONGEST_SHOWN = 1_000
UNREADABLE = "unreadable_row"
UNREADABLE_WORDS = "it cannot be read as JSON, or as an object of the kind that the archive has"
UNKNOWN = "unknown_kind"
_ENGLISH = re.compile(r"\w{3},? (\w{3}) (\d{1,2}) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4})")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_TYPES: dict[type, pl.DataType] = {int: pl.Int64(), bool: pl.Boolean(), datetime: TIME}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A row on its way to `table`; `reason` and `sentence` say why it is refused, if it is."""

    table: str
    values: Mapping[str, Any]
    reason: str | None = None
    sentence: str | None = None


class Broken(NamedTuple):
    """An item of an archive that could not be read: how it begins."""

    raw: str


@dataclass(frozen=True)
class About:
    """What an archive says of itself: whose it is, when its counts were read, and whatever its own module needs."""

    account: str | None = None
    read_at: datetime | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def at(item: object, *path: str | int) -> Any:  # noqa: ANN401 (anything that JSON holds)
    """What stands at `path` in parsed JSON; None where the JSON has another shape.

    >>> at({"a": [{"b": 3}]}, "a", 0, "b"), at({"a": "text"}, "a", "b")
    (3, None)
    """
    for step in path:
        if isinstance(item, dict) and isinstance(step, str):
            item = item.get(step)
        elif isinstance(item, list) and isinstance(step, int) and -len(item) <= step < len(item):
            item = item[step]
        else:
            return None
    return item


def objects(item: object) -> list[Any]:
    """`item` if it is a list, else none."""
    return item if isinstance(item, list) else []


def number_of(item: object) -> int | None:
    """How many things a list holds; None where there is no list."""
    return len(item) if isinstance(item, list) else None


def text(item: object) -> str | None:
    """`item` if it is text, else None."""
    return item if isinstance(item, str) else None


def identity(network: str, name: object) -> str | None:
    """The id `network/name`; None where `name` is no text or whole number.

    >>> identity("forum", 12), identity("forum", ""), identity("forum", ["12"])
    ('forum/12', None, None)
    """
    known = isinstance(name, str) or (isinstance(name, int) and not isinstance(name, bool))
    return f"{network}/{name}" if known and name != "" else None


def since_1970(value: object, per_second: int = 1) -> Any:  # noqa: ANN401 (what cannot be read is handed on)
    """The moment that many parts of a second after 1970; what is no such number stays, to be refused as a time."""
    try:
        return _EPOCH + timedelta(seconds=float(value) / per_second)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None if value is None else str(value)[:LONGEST_VALUE]


def english(value: object) -> Any:  # noqa: ANN401 (what cannot be read is handed on)
    """A moment such as `Sat Feb 18 12:33:11 +0000 2023` in ISO 8601; what is none stays."""
    found = _ENGLISH.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] not in _MONTHS:
        return value
    return f"{found[5]}-{_MONTHS.index(found[1]) + 1:02}-{int(found[2]):02}T{found[3]}{found[4]}"


def counts(post: str | None, read_at: object, kinds: Mapping[str, object], *, long_after: bool) -> Iterator[Row]:
    """A row of counts for each of `kinds` that is known; `long_after` where they were read once, after the fact."""
    for kind, count in kinds.items():
        if count is not None:
            clock = {"happened_at": read_at, "known_at": read_at, "retrospective": long_after}
            yield Row("counts", {"post": post, "kind": kind, "count": count, **clock})


def post(happened_at: object, **values: object) -> Row:
    """A row of posts that was known when it happened."""
    return Row("posts", {"kind": "original", **values, "happened_at": happened_at, "known_at": happened_at})


class Gathered:
    """Rows of some items, put together as frames for `tables.validate`; `size` is how many characters they hold."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: dict[str, list[tuple[int, Row]]] = {}
        self._refused: list[tuple[str, int, str, str, str]] = []
        self._accounts: set[str] = set()

    def add(self, number: int, row: Row) -> None:
        """Nothing; `row`, of the item of this number, is then among the rows; accounts that say the same are so once."""
        if row.table == "accounts" and self._is_repeated(row):
            return
        for value in row.values.values():
            if type(value) is str:
                self.size += len(value)
        self._rows.setdefault(row.table, []).append((number, row))

    def refuse(self, number: int, broken: Broken) -> None:
        """Nothing; the item of this number is then among the rejects."""
        self.size += LONGEST_SHOWN
        raw = _clean(broken.raw[:LONGEST_SHOWN]) or ""
        self._refused.append(("posts", number, UNREADABLE, UNREADABLE_WORDS, raw))

    def tables(self) -> dict[str, pl.DataFrame]:
        """The rows by table, each column typed if all of it is of one type, else as texts."""
        return {table: _frame(table, self._rows[table]) for table in SCHEMAS if table in self._rows}

    def rejects(self) -> pl.DataFrame:
        """The items that could not be read."""
        return pl.DataFrame(self._refused, schema=REJECTS, orient="row")

    def _is_repeated(self, row: Row) -> bool:
        told = repr(row.values)
        is_known = told in self._accounts
        self._accounts.add(told)
        return is_known


def _frame(table: str, rows: list[tuple[int, Row]]) -> pl.DataFrame:
    told = [row.values for _, row in rows]
    numbers = pl.Series("row", [number for number, _ in rows], pl.Int64)
    beside = [pl.Series(name, [getattr(row, name) for _, row in rows], pl.String) for name in ("reason", "sentence")]
    columns = [_column(name, [values.get(name) for values in told]) for name in entered(table)]
    frame = pl.DataFrame([numbers, *beside, *columns])
    for column in columns:
        if column.dtype == pl.String and (column.str.len_bytes().max() or 0) > LONGEST_VALUE:  # type: ignore[operator]
            frame = _cut(frame, column.name)
    return frame


def _column(name: str, values: list[Any]) -> pl.Series:
    """`values` as one type if they have one, else as texts."""
    kinds = {type(value) for value in values} - {type(None)}
    kind = _TYPES.get(kinds.pop(), pl.String()) if len(kinds) == 1 else pl.String()
    try:
        return pl.Series(name, values, kind, strict=True)
    except (TypeError, OverflowError, UnicodeEncodeError):
        return pl.Series(name, [_clean(value) for value in values], pl.String)


def _cut(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """`frame` without what nobody can need of a value that is too long; a text then still is, and any other is refused."""
    if name == "text":
        return frame.with_columns(pl.col(name).str.slice(0, LONGEST_TEXT + 1))
    long = (pl.col(name).str.len_chars() > LONGEST_VALUE).fill_null(value=False) & pl.col("reason").is_null()
    return frame.with_columns(
        pl.col(name).str.slice(0, LONGEST_VALUE),
        reason=pl.when(long).then(pl.lit("wrong_type")).otherwise("reason"),
        sentence=pl.when(long)
        .then(pl.lit(f"{name} is longer than {LONGEST_VALUE:,} characters"))
        .otherwise("sentence"),
    )


def _clean(value: Any) -> str | None:  # noqa: ANN401 (anything that JSON holds)
    """`value` as text that UTF-8 can write: JSON may hold halves of characters."""
    if value is None:
        return None
    told = value.isoformat() if isinstance(value, datetime) else value if isinstance(value, str) else str(value)
    return told.encode("utf-8", "replace").decode()
