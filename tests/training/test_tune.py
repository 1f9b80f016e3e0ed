"""The search for better parameters: on the rolling blocks alone, and the same in one go or in several."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import optuna
import polars as pl
import pytest
from filelock import FileLock
from small_lake import FEW, small_lake
from typer.testing import CliRunner

from clout.cli import app
from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.training.config import Params, read_params
from clout.training.dataset import build
from clout.training.heads import held_out
from clout.training.tune import FILE, SPACE, STUDIES, Folds, Range, Tuned, TuningError, tune
from clout.training.whole_lake import WholeLake

PARAMS = read_params(None, (*FEW, "fit.trees=20"))
PATIENCE = 120.0


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake of 600 notes."""
    return small_lake(tmp_path_factory.mktemp("tuned"))


@pytest.fixture(scope="module")
def whole(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuned]:
    """A home, and a search of twelve trials in one go in it."""
    home = tmp_path_factory.mktemp("whole")
    return home, tune(lake, PARAMS, home, 12, lambda _: None)


def tried(home: Path) -> list[tuple[str, dict[str, float], float | None]]:
    """State, parameters and error of the finished trials of a home, in order."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{home / STUDIES}")
    try:
        (name,) = optuna.get_all_study_names(storage)
        trials = optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()
    finished = ("COMPLETE", "PRUNED")
    return [(trial.state.name, trial.params, trial.value) for trial in trials if trial.state.name in finished]


def stop_at(words: str) -> Callable[[str], None]:
    """Presses Ctrl-C when the step is told."""

    def step(told: str) -> None:
        if told == words:
            raise KeyboardInterrupt

    return step


def test_the_first_trial_is_what_it_began_with(whole: tuple[Path, Tuned], lake: Lake) -> None:
    home, tuned = whole
    _, first, error = tried(home)[0]
    assert first == {name: getattr(PARAMS.fit, name) for name in SPACE}
    assert tuned.began == PARAMS
    assert tuned.error["began"] == pytest.approx(error, rel=1e-12)
    dataset = build(WholeLake.read(lake, PARAMS), PARAMS)
    held = held_out(dataset, PARAMS, (), lambda _: None)
    blocks = held.frame["block"].to_numpy()
    squares = (held.margins["main"] - held.log_count()) ** 2
    assert error == pytest.approx(np.mean([squares[blocks == block].mean() for block in (0, 1)]), rel=1e-12)


def test_the_best_is_the_least_error_of_all_and_is_written_as_parameters(whole: tuple[Path, Tuned]) -> None:
    home, tuned = whole
    trials = tried(home)
    assert len(trials) == len({tuple(settings.values()) for _, settings, _ in trials}) == 12
    assert tuned.error["best"] == pytest.approx(min(e for state, _, e in trials if state == "COMPLETE"), rel=1e-12)
    assert tuned.error["best"] < tuned.error["began"]
    assert read_params(tuned.file).model_dump() == tuned.params.model_dump()
    assert tuned.file == home / FILE
    same = PARAMS.model_copy(update={"fit": tuned.params.fit})
    assert tuned.params == same != PARAMS
    assert not (home / f".{FILE}.new").exists()


def test_a_hopeless_trial_is_broken_off_early(whole: tuple[Path, Tuned]) -> None:
    home, tuned = whole
    assert tuned.trials["pruned"] == [state for state, _, _ in tried(home)].count("PRUNED") > 0


def test_the_gain_has_an_interval_and_is_the_share_by_which_the_error_fell(whole: tuple[Path, Tuned]) -> None:
    gain, error = whole[1].gain, whole[1].error
    assert gain["value"] == pytest.approx(1 - error["best"] / error["began"], rel=1e-12)
    assert gain["low"] < gain["value"] < gain["high"]


def test_in_several_goes_with_a_ctrl_c_between_it_is_the_same_search(
    lake: Lake, whole: tuple[Path, Tuned], tmp_path: Path
) -> None:
    parts = [tune(lake, PARAMS, tmp_path, count, stop_at("trial 6")) for count in (4, 3)]
    assert [part.trials["added"] for part in parts] == [4, 1]
    last = tune(lake, PARAMS, tmp_path, 7, lambda _: None)
    assert (last.trials["added"], last.trials["finished"]) == (7, 12)
    assert tried(tmp_path) == tried(whole[0])
    assert last.told() | {"file": "", "trials": {}} == whole[1].told() | {"file": "", "trials": {}}


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_where_it_was(lake: Lake, whole: tuple[Path, Tuned], tmp_path: Path) -> None:
    overrides = [word for override in (*FEW, "fit.trees=20") for word in ("--set", override)]
    command = [Path(sys.executable).with_name("clout"), "tune", "--trials", "500", "--data", lake.url, *overrides]
    environment = {**os.environ, "CLOUT_HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        give_up = time.monotonic() + PATIENCE
        while finished_in(tmp_path / STUDIES) < 3:
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    done = len(tried(tmp_path))
    assert done >= 3
    assert not (tmp_path / FILE).exists()
    tuned = tune(lake, PARAMS, tmp_path, 2, lambda _: None)
    assert (tuned.trials["added"], tuned.trials["finished"]) == (2, done + 2)
    both = min(done + 2, 12)
    assert tried(tmp_path)[:both] == tried(whole[0])[:both]


def finished_in(database: Path) -> int:
    """How many trials are finished in a database that somebody else may be making."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute("SELECT count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')")
        except sqlite3.OperationalError:
            return 0
        return int(rows.fetchone()[0])


def test_other_data_parameters_or_seed_are_another_study(lake: Lake, whole: tuple[Path, Tuned], tmp_path: Path) -> None:
    other = PARAMS.model_copy(update={"seed": 8})
    tuned = tune(lake, other, tmp_path, 1, lambda _: None)
    assert tuned.study != whole[1].study
    assert tuned.gain["value"] == 0


def folds(tables: dict[str, pl.DataFrame], params: Params = PARAMS) -> Folds:
    return Folds.of(build(WholeLake.of(tables, params), params))


def test_no_outcome_of_the_last_block_is_looked_at(lake: Lake) -> None:
    tables = read_tables(lake)
    start = build(WholeLake.of(tables, PARAMS), PARAMS).plan.final.start
    ripe = pl.col("t0") + pl.duration(days=7) >= start
    counts = tables["counts"].join(tables["posts"].select("post", t0="happened_at"), on="post")
    late = pl.when(ripe).then(pl.col("count") * 1000 + 5).otherwise("count").alias("count")
    scrambled = counts.with_columns(late).select(tables["counts"].columns)
    assert not scrambled.equals(tables["counts"])
    for mine, theirs in zip(folds(tables).parts, folds({**tables, "counts": scrambled}).parts, strict=True):
        for name in ("taught", "target", "judged", "truth", "accounts"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name), equal_nan=name in {"taught", "judged"})


def test_features_left_out_are_not_searched_with(lake: Lake) -> None:
    less = read_params(None, (*FEW, 'features.without=["track_record"]'))
    some, every = folds(read_tables(lake), less), folds(read_tables(lake))
    assert set(some.names) < set(every.names)
    assert some.parts[0].taught.shape[1] == len(some.names) == len(some.directions)


def test_a_range_makes_room_for_what_is() -> None:
    assert Range(5, 63, log=True).around(15) == Range(5, 63, log=True)
    assert Range(5, 63, log=True).around(255) == Range(5, 255, log=True)
    assert Range(0.1, 100.0, log=True).around(0.0) == Range(0.0, 100.0, log=False)


def test_two_searches_in_one_home_are_refused(lake: Lake, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".tune.lock"), pytest.raises(TuningError, match="another `clout tune` is searching"):
        tune(lake, PARAMS, tmp_path, 1, lambda _: None)


def test_the_command_tells_what_it_found(lake: Lake, whole: tuple[Path, Tuned]) -> None:
    home, tuned = whole
    words = [word for override in (*FEW, "fit.trees=20") for word in ("--set", override)]
    environment = {"CLOUT_HOME": str(home)}
    done = CliRunner().invoke(app, ["tune", "--minutes", "0", "--data", lake.url, "--json", *words], env=environment)
    told = json.loads(done.stdout)
    assert told == json.loads(json.dumps(tuned.told())) | {"trials": dict(tuned.trials) | {"added": 0}}
    empty = home / "empty"
    done = CliRunner().invoke(
        app, ["tune", "--minutes", "0", "--data", lake.url, *words], env={"CLOUT_HOME": str(empty)}
    )
    assert done.exit_code == 2
    tune(lake, PARAMS, empty, 1, lambda _: None)
    one = CliRunner().invoke(
        app, ["tune", "--minutes", "0", "--data", lake.url, *words], env={"CLOUT_HOME": str(empty)}
    )
    assert "nothing better than the parameters as they are was found" in one.stdout
    assert "clout train" not in one.stdout
    assert "no trial was finished; expected one at least" in done.stderr
    done = CliRunner().invoke(app, ["tune", "--minutes", "0", "--data", lake.url, *words], env=environment)
    assert f"clout train --params {home / FILE}" in done.stdout
    assert "fit.num_leaves" in done.stdout
