from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import small_bundle

from clout.features.contract import ContractError
from clout.models import bundle, tree_shap
from clout.models.bundle import Bundle, BundleError
from clout.models.explain import Explanation
from clout.models.intervals import lower_end
from clout.models.scale import ScaleError
from clout.models.score_model import ScoreModel

WHAT = ("actions", "like", "reshare")


def test_what_a_model_says_of_itself(model: ScoreModel, bundle_directory: Path):
    assert model.version == bundle.verify(bundle_directory)
    assert model.scale_version == "1"
    assert model.networks == ("bluesky", "twitter")
    assert model.heads == ("like", "reshare")
    assert model.contract == small_bundle.contract()
    assert model.params["horizon_days"] == 7
    assert model.data["data_through"] == "2026-01-31T00:00:00Z"
    assert model.card.startswith("# Clout")
    assert model.wording_path is None


def test_the_score_is_what_the_parts_make(model: ScoreModel):
    people = small_bundle.population()
    prediction = model.predict(people.matrix, people.networks)
    margin = small_bundle.boosters()["main"].predict(people.matrix)
    assert (prediction.margin == margin).all()
    log_expected = small_bundle.calibrations()["main"].apply(margin)
    assert (prediction.log_expected == log_expected).all()
    assert (prediction.score == small_bundle.scale().score(log_expected, people.networks)).all()
    assert (prediction.expected["actions"] == np.maximum(np.expm1(log_expected), 0)).all()


def test_the_main_interval_is_the_quantile_heads_moved_by_the_group_s_offset(model: ScoreModel):
    people, heads = small_bundle.population(), small_bundle.boosters()
    prediction = model.predict(people.matrix, people.networks)
    offset = small_bundle.intervals().offsets("main", people.matrix[:, 6], people.matrix[:, 7])
    low = np.minimum(lower_end(heads["low"].predict(people.matrix) - offset), prediction.log_expected)
    high = np.maximum(heads["high"].predict(people.matrix) + offset, prediction.log_expected)
    assert (prediction.low["actions"] == np.maximum(np.expm1(low), 0)).all()
    assert (prediction.high["actions"] == np.maximum(np.expm1(high), 0)).all()
    assert (prediction.score_low == small_bundle.scale().score(low, people.networks)).all()
    assert (prediction.score_high == small_bundle.scale().score(high, people.networks)).all()


def test_a_kind_s_interval_is_as_wide_as_the_quantile_heads_are_apart(model: ScoreModel):
    people, heads = small_bundle.population(), small_bundle.boosters()
    prediction = model.predict(people.matrix, people.networks)
    offset = small_bundle.intervals().offsets("like", people.matrix[:, 6], people.matrix[:, 7])
    apart = np.maximum(heads["high"].predict(people.matrix) - heads["low"].predict(people.matrix), 1e-3)
    high = np.expm1(heads["like"].predict(people.matrix) + offset * apart)
    assert prediction.high["like"] == pytest.approx(np.maximum(high, prediction.expected["like"]))


def test_what_is_expected_lies_inside_its_interval(model: ScoreModel):
    people = small_bundle.population()
    prediction = model.predict(people.matrix, people.networks)
    assert (prediction.score_low <= prediction.score).all()
    assert (prediction.score <= prediction.score_high).all()
    for what in WHAT:
        assert (prediction.low[what] >= 0).all()
        assert (prediction.low[what] <= prediction.expected[what]).all()
        assert (prediction.expected[what] <= prediction.high[what]).all()


def test_score_gives_ids_scores_and_expectations(model: ScoreModel, frame: pd.DataFrame):
    people = small_bundle.population()
    scored = model.score(frame.set_index(frame.index + 10))
    prediction = model.predict(people.matrix, people.networks)
    ends = ["", "_low", "_high"]
    numbers = [f"score{end}" for end in ends] + [f"expected_{what}{end}" for what in WHAT for end in ends]
    assert list(scored.columns) == ["post", "account", *numbers]
    assert scored.index.tolist() == (frame.index + 10).tolist()
    assert scored["post"].tolist() == frame["post"].tolist()
    assert (scored["score"].to_numpy() == prediction.score).all()
    assert (scored["expected_like_high"].to_numpy() == prediction.high["like"]).all()
    assert list(model.score(frame.drop(columns=["post", "account"])).columns) == numbers


def test_polars_and_pandas_frames_score_alike(model: ScoreModel, frame: pd.DataFrame):
    values = small_bundle.population().matrix
    columns = {name: values[:, i] for i, name in enumerate(model.contract.names)}
    ids = {name: frame[name].tolist() for name in ("post", "account", "network")}
    polars = pl.DataFrame({**ids, **columns}, nan_to_null=True)
    pd.testing.assert_frame_equal(model.score(polars), model.score(frame))


def test_the_order_of_columns_does_not_matter(model: ScoreModel, frame: pd.DataFrame):
    backwards = frame[list(reversed(frame.columns))].assign(extra="other")
    pd.testing.assert_frame_equal(model.score(backwards), model.score(frame))
    assert (model.explain(backwards).points == model.explain(frame).points).all()


def test_a_renamed_column_is_refused(model: ScoreModel, frame: pd.DataFrame):
    renamed = frame.rename(columns={"gap_hours": "hours_gap"})
    for call in (model.score, model.explain):
        with pytest.raises(ContractError, match=r"without 1 of the 9 feature columns \(gap_hours\)"):
            call(renamed)


def test_a_column_of_text_is_refused(model: ScoreModel, frame: pd.DataFrame):
    with pytest.raises(ContractError, match=r"column 'gap_hours' has type .*; expected numbers"):
        model.score(frame.assign(gap_hours="long"))


def test_a_frame_without_networks_is_refused(model: ScoreModel, frame: pd.DataFrame):
    with pytest.raises(ContractError, match="without a 'network' column; expected the name"):
        model.score(frame.drop(columns="network"))


@pytest.mark.parametrize("network", ["myspace", None, np.nan])
def test_an_unseen_network_is_refused(model: ScoreModel, frame: pd.DataFrame, network: str | None):
    for call in (model.score, model.explain):
        with pytest.raises(ScaleError, match="has a curve for: bluesky, twitter"):
            call(frame.head(3).assign(network=[network, "twitter", "bluesky"]))


def test_a_row_without_any_value_is_scored(model: ScoreModel, frame: pd.DataFrame):
    empty = frame.head(2).assign(**dict.fromkeys(model.contract.names, np.nan))
    scored = model.score(empty)
    assert scored.drop(columns=["post", "account"]).notna().all(axis=None)
    assert [reason.value for reason in model.explain(empty).reasons(0)] == [None] * 9


def test_no_rows_give_no_scores(model: ScoreModel, frame: pd.DataFrame):
    scored, explained = model.score(frame.head(0)), model.explain(frame.head(0))
    assert list(scored.columns) == list(model.score(frame.head(1)).columns)
    assert (len(scored), len(explained), explained.points.shape) == (0, 0, (0, 9))
    assert len(explained.to_frame()) == 0
    assert len(model.score(pl.DataFrame(frame.head(0).to_dict("list")))) == 0


def test_one_row_scores_as_it_does_among_many(model: ScoreModel, frame: pd.DataFrame):
    together, explained = model.score(frame), model.explain(frame)
    for row in (0, 700, 1499):
        alone = frame.iloc[[row]]
        pd.testing.assert_frame_equal(model.score(alone), together.iloc[[row]], check_exact=True)
        assert (model.explain(alone).points[0] == explained.points[row]).all()


def test_trees_too_large_for_tables_are_explained_by_lightgbm(monkeypatch: pytest.MonkeyPatch):
    people, looked_up = small_bundle.population(), ScoreModel(Bundle.of(small_bundle.files()))
    phi, base = looked_up.contributions(people.matrix)
    monkeypatch.setattr(tree_shap, "NUMBERS", 100)
    told, told_base = ScoreModel(Bundle.of(small_bundle.files())).contributions(people.matrix)
    expected = small_bundle.boosters()["main"].predict(people.matrix, pred_contrib=True)
    assert (told == expected[:, :-1]).all()
    assert told_base == expected[0, -1]
    assert phi == pytest.approx(told, abs=1e-12)
    assert base == pytest.approx(told_base, abs=1e-12)


def test_models_of_another_kind_are_asked_one_by_one():
    files = dict(small_bundle.files())
    people = small_bundle.population()
    target = people.outcomes["like"]
    gaps = np.where(np.isnan(people.matrix), 0, people.matrix)
    linear = small_bundle.train(gaps, target, small_bundle.contract().names, linear_tree=True)
    model = ScoreModel(Bundle.of(files | {"head_like.txt": linear.model_to_string()}))
    margins = model.margins(people.matrix[:1])
    assert margins["like"] == pytest.approx(linear.predict(people.matrix[:1]))
    assert margins["main"] == small_bundle.boosters()["main"].predict(people.matrix[:1])


def test_a_matrix_of_another_shape_is_refused(model: ScoreModel):
    with pytest.raises(ContractError, match=r"shape \(2, 8\) for 2 networks; expected \(2, 9\)"):
        model.predict(np.zeros((2, 8)), ["twitter"] * 2)
    with pytest.raises(ContractError, match=r"shape \(2, 9\) for 1 networks; expected \(1, 9\)"):
        model.predict(np.zeros((2, 9)), ["twitter"])


def test_a_tampered_bundle_does_not_load(tmp_path: Path):
    bundle.write(tmp_path / "bundle", small_bundle.files())
    scale = tmp_path / "bundle" / "scale.json"
    scale.write_text(scale.read_text().replace('"version": "1"', '"version": "2"'))
    with pytest.raises(BundleError, match=r"scale\.json changed"):
        ScoreModel.load(tmp_path / "bundle")


def test_boosters_of_other_columns_do_not_load():
    files = dict(small_bundle.files())
    contract = json.loads(files["contract.json"])
    contract["features"].reverse()
    with pytest.raises(BundleError, match=r"model\.txt was trained on other columns"):
        ScoreModel(Bundle.of(files | {"contract.json": json.dumps(contract)}))


def test_intervals_by_an_unknown_feature_do_not_load():
    files = dict(small_bundle.files())
    changed = files["intervals.json"].replace("followers_log", "fame")
    with pytest.raises(BundleError, match=r"intervals\.json groups by fame; expected features"):
        ScoreModel(Bundle.of(files | {"intervals.json": changed}))


def test_many_threads_may_share_a_model(model: ScoreModel):
    people = small_bundle.population()
    together = model.explain_rows(people.matrix, people.networks)

    def alone(row: int) -> Explanation:
        return model.explain_rows(people.matrix[row : row + 1], people.networks[row : row + 1])

    with ThreadPoolExecutor(8) as pool:
        for row, explanation in enumerate(pool.map(alone, range(400))):
            assert explanation.score[0] == together.score[row]
            assert (explanation.points[0] == together.points[row]).all()


def test_wording_is_found_where_the_bundle_lies(tmp_path: Path):
    bundle.write(tmp_path / "bundle", small_bundle.files() | {"wording.json": "{}"})
    assert ScoreModel.load(tmp_path / "bundle").wording_path == tmp_path / "bundle" / "wording.json"
