"""The frozen scale of a house: kept whole, given new networks, never changed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
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
CURVED = Curve(1.0, 2.0, 500)
KEPT = Scale("1", {"old": CURVED})
KILLED = """
import os, signal, sys
from pathlib import Path
from clout.models.scale import Curve, Scale
from clout.training import scales
from clout.training.config import Params

with scales.keeping(Path(sys.argv[1]), Params(), Scale("1", {"new": Curve(1.0, 2.0, 500)})):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def accounts(**networks: int) -> pl.DataFrame:
    """So many accounts of each network with margins from 0 to 1."""
    rows = [
        {"account": f"{network}/{row}", "network": network, "margin": row / (count - 1)}
        for network, count in networks.items()
        for row in range(count)
    ]
    columns = {"account": pl.String, "network": pl.String, "margin": pl.Float64}
    return pl.DataFrame(rows, schema=columns).with_columns(lacks=pl.lit(None, pl.String))


def break_off(home: Path) -> None:
    with scales.keeping(home, Params(), Scale("1", {"new": CURVED})):
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


def test_accounts_without_a_score_anchor_nothing() -> None:
    low = accounts(new=101).with_columns(pl.col("margin") - 5, pl.format("{}/no", "account").alias("account"))
    everybody = pl.concat([accounts(new=101), low.with_columns(lacks=pl.lit("4 of 10 posts"))])
    empty = Scale("1", {})
    assert scales.complete(empty, everybody, CURVE, ["new"]) == scales.complete(
        empty, accounts(new=101), CURVE, ["new"]
    )


def test_where_few_have_a_score_all_who_posted_anchor() -> None:
    few = accounts(new=101).with_columns(
        lacks=pl.when(pl.col("margin") > 0.8).then(None).otherwise(pl.lit("2 more weeks"))
    )
    assert scales.complete(Scale("1", {}), few, CURVE, ["new"]).curves["new"].accounts == 101


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
    values = Params().action_values
    assert content["meaning"] == {"action_values": values, "horizon_days": 7.0, "weights": "by engager"}


@pytest.mark.parametrize("params", [Params(action_values={"like": 2}), Params(label=Label(horizon_days=1))])
def test_another_meaning_has_a_scale_of_its_own(params: Params, tmp_path: Path) -> None:
    with scales.keeping(tmp_path, Params(), KEPT):
        pass
    empty = scales.read(tmp_path, params)
    assert empty.curves == {}
    assert empty.version.startswith("1-")
    other = Scale(empty.version, {"old": Curve(5.0, 6.0, 400)})
    with scales.keeping(tmp_path, params, other):
        pass
    assert scales.read(tmp_path, params) == other
    assert scales.read(tmp_path, Params()) == KEPT
    third = scales.read(tmp_path, Params(action_values={"like": 2}, label=Label(horizon_days=2)))
    assert third.version not in {KEPT.version, other.version}
    assert len(list(tmp_path.glob("scale*.json"))) == 2


def test_two_first_trainings_of_two_meanings_do_not_share_a_version(tmp_path: Path) -> None:
    other = Params(action_values={"like": 2})
    first = scales.read(tmp_path, other)
    with scales.keeping(tmp_path, Params(), KEPT):
        pass
    with pytest.raises(FrozenScaleError, match=r"has frozen the scale of another meaning in .*train again"):
        scales.keeping(tmp_path, other, Scale(first.version, {"new": CURVED})).__enter__()
    assert scales.read(tmp_path, other).curves == {}


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


def test_a_training_that_is_killed_before_its_bundle_is_there_freezes_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert scales.read(tmp_path, Params()) == Scale("1", {})


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
