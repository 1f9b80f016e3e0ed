"""What a stream says of one key at one moment, found by halving: a request asks for one row, and joins cost it too much."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.moments import MICROSECOND, Ints, microseconds
from clout.data.windows import Stream

Values = tuple[npt.NDArray[np.generic], npt.NDArray[np.bool_] | None]
Found = int | float | bool | None
Span = tuple[int, int]
NONE: Span = (0, 0)


@dataclass(frozen=True)
class Index:
    """A stream by key: `spans` are the rows of each value of its first key column, `forms` number the rest of the key.

    `at` is in microseconds since 1970, as are times among the `values`; beside values stands where they are missing.
    """

    key: tuple[str, ...]
    spans: Mapping[str, Span]
    forms: Mapping[tuple[object, ...], int]
    form: Ints
    at: Ints
    values: Mapping[str, Values]

    @classmethod
    def of(cls, stream: Stream) -> Index:
        """The index of `stream`; numbers are not copied."""
        first, *rest = stream.key
        runs = stream.frame[first].rle()
        ends = runs.struct.field("len").cast(pl.Int64).cum_sum().to_list()
        spans = dict(zip(runs.struct.field("value").to_list(), zip([0, *ends], ends, strict=False), strict=True))
        forms, form = _forms(stream.frame, rest)
        values = {name: _values(stream.frame[name]) for name in (*stream.totals, *stream.lasts)}
        return cls(stream.key, spans, forms, form, microseconds(stream.frame["at"]), values)

    def span(self, key: tuple[object, ...]) -> Span:
        """The rows of a key; none where a part of it is missing."""
        start, end = self.spans.get(str(key[0]), NONE)
        if len(key) == 1 or start == end:
            return start, end
        form = self.forms.get(key[1:])
        if form is None:
            return NONE
        return bisect_left(self.form, form, start, end), bisect_right(self.form, form, start, end)

    def newest(self, span: Span, at: int, columns: Iterable[str]) -> list[Found]:
        """`columns` of the newest row of `span` strictly before `at`, as `windows.newest` gives them."""
        row = bisect_left(self.at, at, *span) - 1
        return [self._value(column, row) if row >= span[0] else None for column in columns]

    def window(self, span: Span, at: int, columns: Iterable[str], width: timedelta | None) -> list[Found]:
        """Totals of the rows of `span` in `(at − width, at)`, as `windows.window` gives them."""
        now = bisect_left(self.at, at, *span) - 1
        then = span[0] - 1 if width is None else bisect_right(self.at, at - width // MICROSECOND, *span) - 1
        return [self._total(column, now, span[0]) - self._total(column, then, span[0]) for column in columns]

    def _value(self, column: str, row: int) -> Found:
        values, missing = self.values[column]
        return None if missing is not None and missing[row] else values.item(row)

    def _total(self, column: str, row: int, start: int) -> int:
        return self.values[column][0].item(row) if row >= start else 0


def _forms(frame: pl.DataFrame, keys: list[str]) -> tuple[dict[tuple[object, ...], int], Ints]:
    """A number for each form that is known in full, and the number of each row, rising within the first key."""
    if not keys:
        return {}, np.zeros(0, np.int64)
    forms = frame.select(keys).unique().sort(keys).with_row_index("form")
    numbers = {row[1:]: row[0] for row in forms.drop_nulls().iter_rows()}
    rows = frame.select(keys).join(forms, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return numbers, rows["form"].to_numpy().astype(np.int64)


def _values(series: pl.Series) -> Values:
    missing = series.is_null().to_numpy() if series.null_count() else None
    if series.dtype == pl.Datetime:
        series = series.dt.epoch("us")
    if missing is not None:
        series = series.fill_null(strategy="zero") if series.dtype.is_numeric() else series.fill_null(value=False)
    return series.to_numpy(), missing
