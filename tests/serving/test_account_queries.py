"""What addresses say, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.datastructures import QueryParams

from clout.serving.accounts.queries import Name, Range, network, no_query, others, time_range
from clout.serving.problems import ProblemError

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def refused(error: pytest.ExceptionInfo[ProblemError]) -> tuple[str, str, str]:
    """Code of the problem, pointer and code of its fault."""
    [fault] = error.value.errors
    return error.value.kind.code, fault.pointer, fault.code


def test_no_ends_when_nothing_is_said() -> None:
    assert time_range(QueryParams(""), NOW) == Range(None, None)


def test_a_day_is_whole() -> None:
    found = time_range(QueryParams("since=2026-01-01&until=2026-01-01"), NOW)
    assert found.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.until == datetime(2026, 1, 2, tzinfo=UTC) - timedelta(microseconds=1)
    today = time_range(QueryParams("until=2026-03-02"), NOW).until
    assert today is not None
    assert today > NOW


def test_moments_are_utc() -> None:
    found = time_range(QueryParams("since=2026-01-01T02:00:00%2B02:00&until=2026-01-01T12:00:00Z"), NOW)
    assert found == Range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert found.since.tzinfo == UTC


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("since=yesterday", "/query/since", "time_format"),
        ("since=1772461800", "/query/since", "time_format"),
        ("since=", "/query/since", "time_format"),
        ("since=2026-02-30", "/query/since", "time_format"),
        ("until=2026-01-01T25:00:00Z", "/query/until", "time_format"),
        ("until=2026-01-01T10:00:00", "/query/until", "time_format"),
        ("until=2026-01-01T10:00:00+02:00", "/query/until", "time_format"),
        ("until=0001-01-01T00:00:00%2B14:00", "/query/until", "time_format"),
        ("until=1066-10-14", "/query/until", "time_range"),
        ("until=2027-01-01", "/query/until", "time_range"),
        ("since=2026-02-02&until=2026-02-01", "/query/since", "order"),
        ("since=2026-03-03", "/query/since", "order"),
        ("since=2026-02-01&since=2026-02-02", "/query/since", "repeated"),
        ("sinse=2026-02-01", "/query/sinse", "extra_forbidden"),
        ("a/~b=1", "/query/a~1~0b", "extra_forbidden"),
    ],
)
def test_times_that_are_refused(query: str, pointer: str, code: str) -> None:
    with pytest.raises(ProblemError) as error:
        time_range(QueryParams(query), NOW)
    assert refused(error) == ("invalid_query", pointer, code)
    assert "expected" in error.value.detail


def test_others_repeated_or_with_commas() -> None:
    expected = [Name("a", "1", "/query/with"), Name("b", "@amy", "/query/with"), Name("b", "c/d", "/query/with")]
    assert others(QueryParams("with=a/1,b/@amy&with=b/c/d")) == expected
    assert others(QueryParams("with=a/1, b/@amy,b/c%2Fd")) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "number_of_accounts"),
        ("with=", "number_of_accounts"),
        ("with=a/1,,a/2", "number_of_accounts"),
        ("with=a/1,a/2,a/3&with=a/4,a/5", "number_of_accounts"),
        ("with=amy", "account_format"),
        ("with=/1", "account_format"),
        ("with=a/", "account_format"),
    ],
)
def test_others_that_are_refused(query: str, code: str) -> None:
    with pytest.raises(ProblemError) as error:
        others(QueryParams(query))
    assert refused(error) == ("invalid_query", "/query/with", code)


def test_a_network() -> None:
    assert network(QueryParams("network=commons")) == "commons"
    for query, code in (("", "missing"), ("network=", "missing"), ("network=a&network=b", "repeated")):
        with pytest.raises(ProblemError) as error:
            network(QueryParams(query))
        assert refused(error) == ("invalid_query", "/query/network", code)


def test_nothing_may_be_asked_where_nothing_is_answered() -> None:
    no_query(QueryParams(""))
    with pytest.raises(ProblemError, match="expected nothing after the"):
        no_query(QueryParams("since=2026-01-01"))
