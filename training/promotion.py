"""The way to champion with all checks: those of the training, and those of the model beside the present champion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from clout.models import audit, champion, registry
from clout.models.audit import Asked, Entry
from clout.models.champion import Change, PromotionError, Verdicts
from clout.models.score_model import ScoreModel
from clout.training.checks import check
from clout.training.checks.codes import CODES


def promote(home: Path, tracking_uri: str, name: str, asked: Asked, mutes: Mapping[str, str]) -> Change:
    """What was done: `name` is champion, its checks passed or muted by code with a reason."""
    return champion.promote(home, tracking_uri, name, partial(judge, mutes), asked)


def promote_first(home: Path, tracking_uri: str, version: str, asked: Asked) -> bool:
    """Whether this model, just installed, became champion: there was none, and nothing stands in its way.

    The audit log has a line for the training either way.
    """
    with registry.locked(home):
        found = judge({}, ScoreModel.load(registry.folder(home, version)), None)
        former = registry.pointed(home, registry.CHAMPION)
        line = Entry.of(
            replace(asked, why=""), "train", "install", "done", version, former=former, checks=found.results
        )
        audit.append(home, line)
        if former or found.refusal:
            return False
        promote(home, tracking_uri, version, asked, {})
        return True


def judge(mutes: Mapping[str, str], model: ScoreModel, _: ScoreModel | None) -> Verdicts:
    """The results of all checks with their mutes, and the refusal where a finding stands in the way."""
    results = [_muted(result, mutes) for result in model.bundle.json("checks.json").get("checks", [])]
    return Verdicts(results, _refusal(model.version, check.stopping(results)))


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


def _muted(result: Mapping[str, Any], mutes: Mapping[str, str]) -> dict[str, Any]:
    muted = {"muted": mutes[result["code"]]} if result["code"] in mutes else {}
    # Bundles made before checks had a severity: then every finding stood in the way.
    return {"severity": "error", **result, **muted}


def _refusal(version: str, stopping: Iterable[Mapping[str, Any]]) -> str:
    found = [f"{result['code']} ({result['title']}): {result['detail']}" for result in stopping]
    if not found:
        return ""
    codes = " ".join(f"--mute {text.partition(' ')[0]}='why it may stand'" for text in found)
    return (
        f"{version} was not promoted: {'; '.join(found)}; expected no finding of severity error: see docs/checks.md for "
        f"what to do, or promote it with a reason, {codes}"
    )
