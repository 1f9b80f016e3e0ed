"""promote, rollback, champion, audit and versions, typed as people type them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from trained_society import Retrained, TrainedSociety
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.models import audit, champion, registry

STEPS = ["download", "sha256", "golden", "checks", "alias", "pointer"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with a name for the log."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE", "CLOUT_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUT_ACTOR", "amy@desk")
    return tmp_path


@pytest.fixture
def home(retrained: Retrained, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own with a champion and a challenger."""
    monkeypatch.setenv("CLOUT_HOME", "home")
    return shutil.copytree(retrained.home, folder / "home")


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments)


def refusal(*arguments: str) -> str:
    """The one line on stderr with which a command is refused."""
    done = clout(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_training_and_the_first_promotion_are_in_the_log(trained: TrainedSociety) -> None:
    entries = audit.read(trained.home).entries
    assert [(entry.what, entry.step) for entry in entries] == [("train", "install"), *(("promote", s) for s in STEPS)]
    codes = [check["code"] for check in entries[4].checks]
    assert [check["code"] for check in entries[0].checks] == [check["code"] for check in trained.trained.checks]
    assert codes == [*(check["code"] for check in trained.trained.checks), *(f"CLOUT{n}" for n in range(101, 106))]


@pytest.mark.usefixtures("home")
def test_promoted_shown_and_rolled_back(retrained: Retrained, trained: TrainedSociety) -> None:
    old, new = trained.trained.version, retrained.told["version"]
    mutes = [word for code in ("CLOUT103", "CLOUT105") for word in ("--mute", f"{code}=other parameters")]
    done = clout("promote", new[:5], "--why", "fewer trees", "--json", *mutes)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["what"], told["version"], told["former"]) == ("promote", new, old)
    assert {check["code"]: check.get("muted") for check in told["checks"]}["CLOUT103"] == "other parameters"
    roles = {row["version"]: row["roles"] for row in json.loads(clout("versions", "--json").stdout)["versions"]}
    assert roles == {new: ["champion", "challenger"], old: ["former champion"]}
    last = json.loads(clout("audit", "--json", "--last", "6").stdout)["entries"]
    assert [(entry["step"], entry["who"], entry["why"]) for entry in last] == [
        (step, "amy@desk", "fewer trees") for step in STEPS
    ]
    assert next(check for check in last[3]["checks"] if check["code"] == "CLOUT103")["muted"] == "other parameters"
    done = clout("rollback", "--why", "a try")
    assert done.stdout == f"champion {old}, after {new}\n"
    assert clout("champion").stdout.startswith(f"champion {old} in home/bundles/")
    assert f"{new} is" not in refusal("rollback")


def test_a_finding_stops_it_and_says_what_to_do(home: Path, retrained: Retrained, trained: TrainedSociety) -> None:
    scale = json.loads((home / "scale.json").read_text())
    scale["curves"]["commons"]["mean"] += 0.5
    (home / "scale.json").write_text(json.dumps(scale))
    words = refusal("promote", "challenger", "--mute", "CLOUT103=x", "--mute", "CLOUT105=x")
    assert words.startswith(
        f"error: {retrained.told['version']} was not promoted: CLOUT102 (the frozen scale is the same)"
    )
    assert "--mute CLOUT102='why it may stand'" in words
    assert registry.pointed(home, "champion") == trained.trained.version
    last = audit.read(home).entries[-1]
    assert (last.step, last.outcome) == ("checks", "refused")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected challenger or a version to promote: versions there are: "),
        (("challenger", "--mute", "CLOUT1=x"), "got a mute of 'CLOUT1'; expected CODE=REASON with one of CLOUT001, "),
        (("challenger", "--mute", "CLOUT103"), "got a mute of CLOUT103 without a reason; expected --mute CLOUT103="),
        (("challenger", "--mute", "CLOUT103= "), "got a mute of CLOUT103 without a reason"),
        (("../home",), "got '../home'; expected champion, challenger or a version"),
    ],
)
def test_what_cannot_be_promoted_is_told(arguments: tuple[str, ...], words: str) -> None:
    assert refusal("promote", *arguments).startswith(f"error: {words}")


def test_another_home_takes_what_the_store_has(
    home: Path, retrained: Retrained, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = retrained.told["version"]
    monkeypatch.setenv("CLOUT_TRACKING_URI", f"sqlite:///{home / 'mlflow.db'}")
    monkeypatch.setenv("CLOUT_LAKE", str(home / "lake"))
    monkeypatch.setenv("CLOUT_HOME", "elsewhere")
    done = clout("promote", version[:8])
    assert done.exit_code == 0, done.output
    assert f"note: {version} was downloaded from MLflow" in done.stderr
    assert registry.champion("elsewhere").name == version
    assert (Path("elsewhere") / "judged" / f"{version}.parquet").is_file()
    assert (
        json.loads(Path("elsewhere/scale.json").read_text())["curves"]
        == json.loads((home / "scale.json").read_text())["curves"]
    )


def test_the_log_tells_where_it_was_changed(home: Path) -> None:
    file = home / audit.FILE
    assert "every line carries the sha256 of the line before it" in clout("audit").stdout
    file.write_text(file.read_text().replace("the first model", "a good model", 1) + '{"when": "20')
    done = clout("audit")
    assert done.exit_code == 1
    assert "the log was changed: line 3 does not carry the sha256 of the line before it" in done.stderr
    assert "was broken off as it was written" in done.stdout
    assert "every line" not in done.stdout


def test_lines_cut_off_the_end_show_in_the_champion(home: Path, retrained: Retrained) -> None:
    version = retrained.told["version"]
    registry.point(home, "champion", registry.folder(home, version), version)
    assert f"{version} answers, but the log ends with" in clout("audit").stderr
    assert f"note: the audit log did not say that {version} is champion" in clout("champion").stderr
    assert clout("audit").stderr == ""
    assert champion.standing(audit.read(home).entries)[-1] == version


def test_tables_in_a_file_are_whole(home: Path, trained: TrainedSociety) -> None:
    lines = clout("versions").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [row["version"] for row in champion.listing(home)]
    assert lines[0].split()[0] == "version"
    assert f"{trained.trained.report['model']['r2_log']['value']:.3f}" in "\n".join(lines)
    assert "the first model that its checks let pass" in clout("audit").stdout


def test_an_empty_place_stays_empty(folder: Path) -> None:
    assert refusal("promote").startswith("error: expected challenger or a version to promote: no version is installed")
    assert refusal("rollback").startswith("error: there is no champion in .clout")
    assert refusal("champion").startswith("error: there is no champion in .clout")
    assert "no model in .clout yet" in clout("versions").stdout
    assert "nothing was done here yet" in clout("audit").stdout
    assert list(folder.iterdir()) == []
