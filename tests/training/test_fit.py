"""One booster: its directions, its quantiles, what it leaves out, and that it is always the same."""

from __future__ import annotations

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest

from clout.training import fit as fitting
from clout.training.config import Fit, Params
from clout.training.fit import MAIN, Binned, fit, quantile, text

Floats = npt.NDArray[np.float64]
NAMES = ("up", "down", "free")
DIRECTIONS = (1, -1, 0)
RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(3000, 3))
TARGET = 0.5 * MATRIX[:, 0] - 0.5 * MATRIX[:, 1] + np.sin(3 * MATRIX[:, 2]) + RNG.normal(0, 1, 3000)
PARAMS = Params(fit=Fit(trees=40, threads=1))


def trees(params: Params = PARAMS, target: Floats = TARGET, matrix: Floats = MATRIX) -> str:
    """The trees that are learned, without the settings they were learned with."""
    return str(fit(matrix, target, params, NAMES, DIRECTIONS).model_to_string().split("\nparameters:")[0])


def steps_along(column: int, objective: dict[str, object] | None = None) -> Floats:
    """How the prediction changes from value to value of one feature, at each of many other places."""
    booster = fit(MATRIX, TARGET, PARAMS, NAMES, DIRECTIONS, *([objective] if objective else []))
    places = np.repeat(MATRIX[:50], 60, axis=0)
    places[:, column] = np.tile(np.linspace(-3, 3, 60), 50)
    return np.diff(np.asarray(booster.predict(places)).reshape(50, 60), axis=1)


def test_directions_are_kept() -> None:
    assert steps_along(0).min() == 0
    assert steps_along(1).max() == 0
    assert steps_along(2).min() < 0 < steps_along(2).max()


@pytest.mark.parametrize("alpha", [0.05, 0.5, 0.95])
def test_a_quantile_head_has_its_share_below(alpha: float) -> None:
    booster = fit(MATRIX[:2000], TARGET[:2000], PARAMS, NAMES, DIRECTIONS, quantile(alpha))
    below = float((TARGET[2000:] <= np.asarray(booster.predict(MATRIX[2000:]))).mean())
    assert below == pytest.approx(alpha, abs=0.06)


def test_what_is_not_known_is_left_out() -> None:
    target = TARGET.copy()
    target[::3] = np.nan
    known = ~np.isnan(target)
    assert trees(target=target) == trees(target=TARGET[known], matrix=MATRIX[known])
    assert trees(target=target) != trees()


def test_heads_on_the_same_bins_are_those_taught_alone() -> None:
    binned = Binned(MATRIX, np.arange(3000), PARAMS, NAMES)
    for target, objective in ((TARGET, MAIN), (TARGET, quantile(0.05)), (-TARGET, MAIN)):
        alone = fit(MATRIX, target, PARAMS, NAMES, DIRECTIONS, objective)
        assert binned.fit(target, DIRECTIONS, objective).model_to_string() == alone.model_to_string()


def test_rows_in_slices_teach_what_a_matrix_teaches_lightgbm() -> None:
    """Beyond the rows that it takes a sample of, too."""
    rows = np.random.default_rng(1).normal(size=(210_000, 2))
    rows[::5, 0] = np.nan
    target, few = np.nan_to_num(rows[:, 0]) - rows[:, 1], Params(fit=Fit(trees=3, threads=1))
    sliced = fit(rows, target, few, ("a", "b"), (0, 0)).model_to_string()
    told = dict(line[1:-1].split(": ") for line in sliced.split("parameters:")[1].splitlines() if ": " in line[:-2])
    names = ("seed", "data_random_seed", "bagging_freq", "lambda_l2", *(name for name in type(few.fit).model_fields))
    settings = {name: told[name] for name in names if name in told} | {"force_row_wise": True, "verbosity": -1}
    settings |= {"monotone_constraints": [0, 0]}
    data = lightgbm.Dataset(rows, target, feature_name=["a", "b"])
    whole = lightgbm.train(settings, data, num_boost_round=3).model_to_string()
    assert sliced.split("\nparameters:")[0] == whole.split("\nparameters:")[0]


@pytest.fixture
def few_rows_take_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many threads for the rows here as large data gets."""
    monkeypatch.setattr(fitting, "ROWS_A_THREAD", len(MATRIX) // 4)


@pytest.mark.usefixtures("few_rows_take_threads")
def test_the_trees_are_those_of_any_number_of_threads() -> None:
    assert trees(Params(fit=Fit(trees=40, threads=4))) == trees()


def test_another_seed_gives_other_trees() -> None:
    assert trees(PARAMS.model_copy(update={"seed": 8})) != trees()


def test_features_keep_their_names_and_trees_their_number() -> None:
    booster = fit(MATRIX, TARGET, PARAMS, NAMES, DIRECTIONS)
    assert booster.feature_name() == list(NAMES)
    assert booster.num_trees() == 40
    spread = float(((TARGET - TARGET.mean()) ** 2).sum())
    assert 1 - float(((TARGET - np.asarray(booster.predict(MATRIX))) ** 2).sum()) / spread > 0.4


def test_few_rows_take_one_thread() -> None:
    assert (
        "[num_threads: 1]"
        in fit(MATRIX, TARGET, Params(fit=Fit(trees=2, threads=4)), NAMES, DIRECTIONS).model_to_string()
    )


@pytest.mark.usefixtures("few_rows_take_threads")
def test_a_text_does_not_know_the_threads_and_gives_the_same_answers() -> None:
    boosters = [fit(MATRIX, TARGET, Params(fit=Fit(trees=40, threads=n)), NAMES, DIRECTIONS) for n in (1, 4)]
    first, second = (text(booster) for booster in boosters)
    assert first == second
    assert "num_threads" not in first
    assert boosters[0].model_to_string() != boosters[1].model_to_string()
    read = lightgbm.Booster(model_str=first)
    assert np.array_equal(np.asarray(read.predict(MATRIX)), np.asarray(boosters[0].predict(MATRIX)))
