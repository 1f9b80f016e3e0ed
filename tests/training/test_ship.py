"""What a bundle is made of, and what calibrated heads say of posts they have not seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from trained_society import Studied, TrainedSociety

from clout.features.catalogue import CONTRACT
from clout.models.score_model import ScoreModel
from clout.training import ship
from clout.training.config import IntervalParams, Params


def test_there_is_a_curve_for_the_outcome_and_every_kind(studied: Studied) -> None:
    assert tuple(studied.calibrated.curves) == ("main", *studied.kinds)
    assert studied.calibrated.kinds == studied.kinds
    assert len(studied.calibrated.residuals) == 50


def test_a_kind_too_rare_to_calibrate_gets_no_head(studied: Studied) -> None:
    rare = studied.held.frame.with_columns(quote=pl.lit(0, pl.Int64))
    calibrated = ship.calibrate(replace(studied.held, frame=rare), studied.kinds, studied.params)
    assert calibrated.kinds == ("like", "reshare", "reply")
    assert "quote" not in calibrated.intervals.to_json()


def test_expected_totals_are_right_where_they_were_learned(studied: Studied) -> None:
    held = studied.held
    for head, kind in (("main", None), *((kind, kind) for kind in studied.kinds)):
        actual = np.expm1(held.log_count(kind)).sum()
        expected = np.expm1(studied.calibrated.curves[head].apply(held.margins[head])).sum()
        assert expected == pytest.approx(actual, rel=0.1 if head == "main" else 0.25), head
        assert np.expm1(held.margins[head]).sum() < 0.75 * actual, head


def test_intervals_hold_what_they_promise_where_they_were_learned(studied: Studied) -> None:
    for level in (0.8, 0.9):
        params = Params(intervals=IntervalParams(level=level))
        said = ship.calibrate(studied.held, (), params).judge(studied.held, {}, {})
        inside = (said.low <= said.truth) & (said.truth <= said.high)
        assert inside.mean() == pytest.approx(level, abs=0.03)


def test_what_is_said_of_other_posts_stands_in_order(studied: Studied) -> None:
    judged = studied.judged
    assert (judged.low <= judged.high).all()
    assert (judged.low <= np.log1p(judged.expected) + 1e-12).all()
    assert (np.log1p(judged.expected) <= judged.high + 1e-12).all()
    assert (judged.expected >= 0).all()
    order = np.argsort(judged.margin[judged.frame["block"].to_numpy() == 1], kind="stable")
    assert (np.diff(judged.expected[judged.frame["block"].to_numpy() == 1][order]) >= 0).all()


def test_intervals_are_grouped_by_level_and_length_of_history(studied: Studied) -> None:
    intervals = studied.calibrated.intervals
    assert intervals.features == ("outcome_level_365d", "outcome_count_all")
    thirds = [studied.held.frame["outcome_level_365d"].quantile(share) for share in (1 / 3, 2 / 3)]
    assert list(intervals.edges[0]) == thirds


def test_marks_are_those_of_taught_posts(studied: Studied) -> None:
    marks = ship.quantiles(studied.dataset)
    assert tuple(marks) == CONTRACT.names
    taught = studied.dataset.frame.filter(studied.dataset.plan.final.taught())
    for name in ("outcome_level_365d", "post_gap_hours_last"):
        nearest = np.quantile(taught[name].drop_nulls(), [0.05, 0.25, 0.5, 0.75, 0.95], method="nearest")
        assert marks[name] == pytest.approx(nearest, rel=1e-3)
    never = studied.dataset.frame.with_columns(listed_last=pl.lit(None, pl.Float64), hour_utc=pl.lit(0.0))
    marks = ship.quantiles(replace(studied.dataset, frame=never))
    assert marks["listed_last"] is None
    assert marks["hour_utc"] == [0.0] * 5


def test_golden_rows_are_taught_posts_spread_over_time(studied: Studied) -> None:
    rows = ship.golden_rows(studied.dataset)
    taught = studied.dataset.frame.filter(studied.dataset.plan.final.taught())
    assert rows.height == ship.GOLDEN_ROWS
    assert rows["post"].is_in(taught["post"].to_list()).all()
    span = (taught["happened_at"].max() - taught["happened_at"].min()) * 0.8  # type: ignore[operator]
    assert rows["happened_at"].max() - rows["happened_at"].min() > span  # type: ignore[operator]
    few = replace(studied.dataset, frame=taught.head(3))
    assert ship.golden_rows(few).height == 3


def test_the_bundle_says_what_its_parts_say(trained: TrainedSociety, studied: Studied) -> None:
    """The model of the bundle gives the calibrated, scaled answers of its heads."""
    model = trained.model
    frame = studied.dataset.frame.tail(300)
    matrix, networks = CONTRACT.matrix(frame), frame["network"].to_list()
    said = model.predict(matrix, networks)
    log_expected = studied.calibrated.curves["main"].apply(model.margins(matrix)["main"])
    assert np.array_equal(said.log_expected, log_expected)
    assert np.array_equal(said.score, model.scale.score(log_expected, networks))
    for kind in studied.kinds:
        curve = studied.calibrated.curves[kind]
        expected = np.expm1(np.maximum(curve.apply(model.margins(matrix)[kind]), 0))
        assert np.array_equal(said.expected[kind], expected)


def test_every_document_is_json_without_nan(trained: TrainedSociety) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    names = [name for name in trained.model.bundle.files if name.endswith(".json")]
    assert len(names) > 10
    for name in names:
        json.loads(trained.model.bundle.text(name), parse_constant=refuse)


def test_nothing_in_a_bundle_tells_where_or_when_it_was_made(trained: TrainedSociety) -> None:
    for name in trained.model.bundle.files:
        text = trained.model.bundle.text(name)
        assert str(trained.home) not in text, name
        assert "/tmp/" not in text, name  # noqa: S108 - looked for, not used
    assert isinstance(trained.model, ScoreModel)
