"""`clout watch` and `clout retrain`, as a scheduler runs them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from same_again import same_again
from trained_society import DAYS, TrainedSociety
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.data.lake import Lake
from clout.data.simulate import Simulation, Society
from clout.models import registry, watch_log
from clout.models.score_model import ScoreModel
from clout.training import watch

SINCE = Society(days=DAYS).end
LIGHT = tuple(
    word for override in ("fit.trees=20", "fit.threads=1", "wording.slices=2") for word in ("--set", override)
)


@pytest.fixture(scope="module")
def grown(trained: TrainedSociety, society: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained home whose lake has a quiet fortnight more."""
    home = trained.copy(tmp_path_factory.mktemp("grown") / "home")
    end = datetime.fromisoformat(trained.model.data["data_through"])
    Lake(home / "lake").append(same_again(society.tables, end), source="later")
    return home


@pytest.fixture(autouse=True)
def _settings(grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to stand in, the grown home, and data that are not too old for today's date."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOUT_HOME", str(grown))
    monkeypatch.setattr(watch, "STALE_DAYS", 1e6)


def clout(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_quiet_exits_with_0_and_leaves_a_page_and_a_line(grown: Path, tmp_path: Path) -> None:
    done = clout("watch", "--days", "7", "--html", "seen.html")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("quiet: ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    page = (tmp_path / "seen.html").read_text()
    assert "<strong>Quiet.</strong>" in page
    assert "http" not in page
    lines = watch_log.read(grown)
    assert lines[-1]["version"] == registry.champion(grown).name
    assert lines[-1]["act"] is False
    assert set(lines[-1]["accuracy"]) == {"spearman", "msle", "total_ratio", "coverage", "crps", "skill"}


def test_old_data_are_worth_acting_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALE_DAYS", 7.0)
    done = clout("watch", "--since", f"{SINCE:%Y-%m-%dT%H:%M:%S}", "--json")
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert told["since"] == f"{SINCE:%Y-%m-%dT%H:%M:%SZ}"
    assert told["act"]
    assert [finding["about"] for finding in told["findings"]] == ["data"]


def test_a_home_without_champion_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path / "nowhere"))
    for command in (("watch",), ("retrain", "--if-needed")):
        done = clout(*command)
        assert done.exit_code == 2, done.output
        assert done.stderr.startswith("error: there is no champion in ")


def test_looking_back_too_far_exits_with_2() -> None:
    done = clout("watch", "--days", "365")
    assert done.exit_code == 2, done.output
    assert "look back less far with --since or --days" in done.stderr


@pytest.mark.parametrize("wrong", [("--since", "2025-01-01", "--days", "3"), ("--days", "nan"), ("--days", "1e12")])
def test_a_stretch_that_is_none_exits_with_2(wrong: tuple[str, ...]) -> None:
    done = clout("watch", *wrong)
    assert done.exit_code == 2
    assert "--days" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_trained_while_the_champion_is_fine(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUT_RETRAIN_SHARE", "9")
    before = sorted((grown / "bundles").iterdir())
    done = clout("retrain", "--if-needed")
    assert done.exit_code == 0, done.output
    assert (
        done.stdout
        == f"champion {registry.champion(grown).name} needs no other for now: nothing trained; see `clout watch`\n"
    )
    assert sorted((grown / "bundles").iterdir()) == before


@pytest.mark.slow
def test_a_challenger_waits_for_a_choice(grown: Path) -> None:
    """New outcomes are more than a fifth of those learned from, so one is trained; it does not become champion."""
    champion = registry.champion(grown)
    done = clout("retrain", "--if-needed", *LIGHT, "--json")
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert told["why"][0].split()[1:4] == ["outcomes", "are", "new,"]
    challenger = ScoreModel.load(registry.resolve(grown, "challenger"))
    assert told["challenger"] == challenger.version != champion.name
    assert registry.champion(grown) == champion
    assert challenger.params["fit"]["trees"] == 20
    assert challenger.params["seed"] == ScoreModel.load(champion).params["seed"]
    less = told["beside"]["challenger_less_champion"]
    assert told["beside"]["posts"] >= 200
    assert less["msle"]["low"] <= less["msle"]["value"] <= less["msle"]["high"]
