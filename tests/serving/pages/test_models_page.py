"""The page on models says what the files of a home say, and says so where they are broken or not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from asked import Asked
from read_page import HTML, Read
from trained_society import Retrained

from clout.models import audit, registry, watch_log
from clout.models.audit import Entry
from clout.models.bundle import MANIFEST
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.gate import needs
from clout.serving.pages.views import models
from clout.serving.pages.views.models import Bundled

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
WATCHED = {
    "version": "abc",
    "verdict": "act: posts <b>changed</b>",
    "act": True,
    "since": "2025-03-01T00:00:00Z",
    "through": "2025-03-06T00:00:00Z",
    "posts": 1234,
    "ripe": 56,
    "drifted_share": 0.123,
    "accuracy": [{"name": "spearman", "now": 0.61}, {"name": "crps", "now": None}],
}
Open = Callable[..., Asked]


@pytest.fixture
def home(retrained: Retrained, tmp_path: Path) -> Path:
    """A home with champion and challenger, without the rows they learned from: no model answers."""
    copy = tmp_path / "home"
    names = ("audit.jsonl", "bundles", "champion.json", "challenger.json")
    copy.mkdir()
    for name in names:
        source = retrained.home / name
        shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy / name)
    return copy


def ask(home: Path | None, tracking_uri: str | None = None) -> Asked:
    active = ActiveModel()
    if home is not None:
        active.load(home, str(home / "lake"))
    return Asked(application(active, lambda: NOW, tracking_uri=lambda: tracking_uri))


def page(home: Path | None, tracking_uri: str | None = None) -> Read:
    answer = ask(home, tracking_uri).get("/models", headers=HTML)
    assert answer.status_code == 200
    return Read(answer)


def told(home: Path | None) -> dict[str, Any]:
    view: dict[str, Any] = ask(home).get("/models?format=json").json()
    return view


def document(home: Path, role: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((registry.resolve(home, role) / name).read_text())
    return read


def cells(page: Read, section: str) -> list[list[str]]:
    found = page.tree.css(f"section[aria-labelledby={section}] tbody tr")
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in found]


def test_champion_and_challenger_stand_side_by_side(home: Path) -> None:
    both = [document(home, role, "metrics.json") for role in ("champion", "challenger")]
    rows = {row[0]: row[1:] for row in cells(page(home), "pair")}
    assert rows["version"] == [registry.pointed(home, role) for role in ("champion", "challenger")]
    for report, said in zip(both, rows["rank correlation (Spearman)"], strict=True):
        rank = report["model"]["spearman"]
        assert said == f"{rank['value']:.3f} ({rank['low']:.3f} to {rank['high']:.3f})"
    skills = [report["skill"]["account_mean"]["value"] for report in both]
    assert [said.split()[0] for said in rows["skill over the account’s own mean"]] == [
        f"{skill:.3f}" for skill in skills
    ]
    commits = [document(home, role, "origin.json")["commit"][:12] for role in ("champion", "challenger")]
    assert [said.split()[0] for said in rows["commit"]] == commits
    assert all(said.endswith(audit.read(home).entries[0].who) for said in rows["trained"])


def test_models_judged_on_other_posts_are_not_to_be_compared(home: Path) -> None:
    view = told(home)
    names = ("judged_posts", "judged_from", "judged_through", "fingerprint")
    same = all(view["champion"][name] == view["challenger"][name] for name in names)
    assert view["same_posts"] == same
    assert ("judged on different posts" in page(home).words("[aria-labelledby=pair]")) != same


def test_the_champion_alone_is_one_column(home: Path) -> None:
    shutil.copy(home / "champion.json", home / "challenger.json")
    assert told(home)["same_posts"]
    said = page(home).words("[aria-labelledby=pair]")
    assert "so there is no challenger beside it" in said
    assert "challenger" not in " ".join(row[0] for row in cells(page(home), "time"))
    assert told(home)["champion"]["roles"] == ["champion"]
    assert "judged on different posts" not in said
    assert {len(row) for row in cells(page(home), "pair")} == {2}


def test_bundles_stand_by_the_data_they_know_then_by_when_they_were_trained() -> None:
    def made(version: str, through: datetime | None, trained: datetime | None) -> Bundled:
        return Bundled(version=version, roles=[], damaged=False, data_through=through, trained_at=trained)

    day = timedelta(days=1)
    rows = [made("d", NOW, NOW), made("c", NOW, NOW + day), made("b", NOW + day, NOW), made("a", NOW + day, NOW + day)]
    assert sorted([*rows[::-1], made("e", None, None)], key=models._age) == [made("e", None, None), *rows]


def test_checks_that_found_something_are_told_first(home: Path) -> None:
    checks = document(home, "challenger", "checks.json")["checks"]
    found = [check for check in checks if check["status"] != "passed"]
    said = page(home).words("[aria-labelledby=pair]")
    assert f"Checks of the challenger: {len(checks) - len(found)} of {len(checks)} passed" in said
    assert all(f"{check['code']} {check['title']}" in said for check in checks)


def test_each_bundle_has_a_mark_and_a_row_oldest_data_first(home: Path) -> None:
    shown = page(home)
    pictures = shown.tree.css("[aria-labelledby=time] svg[role=img]")
    assert len(pictures) == 4
    for picture in pictures:
        assert (len(picture.css("rect")), len(picture.css("circle"))) == (1, 1)
    assert {row[0].split()[0] for row in cells(shown, "time")} == set(registry.versions(home))
    ages = [(one["data_through"], one["trained_at"] or "") for one in told(home)["bundles"]]
    assert all(before <= after for before, after in pairwise(ages))


def test_changes_are_told_newest_first_with_who_and_why(home: Path) -> None:
    first, version = audit.read(home).entries, registry.pointed(home, "champion") or ""
    asked = audit.Asked(NOW, "amy@work", "<script>it is better</script>")
    audit.append(home, Entry.of(asked, "promote", "checks", "refused", version, detail="CLOUT015 found too much"))
    audit.append(
        home, Entry.of(asked, "promote", "alias", "failed", version, detail="postgresql://amy:secret@db/mlflow")
    )
    rows = cells(page(home), "done")
    done = [entry for entry in first if entry.step in {"install", "pointer"}]
    assert len(rows) == len(done) + 2
    assert rows[0][1:4] == ["amy@work", "promotion: failed (alias)", version]
    assert rows[1][5] == "<script>it is better</script>CLOUT015 found too much"
    answer = ask(home).get("/models", headers=HTML).text
    assert "<script>it" not in answer
    assert "secret" not in answer + json.dumps(told(home))
    assert told(home)["done"][1]["detail"] == "CLOUT015 found too much"


def test_what_was_watched_is_told_newest_first(home: Path) -> None:
    for version in ("old", "abc"):
        watch_log.append(home, WATCHED | {"version": version}, NOW)
    with (home / watch_log.FILE).open("a") as log:
        log.write('["no watch"]\n{"when": 1}\n{"cut o')
    shown = page(home)
    said = shown.words("[aria-labelledby=drift]")
    assert shown.words("[aria-labelledby=drift] .fault") == "act: posts <b>changed</b>"
    assert "1,234" in said
    assert "12.3%" in said
    assert "CRPS" not in said
    assert [row[1] for row in cells(shown, "drift")] == ["old"]


def test_without_a_model_that_answers_the_rest_is_told(home: Path) -> None:
    shown = page(home)
    assert "No model answers." in shown.words("[aria-labelledby=now]")
    assert told(home)["refused"] == registry.pointed(home, "champion")
    assert str(home) not in shown.tree.html


def test_what_is_broken_is_said_and_the_rest_is_told(home: Path) -> None:
    version = registry.pointed(home, "challenger") or ""
    (home / "bundles" / version / "metrics.json").write_text("{}")
    (home / "audit.jsonl").write_bytes(b'\xff\xfe{"a": \n{"when": 3}\n')
    (home / watch_log.FILE).write_bytes(b"\xff\xfe\xfd")
    (home / "champion.json").write_text("[]")
    shown = page(home)
    faults = " ".join(shown.every("[aria-labelledby=now] .fault"))
    assert "champion.json in the home cannot be read" in faults
    assert "watch.jsonl in the home cannot be read" in faults
    assert shown.words("[aria-labelledby=done] .fault").startswith("2 lines of the log are broken")
    assert "damaged" in next(row[0] for row in cells(shown, "time") if row[0].startswith(version))
    assert "There is no champion that can be read here." in shown.words("[aria-labelledby=pair]")


@pytest.mark.parametrize(
    "manifest", ["", "{}", '{"format": 99, "files": {}}', '{"format": 1, "files": {"metrics.json": 3}}']
)
def test_a_bundle_without_a_manifest_of_ours_is_damaged(home: Path, manifest: str) -> None:
    version = registry.pointed(home, "challenger") or ""
    (home / "bundles" / version / MANIFEST).write_text(manifest)
    assert told(home)["challenger"]["damaged"]


def test_a_home_as_a_bento_carries_it_says_what_is_missing(home: Path) -> None:
    shutil.rmtree(home / "bundles" / (registry.pointed(home, "challenger") or ""))
    for name in ("audit.jsonl", "challenger.json"):
        (home / name).unlink()
    shown = page(home)
    assert "carries the champion alone" in shown.words("[aria-labelledby=pair]")
    assert "There is no log of changes here." in shown.words("[aria-labelledby=done]")
    assert "Nothing was watched here." in shown.words("[aria-labelledby=drift]")
    assert "is not known here" in shown.words("[aria-labelledby=tools]")


def test_before_anything_was_loaded_there_is_a_page() -> None:
    assert "No model answers." in page(None).words()


def test_where_mlflow_is_tells_no_secret(home: Path) -> None:
    shown = page(home, "https://amy:secret@mlflow.example:5000/runs?token=secret")
    assert "https://mlflow.example:5000/runs" in shown.links()
    for uri in (
        "postgresql://amy:secret@db/mlflow",
        "sqlite:////srv/secret/mlflow.db",
        "http://[secret",
        "https://:0/secret",
    ):
        shown = page(home, uri)
        assert "mlflow ui --backend-store-uri" in shown.words("[aria-labelledby=tools]")
        assert "secret" not in shown.tree.html


def test_the_page_needs_the_scope_read() -> None:
    assert needs("GET", "/models") == needs("GET", "/methodology") == needs("GET", "/find") == "read"
    assert needs("GET", "/") is None


def test_the_newest_comparison_is_linked_and_shown_without_scripts(home: Path) -> None:
    before = page(home)
    assert "/models/comparison" not in before.links()
    assert "clout compare champion challenger" in before.words("[aria-labelledby=tools]")
    assert told(home)["compared_at"] is None
    missing = ask(home).get("/models/comparison")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_comparison")
    registry.comparison_file(home).write_text(
        "<!doctype html><style>p { color: red }</style><p>å</p>", encoding="utf-8"
    )
    assert "/models/comparison" in page(home).links()
    assert datetime.fromisoformat(told(home)["compared_at"]) > NOW - timedelta(days=365)
    shown = ask(home).get("/models/comparison", headers=HTML)
    assert shown.status_code == 200
    assert "<p>å</p>" in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a_service_without_a_home_has_no_comparison() -> None:
    assert ask(None).get("/models/comparison").json()["code"] == "no_comparison"
