"""The list of features keeps its own grammar, and every feature can be said in a sentence."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from clout.data.windows import WIDTHS
from clout.features.catalogue import CONTRACT, FEATURES
from clout.features.contract import GROUPS
from clout.features.feature import Feature

by_name = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len(FEATURES) >= 40
    assert len(set(CONTRACT.names)) == len(FEATURES)
    assert CONTRACT.names == tuple(feature.name for feature in FEATURES)


def test_every_group_has_features() -> None:
    assert {feature.group for feature in FEATURES} == set(GROUPS)


def test_labels_tell_features_apart() -> None:
    labels = [feature.label for feature in FEATURES]
    assert len(set(labels)) == len(labels)


@by_name
def test_names_follow_one_grammar(feature: Feature) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", feature.name)
    assert "__" not in feature.name


@by_name
def test_a_window_in_the_name_is_one_it_reads(feature: Feature) -> None:
    named = feature.name.rsplit("_", 1)[-1]
    read = {root.split("|")[2] for root in feature.expression.meta.root_names() if "|" in root}
    if named in WIDTHS:
        assert read & {named, "all"}
    if named in {"last", "all"}:
        assert read == {"last"} or named in read


@by_name
def test_sentences_read_with_a_value(feature: Feature) -> None:
    for sentence in (feature.helping, feature.holding_back):
        fields = [field for _, field, _, _ in Formatter().parse(sentence) if field is not None]
        assert fields in ([], ["value"])
        assert sentence.format(value="12").endswith(".")
        assert sentence[0].isupper()
    assert feature.helping != feature.holding_back


@by_name
def test_words_are_there(feature: Feature) -> None:
    spec = feature.spec
    assert spec.unit
    assert spec.label
    assert spec.missing
    assert spec.actionable == bool(spec.advice)
    assert not spec.advice or spec.advice.endswith(".")


def test_what_one_cannot_change_has_no_advice() -> None:
    fixed = {feature.name for feature in FEATURES if feature.group in {"track_record", "audience", "network"}}
    assert not {feature.name for feature in FEATURES if feature.advice} & fixed


def test_advice_beside_a_sentence_that_names_a_direction_names_none() -> None:
    either = [feature for feature in FEATURES if feature.advice and not feature.direction]
    assert len(either) > 20
    assert not [feature.name for feature in either if not feature.advice.startswith("Compare ")]
