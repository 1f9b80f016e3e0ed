"""How a column of any type becomes a typed one, and which of its values cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

TIME = pl.Datetime("us", "UTC")
TRUE = ("true", "t", "yes", "y", "1", "1.0")
FALSE = ("false", "f", "no", "n", "0", "0.0")
Unit = Literal["s", "ms", "us"]
_MICROSECONDS: dict[Unit, int] = {"s": 1_000_000, "ms": 1_000, "us": 1}
_EXACT = 2**53
_YEAR_10000 = 253_402_300_800_000_000
_ISO = ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z")
_ISO_LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


@dataclass(frozen=True)
class Fault:
    """A way a value can be unreadable: a code for programs, words for people, and where it stands."""

    code: str
    words: str
    broken: pl.Expr


@dataclass(frozen=True)
class Reading:
    """A column as read: typed values, null where missing or unreadable, and the faults telling which."""

    value: pl.Expr
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Clock:
    """How times are written: numbers count `unit` since 1970, texts follow the strptime `pattern` or else ISO 8601.

    A time without an offset is taken in `zone`.
    """

    unit: Unit | None = None
    pattern: str | None = None
    zone: str = "UTC"


ISO_CLOCK = Clock()


def read(raw: pl.Expr, have: pl.DataType, want: pl.DataType, clock: Clock = ISO_CLOCK) -> Reading:
    """The reading of `raw`, which holds `have`, as `want`: one of String, Int64, Boolean, TIME.

    A blank text is missing wherever `want` is not text itself.
    """
    if have == pl.Null:
        return Reading(raw.cast(want), ())
    if have == pl.String and want != pl.String:
        raw = pl.when(raw.str.strip_chars() != "").then(raw)
    if want == pl.Int64:
        return read_integer(raw, have)
    if want == pl.Boolean:
        return read_boolean(raw, have)
    return read_time(raw, have, clock) if want == TIME else read_string(raw, have)


def read_integer(raw: pl.Expr, have: pl.DataType) -> Reading:
    """Whole numbers; decimals such as `12.0` and texts such as `"12"` count as whole."""
    if have.is_integer():
        value = raw.cast(pl.Int64, strict=False)
        return Reading(value, (_unreadable("wrong_type", "{column} is too large a number", raw, value),))
    if not (have.is_numeric() or have == pl.String):
        return _nothing(raw, pl.Int64(), f"{{column}} holds {have}, not a whole number")
    number = (raw.str.strip_chars() if have == pl.String else raw).cast(pl.Float64, strict=False)
    whole = number.is_finite() & (number == number.floor())
    value = pl.when(whole).then(number).cast(pl.Int64, strict=False)
    return Reading(
        value,
        (
            Fault("not_a_number", "{column} is NaN: leave a value that is not known empty", number.is_nan()),
            Fault(
                "not_a_whole_number",
                "{column} is a fraction, not a whole number",
                number.is_finite() & ~whole,
            ),
            _unreadable("wrong_type", "{column} cannot be read as a whole number", raw, value),
        ),
    )


def read_boolean(raw: pl.Expr, have: pl.DataType) -> Reading:
    """True and false, also written as yes and no or 1 and 0."""
    if have == pl.Boolean:
        return Reading(raw, ())
    word = raw.cast(pl.String).str.strip_chars().str.to_lowercase()
    value = pl.when(word.is_in(TRUE)).then(statement=True).when(word.is_in(FALSE)).then(statement=False)
    return Reading(value, (_unreadable("wrong_type", "{column} is neither true nor false", raw, value),))


def read_string(raw: pl.Expr, have: pl.DataType) -> Reading:
    """Text; whole numbers are written out, and a decimal that has lost digits of an id is a fault."""
    if have.is_nested() or have == pl.Binary:
        return _nothing(raw, pl.String(), f"{{column}} holds {have}, not text")
    if not have.is_float():
        return Reading(raw.cast(pl.String), ())
    exact = raw.is_finite() & (raw == raw.floor()) & (raw.abs() < _EXACT)
    value = pl.when(exact).then(raw).cast(pl.Int64, strict=False).cast(pl.String)
    words = "{column} is a decimal number that cannot hold an id exactly: give ids as text or whole numbers"
    return Reading(value, (_unreadable("wrong_type", words, raw, value),))


def read_time(raw: pl.Expr, have: pl.DataType, clock: Clock = ISO_CLOCK) -> Reading:
    """Moments in UTC, from times, dates, texts or, where the clock has a unit, numbers."""
    if isinstance(have, pl.Datetime) and have.time_zone is not None:
        value = raw.dt.convert_time_zone("UTC").cast(TIME)
    elif isinstance(have, pl.Datetime) or have == pl.Date:
        value = _in_zone(raw.cast(pl.Datetime("us")), clock.zone)
    elif clock.unit is not None and (have.is_numeric() or have == pl.String):
        value = _since_1970(raw, have, clock.unit)
    elif have == pl.String:
        value = _parsed(raw.str.strip_chars(), clock)
    else:
        return _nothing(raw, TIME, f"{{column}} holds {have}, not a time", "unreadable_time")
    return Reading(
        value,
        (
            _unreadable(
                "unreadable_time",
                "{column} cannot be read as a time: it is not ISO 8601, or not in the format of the mapping",
                raw,
                value,
            ),
        ),
    )


def _since_1970(raw: pl.Expr, have: pl.DataType, unit: Unit) -> pl.Expr:
    whole = pl.lit(None, pl.Int64) if have.is_float() else raw.cast(pl.Int64, strict=False)
    decimal = raw.cast(pl.Float64, strict=False)
    scaled = (decimal * _MICROSECONDS[unit]).round()
    moment = pl.coalesce(whole * _MICROSECONDS[unit], scaled.cast(pl.Int64, strict=False))
    return pl.when(scaled.abs() < _YEAR_10000).then(moment).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _parsed(text: pl.Expr, clock: Clock) -> pl.Expr:
    if clock.pattern is not None:
        if "%z" in clock.pattern:
            return text.str.strptime(TIME, clock.pattern, strict=False)
        return _in_zone(text.str.strptime(pl.Datetime("us"), clock.pattern, strict=False), clock.zone)
    plain = text.str.replace(r"^(\d{4}-\d\d-\d\d) +", "${1}T").str.replace(r" *(?:Z|z|UTC|GMT)$", "+00:00")
    plain = plain.str.replace(r" +([+-]\d\d(?::?\d\d)?)$", "${1}").str.replace(r"(:\d\d(?:\.\d+)?[+-]\d\d)$", "${1}:00")
    aware = [plain.str.strptime(TIME, form, strict=False) for form in _ISO]
    local = [_in_zone(plain.str.strptime(pl.Datetime("us"), form, strict=False), clock.zone) for form in _ISO_LOCAL]
    return pl.coalesce(*aware, *local)


def _in_zone(local: pl.Expr, zone: str) -> pl.Expr:
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _unreadable(code: str, words: str, raw: pl.Expr, value: pl.Expr) -> Fault:
    return Fault(code, words, raw.is_not_null() & value.is_null())


def _nothing(raw: pl.Expr, want: pl.DataType, words: str, code: str = "wrong_type") -> Reading:
    return Reading(pl.lit(None, want), (Fault(code, words, raw.is_not_null()),))
