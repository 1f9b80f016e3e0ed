"""The way to champion with all checks: those of the training, and those of the model beside the present champion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from clout.data.lake import Lake
from clout.models import audit, champion, mlflow_registry, registry
from clout.models.audit import Asked, Entry
from clout.models.champion import Change, PromotionError, Verdicts
from clout.models.registry import RegistryError
from clout.models.score_model import ScoreModel
from clout.training import judged, scales
from clout.training.checks import check
from clout.training.checks.codes import CODES
from clout.training.checks.promotion import Evidence
from clout.training.checks.promotion import run as checks_of_promotion
from clout.training.config import validated


def promote(
    home: Path, lake: Lake, tracking_uri: str, name: str, asked: Asked, mutes: Mapping[str, str] | None = None
) -> Change:
    """What was done: `name` is champion, its checks passed or muted by code with a reason.

    A home without a frozen scale, which got its first champion from elsewhere, keeps that model's scale from now on.
    """

    def judge(model: ScoreModel, former: ScoreModel | None) -> Verdicts:
        _fetch_judged(home, tracking_uri, model.version)
        evidence = Evidence(former, model, lake, home, asked.when)
        results = [*_stored(model, mutes or {}), *checks_of_promotion(evidence, mutes or {})]
        return Verdicts(results, _refusal(model.version, results))

    with registry.locked(home):
        change = champion.promote(home, tracking_uri, name, judge, asked)
        if not (home / scales.FILE).exists():
            model = ScoreModel.load(change.directory)
            with scales.keeping(home, validated(model.params), model.scale):
                pass
        return change


def promote_first(home: Path, lake: Lake, tracking_uri: str, version: str, asked: Asked) -> bool:
    """Whether this model, just installed, became champion: there was none, and nothing stands in its way.

    The audit log has a line for the training either way.
    """
    with registry.locked(home):
        results = _stored(ScoreModel.load(registry.folder(home, version)), {})
        former = registry.pointed(home, registry.CHAMPION)
        line = Entry.of(replace(asked, why=""), "train", "install", "done", version, former=former, checks=results)
        audit.append(home, line)
        if former or not check.passed(results):
            return False
        promote(home, lake, tracking_uri, version, asked)
        return True


def read_mutes(given: Iterable[str]) -> dict[str, str]:
    """Code → reason from texts such as `CLOUT003=few posts of large accounts`.

    >>> read_mutes(["CLOUT003=few posts"])
    {'CLOUT003': 'few posts'}
    """
    mutes = {}
    for text in given:
        code, _, reason = text.partition("=")
        if code not in CODES:
            raise PromotionError(f"got a mute of {code!r}; expected CODE=REASON with one of {', '.join(CODES)}")
        if not reason.strip():
            raise PromotionError(f"got a mute of {code} without a reason; expected --mute {code}='why it may stand'")
        mutes[code] = reason.strip()
    return mutes


def _fetch_judged(home: Path, tracking_uri: str, version: str) -> None:
    """Nothing; what a model from elsewhere said of the rolling blocks is here too, if MLflow has it."""
    target = home / judged.FOLDER / f"{version}.parquet"
    if not target.exists():
        with suppress(RegistryError):
            mlflow_registry.download_file(tracking_uri, version, f"{judged.FOLDER}.parquet", target)


def _stored(model: ScoreModel, mutes: Mapping[str, str]) -> list[dict[str, str]]:
    """The results of the checks of its training."""
    return [_muted(result, mutes) for result in model.bundle.json("checks.json").get("checks", [])]


def _muted(result: Mapping[str, str], mutes: Mapping[str, str]) -> dict[str, str]:
    muted = {"muted": mutes[result["code"]]} if result["code"] in mutes else {}
    # Bundles made before checks had a severity: then every finding stood in the way.
    return {"severity": "error", **result, **muted}


def _refusal(version: str, results: Sequence[Mapping[str, str]]) -> str:
    stopping = check.stopping(results)
    if not stopping:
        return ""
    found = [f"{result['code']} ({result['title']}): {result['detail']}" for result in stopping]
    warned = [
        f"{result['code']}: {result['detail']}"
        for result in results
        if result["status"] == "finding" and result not in stopping
    ]
    beside = f" Found beside it: {'; '.join(warned)}." if warned else ""
    pages = ", ".join(f"docs/checks.md#{result['code'].lower()}" for result in stopping)
    mutes = " ".join(f"--mute {result['code']}='why it may stand'" for result in stopping)
    return (
        f"{version} was not promoted: {'; '.join(found)}; expected no finding of severity error.{beside} See {pages} for "
        f"what to do, `clout compare champion {version}` for whose scores move and why, or promote it with a reason, {mutes}"
    )
