"""Who is judged on what: the rolling blocks while training, and the last block once, when it is opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from clout.data.lake import Lake
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.contract import ContractError
from clout.features.wording import Wording
from clout.models.intervals import spread
from clout.models.score_model import ScoreModel
from clout.training import ship, stores
from clout.training.accounts import account_margins
from clout.training.baselines import judge_baselines
from clout.training.config import Params, validated
from clout.training.dataset import Dataset, Step, build
from clout.training.evaluate import Judgement, evaluate, evaluate_accounts, join
from clout.training.heads import HeldOut, held_out
from clout.training.matrix import Part, cut
from clout.training.splits import Block


def judge_rolling(dataset: Dataset, held: HeldOut, params: Params) -> Judgement:
    """The rolling blocks but the first, each calibrated on the blocks before it and judged beside baselines."""
    number = held.frame["block"].to_numpy()
    parts = []
    for block in range(1, len(dataset.plan.rolling)):
        calibrated = ship.calibrate(held.rows(number < block), (), params)
        now = held.rows(number == block)
        others = baselines(dataset, dataset.plan.rolling[block], now.frame, params)
        parts.append(calibrated.judge(now, *others))
    return join(parts)


def judge_anew(model: ScoreModel, lake: Lake, home: Path, step: Step = lambda _: None) -> dict[str, Any]:
    """The report of `judge_rolling` on `lake`, made by models with the parameters of a bundle.

    On the data the bundle was trained on, it is the report in the bundle.
    """
    refuse_other_features(model)
    params = validated(model.params)
    with stores.opened(lake, params, home, step) as store:
        dataset = build(store, params, step, model.networks)
        held = held_out(dataset, params, (), step)
        step("judging against baselines")
        return evaluate(judge_rolling(dataset, held, params), params.seed)


def refuse_other_features(model: ScoreModel) -> None:
    """Nothing; raises `ContractError` where this version of clout measures other features than the model's."""
    if not CONTRACT.covers(model.contract):
        raise ContractError(
            f"{model.version} was trained on other features than this version of clout measures; expected the same: "
            "train again, or use the version that trained it"
        )


def open_last_block(model: ScoreModel, lake: Lake, home: Path, step: Step = lambda _: None) -> dict[str, Any]:
    """The report of `judge_final` on the posts of `lake` that came after all the bundle learned from.

    The data are laid out as when the bundle was trained, but for the last block's beginning, which is the bundle's.
    Raises `NothingToJudgeError` when the data end before it.
    """
    refuse_other_features(model)
    params = read_bundle_params(model)
    with stores.opened(lake, params, home, step) as store:
        dataset = build(store, params, step, model.networks)
        step("judging the last block")
        return judge_final(model, dataset, params)


def read_bundle_params(model: ScoreModel) -> Params:
    """The parameters a bundle was trained with, its last block pinned to the moment it was taught before."""
    params = validated(model.params)
    start = datetime.fromisoformat(model.data["taught_before"])
    return params.model_copy(update={"splits": params.splits.model_copy(update={"final_from": start})})


def judge_final(model: ScoreModel, dataset: Dataset, params: Params) -> dict[str, Any]:
    """The report on posts of the last block: what a bundle says of them, beside baselines, for posts and accounts.

    Words are those of the bundle.
    """
    block = dataset.plan.final
    rows = dataset.where(block.judged())
    wording = Wording.read(model.wording_path) if model.wording_path else dataset.wording
    lift = wording.values(dataset.texts.filter(rows))
    frame = cut(dataset.frame, rows).with_columns(pl.Series(WORDING.name, lift))
    judged = judge_bundle(model, dataset, frame, params)
    margin = model.bundle.booster("model.txt").predict
    parts = dataset.store.account_posts(block.start, wording)
    accounts = account_margins(parts, lambda matrix: np.asarray(margin(matrix)), model.contract, model.account)
    return evaluate(judged, params.seed) | {"account": evaluate_accounts(accounts, frame, params.seed)}


def judge_bundle(model: ScoreModel, dataset: Dataset, frame: pl.DataFrame, params: Params) -> Judgement:
    """What a bundle says of the rows of `frame`, beside baselines taught on what was known before the last block."""
    matrix = model.contract.matrix(frame)
    said = model.predict(matrix, frame["network"].to_list())
    others, residuals = baselines(dataset, dataset.plan.final, frame, params)
    main = model.margins(matrix)
    return Judgement(
        frame=frame,
        margin=said.margin,
        expected=said.expected["actions"],
        low=np.log1p(said.low["actions"]),
        high=np.log1p(said.high["actions"]),
        width=spread(main["low"], main["high"]),
        residuals=model.bundle.json("residuals.json")["main"],
        others=others,
        other_residuals=residuals,
    )


def baselines(
    dataset: Dataset, block: Block, frame: pl.DataFrame, params: Params
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """What each baseline, taught on what was known before a block, says of rows of it, and the quantiles of its errors."""
    early = dataset.cut(pl.col("happened_at") < block.start)
    return judge_baselines(Part.of(early, early.select(taught=block.taught())["taught"]), frame, params)
