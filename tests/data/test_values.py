"""Values of any type become typed ones, and what cannot be read is told apart from what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.data.values import TIME, Clock, Reading, read

NOON = datetime(2016, 5, 3, 12, 0, tzinfo=UTC)


def values_of(raw: pl.Series, want: pl.DataType, clock: Clock | None = None) -> tuple[list[object], list[str | None]]:
    """The values read from `raw`, and the code of the first fault of each."""
    reading: Reading = read(pl.col("raw"), raw.dtype, want, clock or Clock())
    faults = [pl.when(fault.broken).then(pl.lit(fault.code)) for fault in reading.faults]
    frame = raw.alias("raw").to_frame()
    told = frame.select(pl.coalesce(*faults, pl.lit(None, pl.String)).alias("fault"), value=reading.value)
    frame = frame.with_columns(told)
    assert frame.schema["value"] == want
    return frame["value"].to_list(), frame["fault"].to_list()


def test_whole_numbers_come_from_texts_and_decimals():
    raw = pl.Series(["12", " 3 ", "12.0", "1e3", "-4", "", None])
    assert values_of(raw, pl.Int64()) == ([12, 3, 12, 1000, -4, None, None], [None] * 7)
    assert values_of(pl.Series([2.0, None]), pl.Int64()) == ([2, None], [None] * 2)
    assert values_of(pl.Series([7], dtype=pl.UInt8), pl.Int64()) == ([7], [None])


def test_a_number_that_is_none_has_a_fault():
    raw = pl.Series(["many", "NaN", "1.5", "inf", "9" * 30])
    codes = ["wrong_type", "not_a_number", "not_a_whole_number", "wrong_type", "wrong_type"]
    assert values_of(raw, pl.Int64()) == ([None] * 5, codes)
    assert values_of(pl.Series([float("nan"), 2.5]), pl.Int64())[1] == ["not_a_number", "not_a_whole_number"]
    assert values_of(pl.Series([True]), pl.Int64())[1] == ["wrong_type"]
    assert values_of(pl.Series([2**64 - 1], dtype=pl.UInt64), pl.Int64())[1] == ["wrong_type"]


def test_truth_is_read_from_words_and_numbers():
    raw = pl.Series(["Yes", "false", "1", "0.0", "maybe", None])
    assert values_of(raw, pl.Boolean()) == ([True, False, True, False, None, None], [None] * 4 + ["wrong_type", None])
    assert values_of(pl.Series([1.0, 0.0, 2.0]), pl.Boolean())[0] == [True, False, None]


def test_an_id_that_a_decimal_has_rounded_is_a_fault():
    raw = pl.Series([12.0, 727572093248884736.0, 0.5])
    assert values_of(raw, pl.String()) == (["12", None, None], [None, "wrong_type", "wrong_type"])
    assert values_of(pl.Series([727572093248884736]), pl.String()) == (["727572093248884736"], [None])
    assert values_of(pl.Series([[1]]), pl.String())[1] == ["wrong_type"]


@pytest.mark.parametrize(
    "text",
    [
        "2016-05-03T12:00:00Z",
        "2016-05-03 12:00:00",
        "2016-05-03T12:00",
        "2016-05-03 14:00:00.000+02:00",
        "2016-05-03T14:00+0200",
        "2016-05-03 14:00:00 +02",
        "2016-05-03 12:00:00 UTC",
    ],
)
def test_iso_times_in_their_many_forms(text: str):
    assert values_of(pl.Series([text]), TIME) == ([NOON], [None])


@pytest.mark.parametrize("text", ["2016-13-01", "yesterday", "1462276800", "2016-05-03T25:00:00Z"])
def test_a_text_that_is_no_time_has_a_fault(text: str):
    assert values_of(pl.Series([text]), TIME) == ([None], ["unreadable_time"])


@pytest.mark.parametrize(("unit", "number"), [("s", 1462276800), ("ms", 1462276800000), ("us", 1462276800000000)])
def test_numbers_count_a_unit_since_1970(unit: str, number: int):
    clock = Clock(unit=unit)
    assert values_of(pl.Series([number]), TIME, clock) == ([NOON], [None])
    assert values_of(pl.Series([str(number), "soon", ""]), TIME, clock)[1] == [None, "unreadable_time", None]
    assert values_of(pl.Series([float(number), float("nan")]), TIME, clock) == ([NOON, None], [None, "unreadable_time"])
    assert values_of(pl.Series([2**62]), TIME, clock)[1] == ["unreadable_time"]


def test_numbers_without_a_unit_are_no_times():
    assert values_of(pl.Series([1462276800]), TIME) == ([None], ["unreadable_time"])


def test_a_pattern_and_a_zone():
    berlin = Clock(pattern="%d.%m.%Y %H:%M", zone="Europe/Berlin")
    assert values_of(pl.Series(["03.05.2016 14:00"]), TIME, berlin) == ([NOON], [None])
    twitter = Clock(pattern="%a %b %d %H:%M:%S %z %Y")
    assert values_of(pl.Series(["Tue May 03 12:00:00 +0000 2016"]), TIME, twitter) == ([NOON], [None])


def test_an_hour_that_the_clocks_skip_is_a_fault_and_one_they_repeat_is_the_first():
    berlin = Clock(zone="Europe/Berlin")
    raw = pl.Series(["2016-03-27 02:30:00", "2016-10-30 02:30:00"])
    first = datetime(2016, 10, 30, 0, 30, tzinfo=UTC)
    assert values_of(raw, TIME, berlin) == ([None, first], ["unreadable_time", None])


def test_dates_and_times_of_other_zones_and_units():
    assert values_of(pl.Series([date(2016, 5, 3)]), TIME)[0] == [NOON - timedelta(hours=12)]
    assert values_of(pl.Series([NOON.replace(tzinfo=None)], dtype=pl.Datetime("ms")), TIME)[0] == [NOON]
    tokyo = pl.Series([NOON]).dt.convert_time_zone("Asia/Tokyo")
    assert values_of(tokyo, TIME)[0] == [NOON]


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)),  # noqa: DTZ001 (the offset is drawn)
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_in_iso_is_read_back(moment: datetime, minutes: int):
    written = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert values_of(pl.Series([written.isoformat()]), TIME) == ([written.astimezone(UTC)], [None])
