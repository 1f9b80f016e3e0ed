"""The frozen scale of a house: kept whole, given new networks, never changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clout.models.calibration import Calibration
from clout.models.scale import Curve, Scale, ScaleError
from clout.training import scales
from clout.training.config import Label, Params
from clout.training.scales import FrozenScaleError

CURVE = Calibration((0.0, 1.0, 2.0), (0.0, 2.0, 4.0))
KEPT = Scale("1", {"old": Curve(1.0, 2.0, 500)})


def accounts(**networks: int) -> pl.DataFrame:
    """So many accounts of each network with margins from 0 to 1."""
    rows = [
        {"account": f"{network}/{row}", "network": network, "margin": row / (count - 1)}
        for network, count in networks.items()
        for row in range(count)
    ]
    return pl.DataFrame(rows, schema={"account": pl.String, "network": pl.String, "margin": pl.Float64})


def break_off(home: Path) -> None:
    with scales.keeping(home, Params(), Scale("2", {})):
        assert scales.read(home, Params()).version == "2"
        raise OSError("the disk is full")


def test_a_new_house_has_a_scale_without_curves(tmp_path: Path) -> None:
    assert scales.read(tmp_path, Params()) == Scale("1", {})
    assert list(tmp_path.iterdir()) == []


def test_a_network_is_anchored_on_its_accounts() -> None:
    made = scales.complete(Scale("1", {}), accounts(new=101, other=31), CURVE, ["new"])
    assert list(made.curves) == ["new"]
    assert made.curves["new"].mean == pytest.approx(1.0)
    assert made.curves["new"].p95 == pytest.approx(1.9)
    assert made.curves["new"].accounts == 101
    assert made.score(np.array([1.0]), ["new"])[0] == pytest.approx(40)
    assert made.score(np.array([1.9]), ["new"])[0] == pytest.approx(63)


def test_the_order_of_accounts_is_no_matter() -> None:
    rows = accounts(new=99)
    shuffled = rows.sample(fraction=1, shuffle=True, seed=1)
    empty = Scale("1", {})
    assert scales.complete(empty, shuffled, CURVE, ["new"]) == scales.complete(empty, rows, CURVE, ["new"])


def test_a_curve_once_kept_never_changes() -> None:
    made = scales.complete(KEPT, accounts(old=100, new=100), CURVE, ["new", "old", "new"])
    assert made.curves["old"] == KEPT.curves["old"]
    assert list(made.curves) == ["new", "old"]
    assert scales.complete(KEPT, accounts(), CURVE, ["old"]) == KEPT
    assert scales.complete(KEPT, accounts(), CURVE, []) == KEPT


@pytest.mark.parametrize("count", [29, 0])
def test_too_few_accounts_are_told_by_network(count: int) -> None:
    with pytest.raises(FrozenScaleError) as refused:
        scales.complete(KEPT, accounts(new=count, old=100), CURVE, ["old", "new"])
    words = str(refused.value)
    assert words.startswith(
        f"got {count} accounts of the network 'new' with posts in the 90 days before the last block;"
    )
    assert "expected at least 30 to anchor its scale" in words


def test_accounts_all_alike_make_no_scale() -> None:
    alike = accounts(new=50).with_columns(margin=pl.lit(0.5))
    with pytest.raises(ScaleError, match="accounts this alike make no scale"):
        scales.complete(Scale("1", {}), alike, CURVE, ["new"])


def test_a_kept_scale_reads_the_same(tmp_path: Path) -> None:
    with scales.keeping(tmp_path, Params(), KEPT):
        pass
    assert scales.read(tmp_path, Params()) == KEPT
    assert {file.name for file in tmp_path.iterdir()} == {"scale.json", ".lock"}
    content = json.loads((tmp_path / "scale.json").read_text())
    assert content["meaning"] == {"action_values": Params().action_values, "horizon_days": 7.0}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (Params(action_values={"like": 2}), "this training uses action values {'like': 2.0} and a horizon of 7.0 days"),
        (Params(label=Label(horizon_days=1)), "'reaction': 1.0} and a horizon of 1.0 days"),
    ],
)
def test_another_meaning_is_refused(params: Params, words: str, tmp_path: Path) -> None:
    with scales.keeping(tmp_path, Params(), KEPT):
        pass
    with pytest.raises(FrozenScaleError) as refused:
        scales.read(tmp_path, params)
    assert refused.value.code == "frozen_scale"
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"the frozen scale in {tmp_path / 'scale.json'} was made for action values")


def test_other_parameters_are_the_same_meaning(tmp_path: Path) -> None:
    with scales.keeping(tmp_path, Params(), KEPT):
        pass
    assert scales.read(tmp_path, Params(seed=99)) == KEPT


@pytest.mark.parametrize("before", [None, KEPT])
def test_what_fails_freezes_nothing(before: Scale | None, tmp_path: Path) -> None:
    if before:
        with scales.keeping(tmp_path, Params(), before):
            pass
    files = {file.name: file.read_bytes() for file in tmp_path.glob("*.json")}
    with pytest.raises(OSError, match="the disk is full"):
        break_off(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.glob("*.json")} == files


def test_two_first_trainings_freeze_one_scale(tmp_path: Path) -> None:
    mine, theirs = ({"new": Curve(mean, 2.0, 500)} for mean in (1.0, 1.1))
    with scales.keeping(tmp_path, Params(), Scale("1", mine)):
        pass
    with pytest.raises(FrozenScaleError, match=r"another training has frozen the scale of new in .*train again"):
        break_in(tmp_path, Scale("1", {**theirs, "old": Curve(1.0, 2.0, 500)}))
    assert scales.read(tmp_path, Params()).curves == mine


def break_in(home: Path, scale: Scale) -> None:
    with scales.keeping(home, Params(), scale):
        pytest.fail("a block with another curve was entered")


def test_a_network_that_another_training_brought_stays(tmp_path: Path) -> None:
    for name in ("one", "two", "one"):
        with scales.keeping(tmp_path, Params(), Scale("1", {name: Curve(1.0, 2.0, 500)})):
            pass
    assert list(scales.read(tmp_path, Params()).curves) == ["one", "two"]
