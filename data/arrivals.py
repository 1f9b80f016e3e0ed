"""Rows that come in as plain values, a few at a time: each judged by the rules of its table, and put together again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from clout.data.lake import FORGOTTEN, FORGOTTEN_WORDS
from clout.data.tables import KEYS, NULLABLE, SCHEMAS, validate
from clout.data.tombstones import Tombstones
from clout.data.values import TIME

LONGEST_SHOWN = 60
MISSING = ("missing_id", "missing_time", "missing_value")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Arrival:
    """One row that came in: `key` is what makes it one, `content` the row as its table keeps it, as JSON.

    One that is refused has neither, but a `code`, what it says in `detail`, and the `column` if that one alone is why.
    Only a post of a forgotten account has a bare `content` too: the lake must hear of the post, to keep out what was
    counted on it.
    """

    key: str = ""
    content: str = ""
    code: str = ""
    detail: str = ""
    column: str | None = None


def judged(table: str, rows: Sequence[Any], now: datetime, tombstones: Tombstones) -> list[Arrival]:
    """What becomes of each of `rows`, in order; of rows with one key the first stays, see `tables.validate`."""
    strange = {number: arrival for number, row in enumerate(rows) if (arrival := _strange(table, row))}
    plain = [{"row": number, **_texts(table, row)} for number, row in enumerate(rows) if number not in strange]
    texts = pl.DataFrame(plain, schema={"row": pl.Int64, **dict.fromkeys(SCHEMAS[table], pl.String)})
    kept, refused = validate(table, texts, now)
    why = refused.select("row", "reason", "sentence").iter_rows()
    found = strange | {number: _refused(table, rows[number], code, said) for number, code, said in why}
    buried = tombstones.name(kept)
    for row, gone in zip(kept.iter_rows(named=True), buried, strict=True):
        number = row.pop("row")
        found[number] = _forgotten(table, row) if gone else _kept(table, row)
    return [found[number] for number in range(len(rows))]


def frame(table: str, contents: Iterable[str]) -> pl.DataFrame:
    """The rows whose `content` is given, typed as their table."""
    times = [name for name, kind in SCHEMAS[table].items() if kind == TIME]
    rows = [json.loads(content) for content in contents]
    for row in rows:
        row.update({name: datetime.fromisoformat(row[name]) for name in times})
    return pl.DataFrame(rows, schema=SCHEMAS[table])


def _strange(table: str, row: Any) -> Arrival | None:  # noqa: ANN401 (anything that JSON holds)
    """Why a row is refused that is none, or has what no row of the table can have."""
    schema = SCHEMAS[table]
    if not isinstance(row, Mapping):
        got = json.dumps(row, ensure_ascii=False)[:LONGEST_SHOWN]
        return Arrival(code="wrong_type", detail=f"got {got}; expected an object with the columns {', '.join(schema)}")
    for name, value in row.items():
        if name not in schema:
            words = f"{name[:LONGEST_SHOWN]} is none of the columns {', '.join(schema)}"
            return Arrival(code="unknown_column", detail=words, column=name)
        if isinstance(value, (dict, list)):
            return Arrival(code="wrong_type", detail=f"{name} holds several values, not one", column=name)
    return None


def _refused(table: str, row: Row, code: str, said: str) -> Arrival:
    if code in MISSING and (absent := _absent(table, row)):
        words = f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} missing"
        return Arrival(code=code, detail=words, column=absent[0] if len(absent) == 1 else None)
    column = said.split(" ", 1)[0]
    return Arrival(code=code, detail=said, column=column if column in SCHEMAS[table] else None)


def _absent(table: str, row: Row) -> list[str]:
    return [name for name in SCHEMAS[table] if name not in NULLABLE[table] and row.get(name) in {None, ""}]


def _forgotten(table: str, row: Row) -> Arrival:
    refused = Arrival(code=FORGOTTEN, detail=FORGOTTEN_WORDS)
    if table != "posts":
        return refused
    bare = _kept(table, {name: None if name in NULLABLE[table] else value for name, value in row.items()})
    return replace(refused, key=bare.key, content=bare.content)


def _texts(table: str, row: Row) -> dict[str, str | None]:
    return {name: _text(row.get(name)) for name in SCHEMAS[table]}


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value).lower()


def _kept(table: str, row: Row) -> Arrival:
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
    key = json.dumps([plain[name] for name in KEYS[table]], ensure_ascii=False)
    return Arrival(key=key, content=json.dumps(plain, ensure_ascii=False))
