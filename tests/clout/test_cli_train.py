"""`clout train` and `clout evaluate`, typed as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trained_society import Retrained, TrainedSociety
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.data.lake import Lake
from clout.data.simulate import Society, simulate

ROLLING = {"posts", "accounts", "from", "through", "model", "skill", "baselines", "groups", "deciles"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE", "CLOUT_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def home(trained: TrainedSociety, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the trained society; not to be changed."""
    monkeypatch.setenv("CLOUT_HOME", str(trained.home))
    return trained.home


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments)


def refusal(*arguments: str) -> str:
    """The one line on stderr with which a command is refused."""
    done = clout(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_json_tells_the_version_the_figures_and_the_checks(retrained: Retrained) -> None:
    told = retrained.told
    assert set(told) == {"version", "directory", "champion", "stopped_by", "checks", "unmet", "metrics"}
    assert Path(told["directory"]) == retrained.home / "bundles" / told["version"]
    assert set(told["metrics"]) == ROLLING
    keys = {"code", "title", "severity", "status", "detail", "docs"}
    assert [set(check) for check in told["checks"]] == [keys] * 14
    assert "Traceback" not in retrained.stderr


def test_what_is_set_is_what_it_was_trained_with(retrained: Retrained) -> None:
    params = json.loads((Path(retrained.told["directory"]) / "params.json").read_text())
    assert params["seed"] == 8
    assert (params["fit"]["trees"], params["fit"]["num_leaves"], params["splits"]["origins"]) == (50, 15, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "fit.leaves=3"), "setting fit.leaves: got 3; no such setting; expected one of trees, num_leaves"),
        (("--set", "sead=3"), "setting sead: got 3; no such setting; expected one of seed, action_values"),
        (("--set", "fit.trees"), "got 'fit.trees'; expected section.name=value"),
        (("--set", "fit.trees=2", "--set", "fit.trees=none"), "setting fit.trees: got 'none'"),
        (("--features", "only=audience"), "got --features 'only=audience'; expected without=NAME[,NAME…]"),
        (("--features", "without=audienc"), "setting features.without: got ['audienc']; no feature or group is named"),
        (("--sample", "1.5"), "setting splits.sample_share: got 1.5"),
        (("--params", "gone.toml"), "cannot read gone.toml (No such file or directory)"),
        (("--lake", "nowhere://x"), "cannot open the lake nowhere://x"),
        ((), "the lake has no posts; expected posts with the actions they drove"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(arguments: tuple[str, ...], words: str, folder: Path) -> None:
    assert refusal("train", *arguments).startswith(f"error: {words}")
    assert list(folder.iterdir()) == []


def test_params_toml_of_the_folder_is_read_unless_another_is_named(folder: Path) -> None:
    (folder / "params.toml").write_text("seed = -1\n")
    assert "setting seed: got -1" in refusal("train")
    (folder / "other.toml").write_text("seed = -2\n")
    assert "setting seed: got -2" in refusal("train", "--params", "other.toml")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["", "champion", "challenger", "version"])
def test_evaluate_prints_the_figures_of_the_rolling_blocks(name: str, trained: TrainedSociety) -> None:
    version = trained.trained.version
    done = clout("evaluate", "--json", *([version if name == "version" else name] if name else []))
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told.pop("version"), told.pop("block")) == (version, "rolling")
    assert told.pop("data") == told.pop("trained_on") == trained.lake.fingerprint()
    assert told == trained.trained.report


@pytest.mark.usefixtures("home")
def test_evaluate_measures_anew_on_the_data_it_is_given(trained: TrainedSociety) -> None:
    done = clout("evaluate", "--data", str(trained.home / "lake"), "--json")
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ROLLING} == trained.trained.report


@pytest.mark.usefixtures("home")
def test_evaluate_on_other_data_gives_other_figures(trained: TrainedSociety, folder: Path) -> None:
    other = Lake(folder / "other")
    other.append(simulate(Society(accounts=200, days=60, seed=11)).tables, source="simulate")
    told = json.loads(clout("evaluate", "--data", str(folder / "other"), "--json").stdout)
    assert (told["data"], told["trained_on"]) == (other.fingerprint(), trained.lake.fingerprint())
    assert told["posts"] < trained.trained.report["posts"]
    assert told["model"] != trained.trained.report["model"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("final", [["--final"], []])
def test_evaluate_on_an_empty_lake_says_what_is_missing(final: list[str], folder: Path) -> None:
    assert "the lake has no posts; expected posts" in refusal("evaluate", *final, "--data", str(folder / "empty"))


@pytest.mark.usefixtures("home")
def test_evaluate_final_opens_the_last_block(trained: TrainedSociety) -> None:
    done = clout("evaluate", "champion", "--final", "--json")
    told = json.loads(done.stdout)
    assert done.stderr == ""
    assert set(told) == ROLLING | {"version", "block", "data", "trained_on", "account"}
    assert (told["version"], told["block"]) == (trained.trained.version, "final")
    assert told["from"] >= trained.model.data["taught_before"][:19]
    assert told["from"] > trained.trained.report["through"]
    assert told["account"]["spearman"]["margin"]["value"] > 0.6


@pytest.mark.usefixtures("home")
def test_evaluate_for_people_is_a_table(trained: TrainedSociety) -> None:
    done = clout("evaluate")
    report = trained.trained.report
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"model {trained.trained.version} on the rolling blocks: {report['from'][:10]} to")
    assert lines[1].startswith(f"{report['posts']:,} posts of {report['accounts']:,} accounts")
    row = next(line for line in lines if line.startswith("model  "))
    assert f"{report['model']['spearman']['value']:.3f}".removeprefix("0") in row
    assert "outcomes inside their interval" in done.stdout


def test_the_second_model_can_be_evaluated_beside_the_first(
    retrained: Retrained, trained: TrainedSociety, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUT_HOME", str(retrained.home))
    versions = [json.loads(clout("evaluate", name, "--json").stdout)["version"] for name in ("champion", "challenger")]
    assert versions == [trained.trained.version, retrained.told["version"]]
    words = refusal("evaluate", "0123456789abcdef")
    assert words.startswith(
        "error: got '0123456789abcdef'; expected champion, challenger or a version: versions there are: "
    )
    assert all(version in words for version in versions)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["../lake", "/etc", "."])
def test_a_version_is_a_name_and_no_path(name: str) -> None:
    assert f"got {name!r}; expected champion, challenger or a version" in refusal("evaluate", name)


def test_evaluate_without_a_model_says_how_to_get_one(folder: Path) -> None:
    words = refusal("evaluate")
    assert words.startswith(
        "error: there is no champion in .clout; no version is installed yet. Train one with `clout train`"
    )
    assert list(folder.iterdir()) == []


def test_a_damaged_bundle_is_told(retrained: Retrained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path / "home"))
    bundle = tmp_path / "home" / "bundles" / retrained.told["version"]
    bundle.mkdir(parents=True)
    for file in Path(retrained.told["directory"]).iterdir():
        (bundle / file.name).write_bytes(file.read_bytes()[:-1] if file.name == "model.txt" else file.read_bytes())
    assert f"model.txt changed in {bundle.relative_to(tmp_path)}" in refusal("evaluate", bundle.name).replace(
        f"{tmp_path}/", ""
    )
