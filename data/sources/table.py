"""From anybody's table in a file to the tables of the lake, as a mapping says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from clout.data.erasure import erase
from clout.data.lake import Lake
from clout.data.receipt import Receipt
from clout.data.sources.files import read_file
from clout.data.sources.mapping import (
    Accounts,
    Counts,
    Identities,
    Identity,
    Mapping,
    MappingError,
    Moment,
    Origin,
    Posts,
    Profiles,
    Section,
    Sort,
    Value,
    listed,
    meant,
)
from clout.data.sources.source import Forget
from clout.data.tables import KEYS, MINOR, NULLABLE, as_json, entered, minors_in, validate
from clout.data.values import Clock, Reading, read

Progress = Callable[[str, float], None]
LONG_AFTER = timedelta(days=60)


def ingest(
    lake: Lake,
    file: str | Path,
    mapping: Mapping,
    now: datetime,
    progress: Progress | None = None,
    forget: Forget | None = None,
    source: str | None = None,
    cursor: str = "",
) -> Receipt:
    """The receipt of `file` in `lake`: rows that break a rule are rejected and counted, the others stay.

    Nothing is written when the file cannot be read or lacks a column of the mapping. `progress` is called with the
    name of a step and the share of the work that is done. `forget` is given the accounts that the file says are
    minors'; without it they are forgotten in the lake alone. The receipt names the file, or `source`, and bears `cursor`.
    """
    report = progress or (lambda _step, _share: None)
    name = Path(file).name
    report(f"reading {name}", 0.0)
    raw = _without_missing(read_file(file), mapping.missing)
    check_columns(mapping, raw.columns, name)
    accepted, rejects, minors = {}, [], frozenset[str]()
    for place, table in enumerate(mapping.sections):
        report(f"checking {table}", 0.3 + 0.4 * place / len(mapping.sections))
        frame = frame_of(mapping, table, raw)
        minors |= minors_in(frame)
        accepted[table], refused = validate(table, frame, now)
        rejects.append(_with_raw(refused, raw))
    _refuse_unsaid(mapping, accepted)
    if minors:
        (forget or partial(erase, lake, day=now.date()))(minors, MINOR)
    report("writing to the lake", 0.7)
    told = pl.concat(rejects)
    receipt = lake.append(accepted, source=source or name, note=mapping.note, rejects=told, cursor=cursor)
    report("done", 1.0)
    return receipt


def _refuse_unsaid(mapping: Mapping, accepted: dict[str, pl.DataFrame]) -> None:
    """Nothing, unless counts were read long after their posts and the mapping does not say what that means."""
    counts = mapping.sections.get("counts")
    if counts is None or "posts" not in accepted or "retrospective" in counts.model_fields_set:
        return
    pairs = accepted["counts"].join(accepted["posts"], on="post", suffix="_post")
    late = pairs.select((pl.col("happened_at") - pl.col("happened_at_post")).median()).item()
    if late is not None and late > LONG_AFTER:
        raise MappingError(
            f"the counts were read {late.days} days after their posts (the median); expected the mapping to say what that "
            "means: retrospective = true under [counts] where each post was counted once, long after, so that its count "
            "is taken as known when the post had ripened; retrospective = false where counts are known from their reading on"
        )


def check_columns(mapping: Mapping, columns: Sequence[str], file: str) -> None:
    """Nothing when `columns` has every column that `mapping` names; else a `MappingError` tells those it lacks."""
    absent: dict[str, str] = {}
    for where, name in _named(mapping, ""):
        if name not in columns:
            absent.setdefault(name, where)
    if absent:
        first = list(absent.items())[:5]
        told = ", ".join(f"{name!r} for {where}{meant(name, columns)}" for name, where in first)
        told += f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        raise MappingError(
            f"{file} lacks columns that the mapping names: {told}; it has {listed(columns)}: mend one of the two"
        )


def frame_of(mapping: Mapping, table: str, raw: pl.DataFrame) -> pl.DataFrame:
    """The rows for `table` in `raw`, with `row` counted from 1 and a reason where a value cannot be read."""
    section = mapping.sections[table]
    columns = _Columns(raw.schema, mapping.network)
    dropped = [columns.truth(name) for name in (mapping.drop_where, section.drop_where) if name is not None]
    if isinstance(section, Counts):
        kinds = [columns.readings(table, section) | columns.count(kind, section) for kind in section.kinds]
        return pl.concat(_selected(raw, readings, dropped) for readings in kinds).filter(
            pl.col("count").is_not_null() | pl.col("reason").is_not_null()
        )
    frame = _selected(raw, columns.readings(table, section), dropped)
    repeated = isinstance(section, Accounts | Profiles | Identities) or (
        isinstance(section, Posts) and section.repeated
    )
    return _once(table, frame) if repeated else frame


class _Columns:
    """The columns of a file as a mapping reads them."""

    def __init__(self, schema: pl.Schema, network: Value) -> None:
        self._schema = schema
        self._network = self.reading(network, pl.String())

    def readings(self, table: str, section: Section) -> dict[str, Reading]:
        """The reading of each column of `table` that `section` or the network gives."""
        schema = entered(table)
        found = {name: getattr(section, name, None) for name in schema}
        read_in = {
            name: self.reading(source, schema[name]) for name, source in found.items() if isinstance(source, Origin)
        }
        if "network" in schema:
            read_in["network"] = self._network
        if "known_at" in schema and "known_at" not in read_in:
            read_in["known_at"] = Reading(read_in["happened_at"].value, ())
        if "text" in read_in:
            read_in["text"] = Reading(read_in["text"].value.fill_null(""), read_in["text"].faults)
        return read_in

    def count(self, kind: str, section: Counts) -> dict[str, Reading]:
        """The readings of what counts of `kind` have and no column tells."""
        return {
            "kind": Reading(pl.lit(kind), ()),
            "count": self.reading(section.kinds[kind], pl.Int64()),
            "retrospective": Reading(pl.lit(section.retrospective), ()),
        }

    def reading(self, source: Origin, want: pl.DataType) -> Reading:
        """`source` read as `want`."""
        raw, have = self._origin(source)
        if isinstance(source, Value) and source.values:
            raw, have = raw.cast(pl.String).replace(source.values), pl.String()
        if not isinstance(source, Moment):
            reading = read(raw, have, want)
            return self._identity(reading, source.prefix) if isinstance(source, Identity) else reading
        if have.is_numeric() and source.unit is None:
            raise MappingError(
                f"{source.column or 'a time'} holds numbers ({have}); expected the mapping to say what they count "
                'since 1970: add unit = "s", "ms" or "us"'
            )
        return read(raw, have, want, Clock(source.unit, source.format, source.zone))

    def truth(self, column: str) -> pl.Expr:
        """Where `column` is true."""
        return read(pl.col(column), self._schema[column], pl.Boolean()).value.fill_null(value=False)

    def _identity(self, reading: Reading, prefix: str) -> Reading:
        known = pl.when(reading.value != "").then(reading.value)
        return Reading(self._network.value + pl.lit(f"/{prefix}") + known, reading.faults)

    def _origin(self, source: Origin) -> tuple[pl.Expr, pl.DataType]:
        """Where `source` comes from, and its type."""
        if source.column is not None:
            return pl.col(source.column), self._schema[source.column]
        if source.first_of is not None:
            types = {self._schema[name] for name in source.first_of}
            if len(types) == 1:
                return pl.coalesce(source.first_of), types.pop()
            return pl.coalesce(pl.col(name).cast(pl.String) for name in source.first_of), pl.String()
        if isinstance(source, Identity) and source.join is not None:
            return pl.concat_str([self._piece(name) for name in source.join], separator=":"), pl.String()
        if isinstance(source, Sort) and source.flags is not None:
            kinds = [pl.when(self.truth(name)).then(pl.lit(kind)) for kind, name in source.flags.items()]
            return pl.coalesce(*kinds, pl.lit(source.otherwise)), pl.String()
        value = source.constant
        value = value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value
        return pl.lit(value), pl.Series([value]).dtype

    def _piece(self, name: str) -> pl.Expr:
        column = pl.col(name)
        is_time = isinstance(self._schema[name], pl.Datetime)
        return (column.dt.epoch("us") if is_time else column).cast(pl.String)


def _selected(raw: pl.DataFrame, readings: dict[str, Reading], dropped: Sequence[pl.Expr]) -> pl.DataFrame:
    faults = [(name, fault) for name, reading in readings.items() for fault in reading.faults]
    none = pl.lit(None, pl.String)
    frame = raw.select(
        pl.any_horizontal(pl.lit(value=False), *dropped).alias("dropped"),
        row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        reason=pl.coalesce(*(pl.when(fault.broken).then(pl.lit(fault.code)) for _, fault in faults), none),
        sentence=pl.coalesce(
            *(pl.when(fault.broken).then(pl.lit(fault.words.format(column=name))) for name, fault in faults), none
        ),
        **{name: reading.value for name, reading in readings.items()},
    )
    return frame.filter(~pl.col("dropped")).drop("dropped")


def _once(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with rows that say the same taken once; what a row does not know is filled in from others of its key."""
    columns = [name for name in entered(table) if name in frame.columns]
    key = list(KEYS[table])
    if "minor" in columns:
        frame = frame.with_columns(pl.col("minor").any().over(key))
    gaps = [name for name in columns if name in NULLABLE[table]]
    clocks = [name for name in ("happened_at", "known_at") if name in columns and name not in key]
    readable = frame.filter(pl.col("reason").is_null())
    told = (
        readable.unique(columns, keep="first", maintain_order=True)
        .with_columns(pl.col(gaps).fill_null(pl.col(gaps).drop_nulls().first().over(key)))
        .with_columns(pl.col(clocks).min().over(key))
        .unique(columns, keep="first", maintain_order=True)
    )
    return pl.concat([told, frame.filter(pl.col("reason").is_not_null())]).sort("row")


def _without_missing(raw: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """`raw` with null in place of the texts in `missing`; "NaN" among them also stands for numbers that are NaN."""
    if not missing:
        return raw
    texts = [name for name, kind in raw.schema.items() if kind == pl.String]
    decimals = [name for name, kind in raw.schema.items() if kind.is_float()]
    known = [pl.when(~pl.col(name).is_in(missing)).then(pl.col(name)).alias(name) for name in texts]
    if "NaN" in missing:
        known.append(pl.col(decimals).fill_nan(None))
    return raw.with_columns(known)


def _with_raw(refused: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """`refused` with the rows of the file, as JSON, in place of the rows of the table."""
    rows = refused["row"].unique().sort()
    lines = pl.DataFrame({"row": rows, "raw": as_json(raw[rows - 1])}, schema={"row": pl.Int64, "raw": pl.String})
    told = refused.drop("raw").join(lines, on="row", how="left", maintain_order="left")
    return told.with_columns(raw=pl.when(pl.col("reason") != MINOR).then("raw").otherwise(pl.lit("")))


def _named(part: object, where: str) -> Iterator[tuple[str, str]]:
    """Each column that `part` of a mapping names, and where it does."""
    if isinstance(part, Origin):
        names = [part.column, *(part.first_of or ()), *(getattr(part, "join", None) or ())]
        names += (getattr(part, "flags", None) or {}).values()
        yield from ((where, name) for name in names if name is not None)
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            inner = getattr(part, name)
            if name == "drop_where" and inner is not None:
                yield f"{where}.{name}".lstrip("."), inner
            yield from _named(inner, f"{where}.{name}".lstrip("."))
    elif isinstance(part, dict):
        for name, inner in part.items():
            yield from _named(inner, f"{where}.{name}")
