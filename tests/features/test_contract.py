"""The contract finds columns by name and refuses what is not numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pydantic import ValidationError

from clout.features.contract import GROUPS, SIDE_OF, Contract, ContractError, FeatureSpec

SPEC = FeatureSpec(
    name="a",
    group="format",
    unit="words",
    direction=0,
    actionable=False,
    label="words",
    helping="With {value} it draws more.",
    holding_back="With {value} it draws less.",
    advice="",
    missing="there is no text",
)
CONTRACT = Contract(features=(SPEC, SPEC.model_copy(update={"name": "b"})))


def test_columns_are_found_by_name_and_others_left_alone() -> None:
    frame = pl.DataFrame({"z": ["x", "y"], "b": [1, None], "a": [0.5, float("nan")]})
    expected = np.array([[0.5, 1.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(CONTRACT.matrix(frame), expected)
    np.testing.assert_array_equal(CONTRACT.matrix(frame.to_pandas()), expected)


def test_flags_and_missing_columns_of_no_type_are_numbers() -> None:
    frame = pl.DataFrame({"a": [True, False], "b": [None, None]})
    np.testing.assert_array_equal(CONTRACT.matrix(frame), [[1.0, np.nan], [0.0, np.nan]])
    pandas = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [None, pd.NA]})
    np.testing.assert_array_equal(CONTRACT.matrix(pandas), [[1.0, np.nan], [np.nan, np.nan]])


def test_no_rows_and_no_features() -> None:
    assert CONTRACT.matrix(pl.DataFrame({"a": [], "b": []})).shape == (0, 2)
    assert Contract(features=()).matrix(pl.DataFrame({"a": [1, 2]})).shape == (2, 0)


@pytest.mark.parametrize("given", [None, pl.LazyFrame({"a": [1.0]}), np.ones((1, 1)), {"a": [1.0]}, pl.Series([1.0])])
def test_what_is_no_frame_is_refused_by_its_type(given: object) -> None:
    words = f"got a {type(given).__name__}; expected a DataFrame of polars or pandas: collect\\(\\) one that is lazy"
    with pytest.raises(ContractError, match=words):
        Contract(features=(SPEC,)).matrix(given)  # type: ignore[arg-type]


def test_an_absent_column_is_named() -> None:
    with pytest.raises(ContractError, match=r"without 1 of the 2 feature columns \(b\); expected all"):
        CONTRACT.matrix(pl.DataFrame({"a": [1.0]}))


def test_many_absent_columns_are_counted() -> None:
    many = Contract(features=tuple(SPEC.model_copy(update={"name": f"f{n}"}) for n in range(9)))
    with pytest.raises(ContractError, match=r"without 9 of the 9 feature columns \(f0, f1, f2, f3, f4, …\)"):
        many.matrix(pd.DataFrame({"a": [1.0]}))


@pytest.mark.parametrize(
    "values", [["much"], [[1.0]], [datetime(2024, 1, 1, tzinfo=UTC)], [date(2024, 1, 1)], [timedelta(days=1)]]
)
def test_what_is_no_number_is_refused(values: list[object]) -> None:
    with pytest.raises(ContractError, match=r"column 'a' has type .*; expected numbers"):
        CONTRACT.matrix(pl.DataFrame({"a": values, "b": [1]}))
    with pytest.raises(ContractError, match=r"column 'a' has type .*; expected numbers"):
        CONTRACT.matrix(pd.DataFrame({"a": pd.Series(values), "b": [1]}))


def test_an_infinity_is_refused() -> None:
    with pytest.raises(ContractError, match="column 'b' holds an infinity"):
        CONTRACT.matrix(pl.DataFrame({"a": [1.0, 2.0], "b": [float("-inf"), 0.0]}))


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ContractError, match="got 2 columns named 'a'; expected one"):
        CONTRACT.matrix(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]))


@pytest.mark.parametrize("change", [{"name": "c"}, {"unit": "letters"}, {"direction": 1}])
def test_the_fingerprint_changes_with_what_a_model_depends_on(change: dict[str, object]) -> None:
    other = Contract(features=(SPEC.model_copy(update=change), *CONTRACT.features[1:]))
    assert other.fingerprint != CONTRACT.fingerprint
    assert Contract(features=CONTRACT.features[::-1]).fingerprint != CONTRACT.fingerprint


def test_the_fingerprint_stays_when_only_words_change() -> None:
    reworded = SPEC.model_copy(update={"label": "number of words", "advice": "Try fewer."})
    assert Contract(features=(reworded, *CONTRACT.features[1:])).fingerprint == CONTRACT.fingerprint


def test_a_contract_survives_json() -> None:
    assert Contract.model_validate_json(CONTRACT.model_dump_json()) == CONTRACT


@pytest.mark.parametrize("change", [{"group": "luck"}, {"direction": 2}, {"colour": "red"}])
def test_a_spec_has_no_other_values(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeatureSpec.model_validate(SPEC.model_dump() | change)


def test_every_group_is_on_a_side() -> None:
    assert set(SIDE_OF) == set(GROUPS)


def test_left_out_by_name_or_by_group_the_others_stay_in_order() -> None:
    other = SPEC.model_copy(update={"name": "c", "group": next(group for group in GROUPS if group != SPEC.group)})
    whole = Contract(features=(*CONTRACT.features, other))
    assert whole.without([]) == whole
    assert whole.without(["a"]).names == ("b", "c")
    assert whole.without([SPEC.group]).names == ("c",)
    assert whole.without([other.group, "b"]).names == ("a",)
    assert whole.directions == (SPEC.direction,) * 3


def test_a_contract_covers_fewer_features_but_no_others() -> None:
    fewer = Contract(features=CONTRACT.features[1:])
    assert CONTRACT.covers(CONTRACT)
    assert CONTRACT.covers(fewer)
    assert not fewer.covers(CONTRACT)
    other = SPEC.model_copy(update={"direction": -1 if SPEC.direction != -1 else 1})
    assert not CONTRACT.covers(Contract(features=(other,)))
    assert not CONTRACT.covers(Contract(features=(SPEC.model_copy(update={"unit": "furlongs"}),)))
