"""A bundle is made again, byte for byte; what cannot be is told with its reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from small_lake import FEW, add_notes, small_lake
from typer.testing import CliRunner, Result
from unseen_network import MAPPING

from clout.cli import app
from clout.data.history import load, read_tables
from clout.data.lake import Lake, LakeError
from clout.features.catalogue import CONTRACT
from clout.features.heard import Heard
from clout.models import bundle as bundles
from clout.models import golden, registry
from clout.models.bundle import Bundle, to_json
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.serving import scoring
from clout.serving.active_model import Loaded
from clout.training.config import Params, read_params
from clout.training.judge import open_last_block
from clout.training.pipeline import Made, make
from clout.training.reproduce import reproduce
from clout.training.whole_lake import WholeLake


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake to which a second batch came after a model was made."""
    return tmp_path_factory.mktemp("reproduced")


@pytest.fixture(scope="module")
def model(folder: Path) -> ScoreModel:
    """The model made with the first batch, on one thread."""
    lake = small_lake(folder)
    content = remade(lake, read_params(None, FEW)).content
    add_notes(lake, folder / "later", MAPPING.replace('"chirp"', '"peep"'), 50, 5)
    return ScoreModel(Bundle.of(content))


def remade(lake: Lake, params: Params) -> Made:
    """What a training on a lake gives, with no scale frozen before."""
    return make(WholeLake.read(lake, params), lake, params, Scale("1", {}))


def installed(home: Path, files: Mapping[str, bytes]) -> str:
    """The version of a bundle of these files, now at the home."""
    version = bundles.write(home / "made", files)
    registry.install(home, home / "made", version)
    return version


def clout(home: Path, *words: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, words, env={"CLOUT_HOME": str(home)})


def test_it_is_made_again_from_the_lake_as_it_was_with_another_number_of_threads(
    model: ScoreModel, folder: Path, tmp_path: Path
) -> None:
    version = installed(tmp_path / "home", model.bundle.files)
    before = {path: path.stat().st_mtime_ns for path in [*folder.rglob("*"), *tmp_path.rglob("*")]}
    done = clout(tmp_path / "home", "reproduce", version, "--data", str(folder / "lake"), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["version"], told["again"], told["reproduced"], told["causes"]) == (version, version, True, [])
    assert told["batches"] == {"used": 1, "now": 2}
    assert told["files"] == dict.fromkeys(sorted(set(model.bundle.files) - {"origin.json"}), "equal")
    assert {path: path.stat().st_mtime_ns for path in [*folder.rglob("*"), *tmp_path.rglob("*")]} == before


def test_what_does_not_come_out_the_same_is_named_with_what_changed(
    model: ScoreModel, folder: Path, tmp_path: Path
) -> None:
    made_by = model.bundle.json("provenance.json")
    older = made_by | {"libraries": made_by["libraries"] | {"numpy": "1.0"}}
    files = dict(model.bundle.files) | {"provenance.json": to_json(older).encode(), "extra.txt": b"x"}
    del files["residuals.json"]
    version = installed(tmp_path / "home", files)
    done = clout(tmp_path / "home", "reproduce", version, "--data", str(folder / "lake"))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "made from the first 1 of the 2 batches that the lake has now",
        f"not reproduced: {version} came out as {model.version}, 3 of {len(files)} files differ",
        "  extra.txt missing",
        "  provenance.json differs",
        "  residuals.json new",
        "what is not as it was:",
        f"  libraries numpy was 1.0, is {made_by['libraries']['numpy']}",
    ]


def test_a_lake_that_never_held_the_data_is_refused(model: ScoreModel, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"never had the fingerprint .* in any of its 0 states"):
        reproduce(model, Lake(tmp_path / "other"), tmp_path)


def test_a_run_that_mlflow_does_not_know_is_told(empty_store: Path, tmp_path: Path) -> None:
    environment = {"CLOUT_HOME": str(tmp_path), "CLOUT_TRACKING_URI": f"sqlite:///{empty_store}"}
    done = CliRunner().invoke(app, ["reproduce", "0" * 32], env=environment)
    assert done.exit_code == 2
    assert "there is no run 00000000" in done.stderr


def test_a_model_does_without_the_features_that_are_left_out(folder: Path, model: ScoreModel) -> None:
    lake = Lake(folder / "lake").as_of(model.data["fingerprint"])
    params = read_params(None, (*FEW, 'features.without=["wording", "track_record", "audience"]'))
    less = ScoreModel(Bundle.of(remade(lake, params).content))
    groups = {spec.group for spec in less.contract.features}
    assert groups == {"format", "timing", "network"}
    assert CONTRACT.covers(less.contract)
    assert set(less.intervals.features) <= set(less.contract.names)
    assert "wording.json" not in less.bundle.files
    assert less.params["features"] == {"without": ["wording", "track_record", "audience"]}
    assert golden.check(less) == []
    assert open_last_block(less, lake, folder)["posts"] > 50
    values = less.data["action_values"]
    tables = read_tables(lake)
    heard = Heard.of(load(tables, timedelta(days=7), values), tables["identities"])
    loaded = Loaded.of(less, heard, lake, frozenset())
    account = next(iter(sorted(loaded.accounts)))
    now = lake.read("posts")["happened_at"].max() + timedelta(days=1)  # type: ignore[operator]
    request = scoring.read_request(json.dumps({"account": account, "text": "coffee and a song"}), now)
    told = scoring.explain(loaded, request, now)
    assert {reason.code for reason in told.reasons} == set(less.contract.names)
    assert told.words == []
    assert told.evidence.ripe_posts == len(_ripe(lake, account, now))


def _ripe(lake: Lake, account: str, now: datetime) -> pl.DataFrame:
    """The posts of an account whose counts are known and had ripened."""
    posts, counts = lake.read("posts"), lake.read("counts")
    old = pl.col("happened_at") < now - timedelta(days=7)
    return posts.filter((pl.col("account") == account) & old).join(counts, on="post", how="semi")
