"""Pictures and tables: written, within bounds, true to the figures, and quick to import."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import small_bundle
from matplotlib import image
from matplotlib import pyplot as plt
from rich.console import Console
from small_judgement import ACCOUNTS, judgement, model, report

from clout.models.explain import Explanation
from clout.training.report import plots, table

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return model().explain(small_bundle.population().frame().head(300))


@pytest.fixture(scope="module")
def scores() -> Floats:
    people = small_bundle.population()
    return model().predict(people.matrix, people.networks).score


def printed(told: dict[str, Any], width: int = 80) -> list[str]:
    """The lines of the tables on a terminal."""
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(table(told))
    return captured.get().split("\n")


def test_four_pictures_are_written_and_pyplot_knows_none(
    tmp_path: Path, explanation: Explanation, scores: Floats
) -> None:
    paths = plots(tmp_path, judgement(), scores, explanation)
    assert paths == {name: tmp_path / f"{name}.png" for name in ("calibration", "lift", "beeswarm", "scores")}
    for path in paths.values():
        height, width, _ = image.imread(path).shape
        assert 400 < height < 1400
        assert 500 < width < 1400
    assert not plt.get_fignums()


def test_a_feature_nobody_knew_is_drawn_too(tmp_path: Path, explanation: Explanation, scores: Floats) -> None:
    values = explanation.values.copy()
    values[:, 0] = np.nan
    assert plots(tmp_path, judgement(), scores, replace(explanation, values=values))["beeswarm"].exists()


def test_more_networks_than_colours_are_drawn(tmp_path: Path, explanation: Explanation, scores: Floats) -> None:
    judged = judgement()
    names = [f"network-{row % 12}" for row in range(judged.frame.height)]
    many = replace(judged, frame=judged.frame.with_columns(network=pl.Series(names)))
    assert plots(tmp_path, many, scores, explanation)["scores"].exists()


def test_the_same_pictures_come_again(tmp_path: Path, explanation: Explanation, scores: Floats) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for seed, folder in enumerate((first, second)):
        folder.mkdir()
        np.random.seed(seed)  # noqa: NPY002
        before = np.random.get_state()[1].tolist()  # noqa: NPY002
        plots(folder, judgement(), scores, explanation)
        assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert [(first / path.name).read_bytes() == path.read_bytes() for path in second.iterdir()] == [True] * 4


def test_tables_fit_in_80_columns_with_every_figure() -> None:
    lines = printed(report() | {"account": ACCOUNTS})
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert lines[0].split() == ["1,500", "posts", "of", "60", "accounts"]
    rows = {line[:12].strip(): line[12:].split() for line in lines if line}
    figures = report()["model"]
    assert rows["model"][:2] == [short(figures["spearman"]["value"]), short(figures["r2_log"]["value"])]
    baseline = report()["baselines"]["account_mean"]
    told = [baseline["spearman"], baseline["r2_log"], report()["skill"]["account_mean"]["value"]]
    assert rows["account mean"][:3] == [short(value) for value in told]
    assert len(rows["account mean"]) == 8


def test_under_the_figures_stand_their_intervals() -> None:
    lines = printed(report())
    below = lines[next(number for number, line in enumerate(lines) if line.startswith("model")) + 1]
    figure = report()["model"]["spearman"]
    assert below.split()[0] == f"{short(figure['low'], 2)}–{short(figure['high'], 2)}"


def test_the_stronger_of_the_own_means_of_accounts_is_the_one_that_is_told() -> None:
    ranks = ACCOUNTS["spearman"]
    swapped = ranks | {"own_mean_90d": ranks["own_mean_all"], "own_mean_all": ranks["own_mean_90d"]}
    text = "\n".join(printed(report() | {"account": ACCOUNTS | {"spearman": swapped}}))
    assert ".845 .80–.88" in text


def test_coverage_and_accounts_stand_in_the_second_table() -> None:
    text = "\n".join(printed(report() | {"account": ACCOUNTS}))
    assert "Spearman of 321 accounts" in text
    assert ".876 .81–.91" in text
    assert ".845 .80–.88" in text
    assert "accounts\n" not in "\n".join(printed(report() | {"account": {"accounts": 3}})).split("CRPS")[1]
    assert f"{report()['model']['coverage_worst_group']['value']:.3f}".removeprefix("0") in text


def test_a_figure_that_cannot_be_told_is_left_blank() -> None:
    told = copy.deepcopy(report())
    told["model"]["spearman"] = {"value": None, "low": None, "high": None}
    told["model"]["coverage_worst_group"] = {"value": None}
    text = "\n".join(printed(told))
    assert "None" not in text
    assert "nan" not in text


def test_neither_shap_nor_matplotlib_is_loaded_before_a_picture_is_drawn() -> None:
    program = "import json, sys, clout.training.report; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))
    assert "clout.training.report" in loaded
    assert not loaded & {"shap", "matplotlib"}


def short(value: float, digits: int = 3) -> str:
    """A figure as the tables write it."""
    return f"{value:.{digits}f}".replace("-0.", "-.").removeprefix("0")
