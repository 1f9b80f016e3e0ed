"""Each feature earns its place: what was measured is about the catalogue as it is, and the measure adds up."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from clout.features.catalogue import CONTRACT
from clout.training.config import Params

ASKED = 40


@pytest.fixture(scope="module")
def ablation(root: Path) -> ModuleType:
    """The benchmark, which finds its neighbours beside itself."""
    sys.path.insert(0, str(root / "bench"))
    spec = importlib.util.spec_from_file_location("ablation", root / "bench" / "ablation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ablation"] = module
    spec.loader.exec_module(module)
    sys.path.remove(str(root / "bench"))
    return module


def test_enough_features_earn_on_the_politicians(root: Path) -> None:
    told = json.loads((root / "docs" / "ablation.json").read_text())
    earning = [name for name, gain in told.items() if gain["data"] == "politicians" and gain["earns"] != "no"]
    assert len(earning) >= ASKED
    assert not set(told) - set(CONTRACT.names)


def bench(ablation: ModuleType) -> Any:  # noqa: ANN401 - a class of the benchmark
    """Two blocks of noise in which three features are known: the first decides the outcome, the second copies it."""
    rng = np.random.default_rng(5)
    known = ("text_words", "text_chars", "weekday")
    folds = []
    for _ in range(2):
        signal = rng.normal(size=600)
        matrix = np.full((600, len(CONTRACT.names)), np.nan)
        for name, values in zip(known, (signal, signal, rng.normal(size=600)), strict=True):
            matrix[:, CONTRACT.names.index(name)] = values
        outcome = signal + rng.normal(size=600) / 4
        folds.append(ablation.Fold(matrix[:400], outcome[:400], matrix[400:], outcome[400:]))
    params = Params()
    quick = params.fit.model_copy(update={"trees": 20, "learning_rate": 0.3, "threads": 1})
    return ablation.Bench(tuple(folds), known, params.model_copy(update={"fit": quick}))


def test_gains_add_up_to_what_all_features_have(ablation: ModuleType) -> None:
    measured = bench(ablation)
    for order in ablation.orders_of(3, 2, 0):
        gains = ablation.gains_of(measured, order, 3)
        assert gains.sum(0) == pytest.approx(measured.worth(measured.known, 3), abs=1e-12)


def test_features_that_stand_in_for_each_other_share_what_they_earn(ablation: ModuleType) -> None:
    """Dropped alone neither is missed; noise earns nothing."""
    measured = bench(ablation)
    full = measured.worth(measured.known, 3)
    assert full - measured.worth(("text_chars", "weekday"), 3) == pytest.approx([0, 0], abs=0.03)
    orders = [order for _ in range(2) for order in ([0, 1, 2], [2, 1, 0])]
    told = ablation.told_of(measured, np.array([ablation.gains_of(measured, order, 3) for order in orders]))
    gain = {name: gains["both_gain"] for name, gains in told["features"].items()}
    assert gain["text_words"] == pytest.approx(gain["text_chars"], abs=0.05)
    assert gain["text_words"] > 0.3 > abs(gain["weekday"]) * 3
    assert ablation.verdict(told["features"]["text_words"]) == "clearly"


@pytest.mark.parametrize(
    ("gain", "error", "said"), [(0.01, 0.004, "clearly"), (0.01, 0.005, "earns"), (0.0, 0.0, "no"), (-0.01, 0.0, "no")]
)
def test_what_is_said_of_a_gain(ablation: ModuleType, gain: float, error: float, said: str) -> None:
    assert ablation.verdict({"both_gain": gain, "both_error": error}) == said


def test_every_order_is_gone_through_both_ways(ablation: ModuleType) -> None:
    orders = ablation.orders_of(50, 3, 1)
    assert len(orders) == 6
    assert all(there == back[::-1] for there, back in zip(orders[::2], orders[1::2], strict=True))
    assert all(sorted(order) == list(range(50)) for order in orders)
