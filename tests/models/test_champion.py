"""Promotion, rollback, and what the log says of them."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import model_store
import numpy as np
import pytest
import small_bundle
from silent_store import silent_store

from clout.errors import CloutError
from clout.models import audit, champion, golden, reach, registry
from clout.models.audit import Asked, Entry
from clout.models.bundle import BundleError
from clout.models.champion import PromotionError, Verdicts
from clout.models.registry import RegistryError
from clout.models.score_model import ScoreModel

ASKED = Asked(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), "amy@desk", "it is better")
STEPS = ["download", "sha256", "golden", "checks", "alias", "pointer"]
FINDING = {"code": "CLOUT002", "status": "finding"}


def passing(_: ScoreModel, __: ScoreModel | None) -> Verdicts:
    return Verdicts([{"code": "CLOUT001", "status": "passed"}])


def refusing(_: ScoreModel, __: ScoreModel | None) -> Verdicts:
    return Verdicts([FINDING], "CLOUT002 has a finding")


def promote(home: Path, store: str, name: str) -> champion.Change:
    return champion.promote(home, store, name, passing, ASKED)


def lines(home: Path) -> list[tuple[str, str, str]]:
    return [(entry.what, entry.step, entry.outcome) for entry in audit.read(home).entries]


def served(home: Path) -> str:
    """The champion, after its files are verified and its golden rows answered."""
    model = ScoreModel.load(registry.champion(home))
    assert golden.check(model) == []
    return model.version


def test_promotion_names_the_champion_here_and_in_mlflow(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    newest = model_store.tell(store, version)
    change = promote(home, store, "challenger")
    assert (change.what, change.version, change.former, change.notes) == ("promote", version, None, [])
    assert registry.champion(home) == change.directory == home / "bundles" / version
    assert (model_store.named(store), newest) == (version, "2")
    pointer = json.loads((home / "champion.json").read_text())
    assert pointer.keys() == {"version", "path", "sha256"}
    assert pointer["version"] == version == pointer["sha256"][:16]


def test_every_step_is_in_the_log(home: Path, store: str) -> None:
    first = model_store.install(home, store, "one")
    promote(home, store, first)
    second = model_store.install(home, store, "two")
    promote(home, store, second)
    entries = audit.read(home).entries
    assert lines(home) == [("promote", step, "done") for step in STEPS * 2]
    assert {(entry.when, entry.who, entry.why) for entry in entries} == {
        ("2026-03-02T14:30:00Z", "amy@desk", "it is better")
    }
    assert {(entry.version, entry.former) for entry in entries} == {(first, None), (second, first)}
    assert entries[-3].checks == [{"code": "CLOUT001", "status": "passed"}]


def test_the_checks_see_both_models_and_may_refuse(home: Path, store: str) -> None:
    first = model_store.install(home, store, "one")
    promote(home, store, first)
    second = model_store.install(home, store, "two")
    seen = []

    def judge(model: ScoreModel, former: ScoreModel | None) -> Verdicts:
        seen.extend([model.version, former.version if former else None])
        return refusing(model, former)

    with pytest.raises(PromotionError, match="CLOUT002 has a finding"):
        champion.promote(home, store, second, judge, ASKED)
    assert seen == [second, first]
    last = audit.read(home).entries[-1]
    assert (last.step, last.outcome, last.detail) == ("checks", "refused", "CLOUT002 has a finding")
    assert last.checks == [FINDING]
    assert served(home) == model_store.named(store) == first


def test_a_home_can_be_moved(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    promote(home, store, version)
    moved = home.rename(home.with_name("elsewhere"))
    assert registry.champion(moved) == moved / "bundles" / version


def test_a_tampered_bundle_is_taken_from_mlflow_again(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    (home / "bundles" / version / "scale.json").write_text("{}")
    change = promote(home, store, version)
    assert served(home) == version
    assert change.notes[0].startswith(f"{version} was taken from MLflow again: scale.json changed in")
    assert [path.name for path in (home / "bundles").iterdir()] == [version]


@pytest.mark.parametrize("damaged", ["scale.json", "manifest.json"])
def test_a_damaged_champion_is_promoted_again(home: Path, store: str, damaged: str) -> None:
    version = model_store.install(home, store, "one")
    promote(home, store, version)
    (home / "bundles" / version / damaged).unlink()
    promote(home, store, version)
    assert served(home) == version


def test_a_tampered_bundle_that_mlflow_does_not_have_is_not_promoted(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    shutil.rmtree(home.parent / "made")
    (home / "bundles" / version / "scale.json").write_text("{}")
    with pytest.raises(RegistryError, match=r"(?s)scale\.json changed.*It could not be: MLflow at"):
        promote(home, store, version)
    assert lines(home) == [("promote", "download", "refused")]
    assert not (home / "champion.json").exists()
    assert (home / "bundles" / version / "scale.json").read_text() == "{}"


def test_a_bundle_under_another_name_is_not_promoted(home: Path, store: str, bundle_directory: Path) -> None:
    shutil.copytree(bundle_directory, home / "bundles" / "mine")
    with pytest.raises(RegistryError, match=r"holds the bundle .*; expected mine: remove that folder"):
        promote(home, store, "mine")


def test_other_golden_answers_are_not_promoted(home: Path, store: str) -> None:
    content = json.loads(small_bundle.files()["golden.json"])
    content["rows"][2]["expected"]["score"] += 1
    version = model_store.install(home, store, "one", golden=json.dumps(content))
    with pytest.raises(RegistryError, match="1 other answers than its golden rows: golden row 2: score is"):
        promote(home, store, version)
    assert lines(home)[-1] == ("promote", "golden", "refused")
    assert not (home / "champion.json").exists()


def test_a_bundle_mlflow_does_not_know_is_not_promoted(home: Path, store: str, bundle_directory: Path) -> None:
    version = ScoreModel.load(bundle_directory).version
    registry.install(home, bundle_directory, version)
    with pytest.raises(RegistryError, match=f"carries the bundle {version} at sqlite.*log the bundle there first"):
        promote(home, store, version)
    assert lines(home)[-1] == ("promote", "alias", "refused")
    assert not (home / "champion.json").exists()


def test_a_broken_champion_does_not_stand_in_the_way_of_another(home: Path, store: str) -> None:
    first = model_store.install(home, store, "one")
    promote(home, store, first)
    (home / "bundles" / first / "card.md").write_text("better")
    second = model_store.install(home, store, "two")
    change = promote(home, store, second)
    assert served(home) == second
    assert "nothing to compare with: card.md changed" in change.notes[0]


def test_the_beginning_of_a_version_is_enough(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    assert promote(home, store, version[:4]).version == version
    with pytest.raises(RegistryError, match="got 'abc'; expected champion, challenger or a version"):
        promote(home, store, "abc")


def test_a_version_is_looked_for_in_mlflow_by_its_beginning_too(home: Path, store: str) -> None:
    model_store.install(home, store, "one")
    for version in ("0123456789abcdef", "01234fffffffffff"):
        model_store.tell(store, version)
    with pytest.raises(RegistryError, match="several versions begin: 0123456789abcdef, 01234fffffffffff") as refused:
        promote(home, store, "0123")
    assert refused.value.code == "ambiguous"
    with pytest.raises(RegistryError, match=r"MLflow at sqlite.* did not answer as needed"):
        promote(home, store, "01234f")
    assert lines(home) == [("promote", "download", "refused")]
    with pytest.raises(RegistryError, match="got 'fedcba'; expected champion, challenger or a version"):
        promote(home, store, "fedcba")


def test_without_a_store_it_is_told_which_is_missing(home: Path, store: str, tmp_path: Path) -> None:
    version = model_store.install(home, store, "one")
    with pytest.raises(RegistryError, match=r"there is no MLflow store at sqlite.*see CLOUT_TRACKING_URI"):
        promote(home, f"sqlite:///{tmp_path / 'gone.db'}", version)
    assert not (tmp_path / "gone.db").exists()


def test_a_bundle_that_is_not_here_comes_from_mlflow(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    elsewhere = home.with_name("elsewhere")
    change = promote(elsewhere, store, version[:6])
    assert (change.version, change.notes) == (version, [f"{version} was downloaded from MLflow"])
    assert served(elsewhere) == version
    assert {path.name for path in (elsewhere / "bundles").iterdir()} == {version}


def test_what_mlflow_holds_is_verified(home: Path, store: str) -> None:
    version = model_store.install(home, store, "one")
    (home.parent / "made" / version / "bundle" / "card.md").write_text("better")
    with pytest.raises(BundleError, match=r"card\.md changed"):
        promote(home.with_name("elsewhere"), store, version)
    assert lines(home.with_name("elsewhere")) == [("promote", "download", "refused")]


def test_rollback_gives_the_former_scores_bit_for_bit(home: Path, store: str) -> None:
    matrix, networks = small_bundle.population().matrix, small_bundle.population().networks
    first = model_store.install(home, store, "one")
    promote(home, store, first)
    before = ScoreModel.load(registry.champion(home)).predict(matrix, networks).columns()
    curves = json.loads(small_bundle.files()["calibration.json"])
    curves["main"]["log_expected"] = [1.2 * value for value in curves["main"]["log_expected"]]
    rows = {"rows": []}
    second = model_store.install(home, store, "two", calibration=json.dumps(curves), golden=json.dumps(rows))
    promote(home, store, second)
    between = ScoreModel.load(registry.champion(home)).predict(matrix, networks).columns()
    assert not np.array_equal(before["score"], between["score"])
    change = champion.rollback(home, store, ASKED)
    assert (change.version, change.former) == (first, second)
    after = ScoreModel.load(registry.champion(home)).predict(matrix, networks).columns()
    assert all(after[name].tobytes() == before[name].tobytes() for name in before)
    assert model_store.named(store) == first
    steps = ["download", "sha256", "golden", "pointer", "alias"]
    assert lines(home)[-5:] == [("rollback", step, "done") for step in steps]


def test_twice_goes_back_twice_and_then_there_is_nothing_before(home: Path, store: str) -> None:
    versions = [model_store.install(home, store, card) for card in ("one", "two", "three")]
    for version in versions:
        promote(home, store, version)
    with pytest.raises(PromotionError):
        champion.promote(home, store, versions[0], refusing, ASKED)
    assert champion.rollback(home, store, ASKED).version == versions[1]
    assert champion.rollback(home, store, ASKED).version == versions[0]
    with pytest.raises(RegistryError, match=f"{versions[0]} is the first champion of") as refused:
        champion.rollback(home, store, ASKED)
    assert refused.value.code == "no_former"
    assert served(home) == versions[0]
    promote(home, store, versions[2])
    assert champion.rollback(home, store, ASKED).version == versions[0]


def test_no_champion_no_way_back(home: Path, store: str) -> None:
    with pytest.raises(RegistryError, match="there is no champion in"):
        champion.rollback(home, store, ASKED)
    assert not home.exists()


def test_rollback_goes_on_where_mlflow_is_out_of_reach(home: Path, store: str) -> None:
    first, second = (model_store.install(home, store, card) for card in ("one", "two"))
    promote(home, store, first)
    promote(home, store, second)
    file = Path(store.removeprefix("sqlite:///"))
    away = file.rename(file.with_name("away.db"))
    change = champion.rollback(home, store, ASKED)
    assert served(home) == first
    assert "was not set, `clout champion` will when MLflow answers: there is no MLflow store" in change.notes[-1]
    away.rename(file)
    assert champion.mend(home, store, ASKED) == [
        f"MLflow called {second} champion, {first} answers: the alias is {first} now"
    ]
    assert model_store.named(store) == first
    assert champion.mend(home, store, ASKED) == []


def test_rollback_does_not_wait_for_mlflow(home: Path, store: str) -> None:
    first, second = (model_store.install(home, store, card) for card in ("one", "two"))
    promote(home, store, first)
    promote(home, store, second)
    began = monotonic()
    with silent_store() as asked:
        change = champion.rollback(home, asked, ASKED)
    assert monotonic() - began < 3 * reach.SECONDS
    assert served(home) == first
    assert "was not set, `clout champion` will when MLflow answers: there is no answer from" in change.notes[-1]
    assert lines(home)[-2:] == [("rollback", "pointer", "done"), ("rollback", "alias", "refused")]


def test_what_the_log_does_not_know_is_written_down(home: Path, store: str) -> None:
    first, second = (model_store.install(home, store, card) for card in ("one", "two"))
    promote(home, store, first)
    registry.point(home, "champion", registry.folder(home, second), second)
    assert "answers, but the log ends with" in champion.astray(home, audit.read(home))
    told = champion.mend(home, store, ASKED)
    assert [sentence.partition(":")[0] for sentence in told] == [
        f"the audit log did not say that {second} is champion, and does now",
        f"MLflow called {first} champion, {second} answers",
    ]
    assert champion.standing(audit.read(home).entries) == [first, second]
    assert champion.astray(home, audit.read(home)) == ""


def test_two_at_once_come_one_after_the_other(home: Path, store: str) -> None:
    versions = [model_store.install(home, store, card) for card in ("one", "two")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda version: promote(home, store, version), versions))
    log = audit.read(home)
    assert log.breaks == ()
    assert lines(home) == [("promote", step, "done") for step in STEPS * 2]
    assert [entry.version for entry in log.entries[5::6]] in (versions, versions[::-1])
    assert served(home) == model_store.named(store) == log.entries[-1].version


def test_a_full_disk_leaves_the_champion(home: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (model_store.install(home, store, card) for card in ("one", "two"))
    promote(home, store, first)
    real = os.fsync

    def full(handle: int) -> None:
        if ".champion.json-" in str(Path(f"/proc/self/fd/{handle}").readlink()):
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        promote(home, store, second)
    assert served(home) == first
    assert lines(home)[-1] == ("promote", "pointer", "failed")
    assert {path.name for path in home.glob(".*")} == {".lock"}


def test_the_listing_tells_figures_findings_and_roles(home: Path, store: str) -> None:
    checks = json.dumps({"checks": [FINDING]})
    metrics = json.dumps({"posts": 7, "model": {"spearman": {"value": 0.5}}, "skill": {"account_mean": {"value": 0.1}}})
    first, second = (model_store.install(home, store, card, checks=checks, metrics=metrics) for card in ("one", "two"))
    promote(home, store, first)
    promote(home, store, second)
    (home / "bundles" / first / "card.md").write_text("better")
    told = {row["version"]: row for row in champion.listing(home)}
    assert told[second] == {
        "version": second,
        "trained_through": "2026-01-31T00:00:00Z",
        "posts": 7,
        "spearman": 0.5,
        "r2_log": None,
        "skill": 0.1,
        "findings": ["CLOUT002"],
        "damaged": None,
        "roles": ["champion", "challenger"],
    }
    assert told[first]["roles"] == ["former champion"]
    assert "card.md changed" in told[first]["damaged"]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ([], ""),
        (["promote a", "promote b", "promote b"], "a b"),
        (["promote a", "promote b", "rollback a"], "a"),
        (["promote a", "promote b", "promote c", "rollback b", "promote a", "rollback b"], "a b"),
        (["rollback a"], "a"),
    ],
)
def test_only_what_was_completed_is_gone_back_through(done: list[str], expected: str) -> None:
    entries = [
        Entry.of(ASKED, what, "pointer", outcome, version)
        for what, version in (text.split() for text in done)
        for outcome in ("refused", "done")
    ]
    assert champion.standing(entries) == expected.split()


def test_errors_are_ours() -> None:
    assert issubclass(PromotionError, CloutError)
