"""Which model answers: a promotion step by step under the lock of the home, the way back, and a log of every step.

The pointer is what serves. A promotion sets MLflow's alias just before it, a rollback, which must not wait for MLflow,
just after. One that breaks off in between leaves the two apart until the next promotion or look at the champion mends the
alias.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clout.errors import CloutError
from clout.models import audit, bundle, golden, mlflow_registry, registry
from clout.models.audit import Asked, Entry
from clout.models.registry import CHAMPION, RegistryError
from clout.models.score_model import ScoreModel

PREFIX = re.compile(r"[0-9a-f]{4,16}")


class PromotionError(CloutError):
    """A model that may not become champion."""

    code = "promotion"


@dataclass(frozen=True)
class Verdicts:
    """The results of the checks, ready for JSON, and why they refuse; no reason when they do not."""

    results: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""


Judge = Callable[[ScoreModel, ScoreModel | None], Verdicts]


@dataclass(frozen=True)
class Change:
    """What a promotion or a rollback did; `notes` say what was met and mended on the way."""

    what: str
    version: str
    former: str | None
    directory: Path
    checks: list[dict[str, Any]]
    notes: list[str]

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {**self.__dict__, "directory": str(self.directory)}


@dataclass
class _Steps:
    """The steps of one change, each in the audit log as it ends."""

    home: Path
    tracking_uri: str
    what: str
    version: str
    former: str | None
    asked: Asked
    notes: list[str]

    @contextmanager
    def step(self, name: str, checks: list[dict[str, Any]] | None = None) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            outcome = "refused" if isinstance(error, CloutError) else "failed"
            self.tell(name, outcome, detail=str(error), checks=checks or [])
            raise
        self.tell(name, "done", checks=checks or [])

    def tell(self, name: str, outcome: str, **more: Any) -> None:  # noqa: ANN401
        entry = Entry.of(self.asked, self.what, name, outcome, self.version, former=self.former, **more)
        audit.append(self.home, entry)


def promote(home: str | Path, tracking_uri: str, name: str, judge: Judge, asked: Asked) -> Change:
    """What was done: `name` answers now, after every step of the way; else an error, and what answered before still does.

    `name` is challenger, a version, or the beginning of one; a bundle that is not in the home, or is damaged there, comes
    from MLflow.
    `judge` tells what the checks say of the model beside the champion, if there is one.
    """
    folder = Path(home)
    version = _version(folder, tracking_uri, name)
    with registry.locked(folder):
        notes, former = mend(folder, tracking_uri, asked), registry.pointed(folder, CHAMPION)
        steps = _Steps(folder, tracking_uri, "promote", version, former, asked, notes)
        model = _take_in(steps)
        results: list[dict[str, Any]] = []
        with steps.step("checks", results):
            verdicts = judge(model, _champion(folder, notes))
            results += verdicts.results
            if verdicts.refusal:
                raise PromotionError(verdicts.refusal)
        with steps.step("alias"):
            mlflow_registry.set_alias(tracking_uri, version)
        return _point(steps, results)


def rollback(home: str | Path, tracking_uri: str, asked: Asked) -> Change:
    """What was done: the champion before this one answers again. No checks: it has answered before.

    MLflow is told afterwards. Out of reach, it does not stop it; the alias is mended later.
    """
    folder = Path(home)
    if (seen := registry.pointed(folder, CHAMPION)) is None:
        raise _nothing_before(f"there is no champion in {folder}")
    with registry.locked(folder):
        notes = _mend_log(folder, registry.pointed(folder, CHAMPION) or seen, asked)
        past = standing(audit.read(folder).entries)
        if len(past) < 2:
            raise _nothing_before(f"{past[0]} is the first champion of {folder}")
        steps = _Steps(folder, tracking_uri, "rollback", past[-2], past[-1], asked, notes)
        _take_in(steps)
        change = _point(steps, [])
        try:
            with steps.step("alias"):
                mlflow_registry.set_alias(tracking_uri, steps.version)
        except RegistryError as error:
            notes.append(f"MLflow's alias was not set, `clout champion` will when MLflow answers: {error}")
        return change


def _nothing_before(now: str) -> RegistryError:
    return RegistryError(
        f"{now}; expected one before it: see `clout audit` and `clout versions`, and promote a version instead",
        code="no_former",
    )


def mend(home: str | Path, tracking_uri: str, asked: Asked) -> list[str]:
    """What was mended, in words: log and alias then name the model that the pointer names."""
    folder = Path(home)
    with registry.locked(folder):
        version = registry.pointed(folder, CHAMPION)
        if version is None:
            return []
        return [*_mend_log(folder, version, asked), *_mend_alias(folder, tracking_uri, version, asked)]


def standing(entries: Iterable[Entry]) -> list[str]:
    """The champions that rollback goes back through, the present one last; only changes that were completed count."""
    champions: list[str] = []
    for entry in entries:
        if (entry.step, entry.outcome) == ("pointer", "done"):
            if entry.what == "rollback":
                champions = champions[:-1]
            if champions[-1:] != [entry.version]:
                champions.append(entry.version)
    return champions


def _version(home: Path, tracking_uri: str, name: str) -> str:
    """The version that `name` means, in the home or else in MLflow."""
    try:
        return registry.resolve(home, name).name
    except RegistryError as error:
        found = (
            mlflow_registry.find(tracking_uri, name) if error.code == "no_version" and PREFIX.fullmatch(name) else []
        )
        if len(found) > 1:
            raise registry.ambiguous(name, found) from error
        if not found:
            raise
        return found[0]


def _take_in(steps: _Steps) -> ScoreModel:
    """The model, once it lies in the home whole and answers its golden rows."""
    directory = registry.folder(steps.home, steps.version)
    with steps.step("download"):
        if not directory.exists():
            mlflow_registry.download(steps.tracking_uri, steps.version, directory)
            steps.notes.append(f"{steps.version} was downloaded from MLflow")
        elif damage := bundle.damage(directory):
            _take_again(steps, directory, damage)
    with steps.step("sha256"):
        model = ScoreModel.load(directory)
        if model.version != steps.version:
            raise RegistryError(
                f"{directory} holds the bundle {model.version}; expected {steps.version}: remove that folder, and it is "
                "taken from MLflow again"
            )
    with steps.step("golden"):
        differences = golden.check(model, tolerance=golden.ACROSS_MACHINES)
        if differences:
            raise RegistryError(
                f"{model.version} gives {len(differences)} other answers than its golden rows: {differences[0]}, …; "
                "install the libraries it was trained with, or train again"
            )
    return model


def _take_again(steps: _Steps, directory: Path, damage: str) -> None:
    try:
        mlflow_registry.download(steps.tracking_uri, steps.version, directory)
    except RegistryError as error:
        raise RegistryError(f"{damage}. It could not be: {error}", code=error.code) from error
    steps.notes.append(f"{steps.version} was taken from MLflow again: {damage.partition(';')[0]}")


def _champion(home: Path, notes: list[str]) -> ScoreModel | None:
    """The model that answers now; none when there is none or it is broken, which a promotion is to repair."""
    try:
        return ScoreModel.load(registry.champion(home))
    except CloutError as error:
        if getattr(error, "code", "") != "no_champion":
            notes.append(f"nothing to compare with: {error}")
        return None


def _point(steps: _Steps, checks: list[dict[str, Any]]) -> Change:
    directory = registry.folder(steps.home, steps.version)
    with steps.step("pointer"):
        registry.point(steps.home, CHAMPION, directory, steps.version)
    return Change(steps.what, steps.version, steps.former, directory, checks, steps.notes)


def _mend_log(home: Path, version: str, asked: Asked) -> list[str]:
    """Completes the log where the pointer was moved and nothing says so."""
    entries = audit.read(home).entries
    past = standing(entries)
    if past[-1:] == [version]:
        return []
    last = entries[-1] if entries else None
    broken_off = last is not None and last.version == version and last.what in ("promote", "rollback")
    what = last.what if last is not None and broken_off else "promote"
    why = "it broke off before its last line" if broken_off else "it was pointed to without a promotion"
    detail = f"{version} answers already: {why}"
    former = past[-1] if past else None
    audit.append(home, Entry.of(asked, what, "pointer", "done", version, former=former, detail=detail))
    return [f"the audit log did not say that {version} is champion, and does now: {why}"]


def _mend_alias(home: Path, tracking_uri: str, version: str, asked: Asked) -> list[str]:
    """Moves MLflow's alias to what answers."""
    try:
        named = mlflow_registry.aliased(tracking_uri)
        if named == version:
            return []
        mlflow_registry.set_alias(tracking_uri, version)
    except RegistryError as error:
        return [f"MLflow's alias could not be compared with the champion {version}: {error}"]
    detail = f"MLflow called {named or 'no model'} champion, {version} answers"
    audit.append(home, Entry.of(asked, "mend", "alias", "done", version, former=named, detail=detail))
    return [f"{detail}: the alias is {version} now"]


def astray(home: str | Path, log: audit.Log) -> str:
    """In words where the champion is another than the log's last; empty when they agree."""
    version, past = registry.pointed(home, CHAMPION), standing(log.entries)
    last = past[-1] if past else None
    if version == last:
        return ""
    return (
        f"{version or 'no model'} answers, but the log ends with {last or 'no champion'}: a change broke off, or lines are "
        "gone; `clout champion` mends what broke off"
    )


def listing(home: str | Path) -> list[dict[str, Any]]:
    """The bundles of the home, newest data first: figures, codes of findings, roles; damaged ones with the reason."""
    past = standing(audit.read(home).entries)
    named = {name: registry.pointed(home, name) for name in (CHAMPION, registry.CHALLENGER)}
    rows = []
    for version in registry.versions(home):
        roles = [name for name, of in named.items() if of == version]
        former = version in past and named[CHAMPION] != version
        rows.append(
            _told(registry.folder(home, version)) | {"roles": [*roles, *(["former champion"] if former else [])]}
        )
    return sorted(rows, key=lambda row: (row["trained_through"] or "", row["version"]), reverse=True)


def _told(directory: Path) -> dict[str, Any]:
    """The headline of a bundle."""
    names = ("trained_through", "posts", "spearman", "r2_log", "skill", "findings", "damaged")
    row: dict[str, Any] = {"version": directory.name, **dict.fromkeys(names)}
    try:
        whole = bundle.read(directory)
    except CloutError as error:
        return row | {"damaged": str(error)}
    figures, checks = whole.json("metrics.json"), whole.json("checks.json").get("checks", [])
    figure = {name: figures.get("model", {}).get(name, {}).get("value") for name in ("spearman", "r2_log")}
    skill = figures.get("skill", {}).get("account_mean", {}).get("value")
    findings = [check["code"] for check in checks if check["status"] == "finding"]
    through = whole.json("data.json").get("data_through")
    return (
        row | {"trained_through": through, "posts": figures.get("posts"), "skill": skill, "findings": findings} | figure
    )
