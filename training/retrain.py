"""Whether a champion should be trained anew, with which parameters, and how the challenger did beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clout.models.score_model import ScoreModel
from clout.training import judged
from clout.training.config import Params, read_params, to_toml, validated
from clout.training.paired import DIFFERENCE, accuracy
from clout.training.watch import Watched

HEADLINE = ("spearman", "msle", "total_ratio", "coverage")


@dataclass(frozen=True)
class Due:
    """When a champion is due: new outcomes beyond `share` of those it learned from, or data `days` beyond its own."""

    share: float
    days: float

    def reasons(self, model: ScoreModel, watched: Watched) -> list[str]:
        """Why the model should be trained anew, in words; empty when there is no need."""
        found = [finding.words for finding in watched.findings if finding.retrain]
        if watched.ripe > self.share * watched.taught:
            found.append(
                f"{watched.ripe:,} outcomes are new, {watched.ripe / watched.taught:.0%} of those it learned from"
            )
        beyond = (watched.through - datetime.fromisoformat(model.data["data_through"])) / timedelta(days=1)
        if beyond > self.days:
            found.append(f"the data reach {beyond:.0f} days beyond those it was trained on")
        return found


def successor_params(model: ScoreModel, path: Path | None, overrides: tuple[str, ...]) -> Params:
    """The parameters of the model, or those in the file at `path`, changed by `section.name=value` overrides.

    A last block that the model's parameters begin at a fixed moment begins `final_share` before the end again: else no
    newer post would ever be learned from.
    """
    if path is not None:
        return read_params(path, overrides)
    params = validated(model.params)
    splits = params.splits.model_copy(update={"final_from": None})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "params.toml"
        file.write_text(to_toml(params.model_copy(update={"splits": splits})), encoding="utf-8")
        return read_params(file, overrides)


def beside(home: Path, champion: ScoreModel, challenger: ScoreModel) -> dict[str, Any]:
    """The headline figures of a challenger less the champion's, on posts both were judged on; `reason` where none.

    Each is {"value", "low", "high"} with a 95 % interval from drawing accounts.
    """
    if champion.version == challenger.version:
        return {"posts": 0, "reason": "it is the champion: the same data and parameters give the same model"}
    if any(champion.data[name] != challenger.data[name] for name in ("action_values", "horizon_days")):
        return {"posts": 0, "reason": "they expect other outcomes, so their errors cannot be compared"}
    kept = {model.version: judged.read(home, model.version) for model in (champion, challenger)}
    told = accuracy(kept, challenger.params["seed"])
    if told["reason"]:
        words = f"only {told['posts']:,} posts lie in the rolling blocks of both; the challenger's begin later"
        return {"posts": told["posts"], "reason": words}
    figures: Mapping[str, Any] = told["figures"]
    less = {name: figures[name][challenger.version][DIFFERENCE] for name in HEADLINE}
    return {"posts": told["posts"], "reason": None, "challenger_less_champion": less}
