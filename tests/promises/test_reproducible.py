"""The same rows and the same seed give the same bundle, byte for byte, wherever and however it is trained."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from trained_society import QUICK, TrainedSociety
from unseen_network import notes, write

from clout.data.lake import Lake
from clout.data.simulate import Simulation
from clout.data.sources.mapping import read_mapping
from clout.data.sources.table import ingest
from clout.training.config import Params, read_params
from clout.training.pipeline import Trained, train

ELSEWHERE = {
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "3",
    "POLARS_MAX_THREADS": "5",
    "PYTHONHASHSEED": "99",
    "TZ": "Asia/Tokyo",
}
NOW = datetime(2024, 1, 1, tzinfo=UTC)
FEW = ("fit.trees=5", "fit.threads=1", "splits.origins=2")


def contents(directory: Path) -> dict[str, bytes]:
    """What decides something: all but the note of where it was made, and the manifest, which lists that too."""
    notes = {"origin.json", "manifest.json"}
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir()) if file.name not in notes}


def append_in_another_order(lake: Lake, society: Simulation) -> None:
    """The society's rows, shuffled and in two batches."""
    for half in (1, 0):
        shuffled = {
            name: rows.sample(fraction=1, shuffle=True, seed=3).gather_every(2, half)
            for name, rows in society.tables.items()
        }
        lake.append(shuffled, source="simulate", note="A made-up society.")


@pytest.mark.slow
def test_another_process_with_other_threads_and_another_order_of_rows_gives_the_same_bytes(
    trained: TrainedSociety, society: Simulation, empty_store: Path, tmp_path: Path
) -> None:
    home = tmp_path / "another home"
    append_in_another_order(Lake(home / "lake"), society)
    shutil.copy(empty_store, home / "mlflow.db")
    overrides = [word for override in QUICK for word in ("--set", override)]
    command = [Path(sys.executable).with_name("clout"), "train", "--json", *overrides]
    environment = {**os.environ, **ELSEWHERE, "CLOUT_HOME": str(home)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    directory = Path(json.loads(done.stdout)["directory"])
    first, second = contents(trained.trained.directory), contents(directory)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert directory.name == trained.trained.version
    assert (home / "scale.json").read_bytes() == (trained.home / "scale.json").read_bytes()


@pytest.mark.slow
def test_the_same_seed_again_changes_nothing_and_another_seed_gives_another_bundle(
    empty_store: Path, tmp_path: Path
) -> None:
    write(tmp_path, notes(600))
    lake = Lake(tmp_path / "lake")
    params = read_params(None, FEW)
    ingest(lake, tmp_path / "notes.csv", read_mapping(tmp_path / "chirp.toml"), NOW)
    shutil.copy(empty_store, tmp_path / "mlflow.db")

    def made(params: Params) -> Trained:
        return train(lake, params, tmp_path / "home", f"sqlite:///{tmp_path / 'mlflow.db'}")

    first, again, other = made(params), made(params), made(params.model_copy(update={"seed": 8}))
    assert again.version == first.version
    assert again.directory == first.directory
    assert other.version != first.version
    before, after = contents(first.directory), contents(other.directory)
    changed = {name for name in before if before[name] != after[name]}
    assert {"model.txt", "low.txt", "head_like.txt", "params.json", "metrics.json"} <= changed
    assert not {"contract.json", "data.json", "wording.json", "scale.json"} & changed
