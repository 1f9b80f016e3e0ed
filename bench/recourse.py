"""What suggestions are worth in truth: each account of a society takes its first one, in the mechanism that made it.

Usage: python bench/recourse.py [--people N] [--home FOLDER] [--write] [--json]

The posts a step was tried on are changed as it says, and the society's own mechanism, which no search has read, tells the
actions to be expected before and after. Beside it stands a step taken by chance among those similar accounts do.
`--write` keeps the figures in serving/pages/figures/recourse.json, which the pages show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer
from measuring.home import working_home
from measuring.processes import Meter
from measuring.sets import PEOPLE, SOCIETY, lake_of, params_of
from measuring.tables import show
from measuring.truth import Truth

from clout.data.coverage import coverage
from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.data.simulate import Society
from clout.display import print_json
from clout.features.account_posts import AccountsAt
from clout.features.changed_posts import change
from clout.features.steps import Step
from clout.models import registry, whole_file
from clout.models.recourse import LEVEL, WORTH_DOING, Suggestion
from clout.models.score_model import ScoreModel
from clout.serving.accounts.batch import Judgement, adviser_of
from clout.serving.accounts.recourse import Adviser, Sampled
from clout.training import pipeline

FILE = Path(__file__).parents[1] / "serving" / "pages" / "figures" / "recourse.json"
SEED = 7
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Taken:
    """A step that an account takes: what is said of it, and the points and actions it would truly bring."""

    step: Suggestion
    points: float
    actions: float


@dataclass(frozen=True)
class Advised:
    """The accounts of a society with a score, with what would raise it, and the posts and the margin of each."""

    adviser: Adviser
    advice: dict[str, list[Suggestion]]
    sampled: Sampled
    margins: dict[str, float]

    @classmethod
    def of(cls, past: AccountsAt, judge: Judgement) -> Advised:
        """What a judge says would raise the scores of the accounts of `past`."""
        matrix = judge.matrix(past.posts, past.streams, past.at)
        scores = judge.scores(past.posts, matrix)
        names = past.posts["account"].unique(maintain_order=True).to_list()
        scored = [name for name, lacks in zip(names, scores.lacks, strict=True) if lacks is None]
        adviser = adviser_of(judge, past)
        advice = adviser.advice(past.posts, matrix, scores, scored)
        sampled = adviser.sampled(past.posts, matrix, scores, scored)
        return cls(adviser, advice, sampled, dict(zip(names, scores.folded.margin.tolist(), strict=True)))

    @property
    def helped(self) -> Sampled:
        """The posts of the accounts that have a suggestion."""
        named = np.array([bool(self.advice[account]) for account in self.sampled.accounts])
        return self.sampled.where(self.adviser.model, named[self.sampled.owner])


def society(home: Path, people: int) -> tuple[AccountsAt, Judgement, Truth]:
    """The accounts of a society at its end, the champion of `home`, which is trained where there is none, and the truth."""
    lake = lake_of(SOCIETY, home, people)
    if registry.pointed(home, registry.CHAMPION) is None:
        pipeline.train(lake, params_of(SOCIETY), home, f"sqlite:///{home / 'mlflow.db'}")
    model = ScoreModel.load(registry.champion(home))
    return past_of(lake, model), Judgement.of(model), Truth.of(made_of(lake))


def past_of(lake: Lake, model: ScoreModel) -> AccountsAt:
    """The accounts of a lake just after all that is known."""
    tables = read_tables(lake)
    through = coverage(tables).data_through
    assert through is not None  # noqa: S101 - a filled lake has data
    history = load(tables, timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    return AccountsAt.of(history, through + timedelta(microseconds=1), model.networks, *model.account.windows)


def made_of(lake: Lake) -> Society:
    """What the society of a lake was made of."""
    return Society.model_validate_json(lake.receipts()[0].note or "")


def measure(advised: Advised, truth: Truth) -> dict[str, Any]:
    """How often the first suggestion, and a step by chance, truly raise what is expected, and by how much."""
    helped = advised.helped
    every = {step: taken(advised, step, helped, truth) for step in advised.adviser.steps}
    firsts = [
        next(one for of in every.values() if (one := of.get(account)) and _same(one.step, advised.advice[account][0]))
        for account in helped.accounts
    ]
    return {
        "accounts": len(advised.advice),
        "with_suggestion": len(firsts),
        "first": _told(firsts),
        "by_chance": _told(_by_chance(every.values(), helped.accounts)),
        "steps": {code: _told(of) for code, of in sorted(_by_code(firsts).items(), key=lambda told: -len(told[1]))},
    }


def taken(advised: Advised, step: Step, sampled: Sampled, truth: Truth) -> dict[str, Taken]:
    """A step as each account takes it that it changes anything for."""
    adviser, margins = advised.adviser, advised.margins
    tried, told = adviser.tried(step, sampled), adviser.worth(step, sampled, margins)
    if tried is None:
        return {}
    made = change(sampled.posts, step, sampled.streams, adviser.wording, adviser.past.at)
    after = made.posts.filter(pl.Series(np.isin(made.rows, tried.rows)))
    expected = truth.expected(sampled.posts[tried.rows.tolist()], after)
    owner, weight, count = sampled.owner[tried.rows], sampled.weight[tried.rows], len(sampled.accounts)
    share = weight / np.maximum(np.bincount(owner, minlength=count), 1)[owner]
    changed = np.array([told[name].changed if name in told else 0 for name in sampled.accounts])
    actions, logs = (changed * np.bincount(owner, share * (new - old), count) for old, new in _ways(expected))
    points = _points(adviser, sampled, np.array([margins[name] for name in sampled.accounts]), logs)
    return {
        name: Taken(told[name], float(points[place]), float(actions[place]))
        for place, name in enumerate(sampled.accounts)
        if name in told
    }


def _ways(expected: tuple[Floats, Floats]) -> list[tuple[Floats, Floats]]:
    old, new = expected
    return [(old, new), (np.log1p(old), np.log1p(new))]


def _points(adviser: Adviser, sampled: Sampled, margin: Floats, logs: Floats) -> Floats:
    """The points that so much more of log(1 + expected actions) is on the scale."""
    model, networks = adviser.model, sampled.networks
    curve = [model.scale.log_expected(score, network) for score, network in _scores(model, margin, networks)]
    return model.scale.score(np.array(curve) + logs, networks) - model.scale.score(np.array(curve), networks)


def _scores(model: ScoreModel, margin: Floats, networks: Sequence[str]) -> Iterable[tuple[float, str]]:
    return zip(model.score_margins(margin, networks).tolist(), networks, strict=True)


def _same(one: Suggestion, other: Suggestion) -> bool:
    return (one.code, one.to) == (other.code, other.to)


def _by_chance(every: Iterable[dict[str, Taken]], accounts: Iterable[str]) -> list[Taken]:
    """For each of the accounts one of the steps that it could take, whatever the model says of it."""
    told, rng = list(every), np.random.default_rng(SEED)
    found = ([of[account] for of in told if account in of] for account in accounts)
    return [steps[rng.integers(len(steps))] for steps in found]


def _by_code(steps: Iterable[Taken]) -> dict[str, list[Taken]]:
    found: dict[str, list[Taken]] = {}
    for one in steps:
        found.setdefault(one.step.code, []).append(one)
    return found


def _told(steps: Sequence[Taken]) -> dict[str, float]:
    """How many steps there are, the share that truly help with its interval, and what was said beside what is true."""
    helped = np.array([one.actions > 0 for one in steps])
    said, true = (np.array(values) for values in _points_of(steps))
    inside = [one.step.low <= one.points <= one.step.high for one in steps]
    low, high = wilson(int(helped.sum()), len(helped))
    return {
        "accounts": len(steps),
        "raised": float(helped.mean()),
        "raised_low": low,
        "raised_high": high,
        "points_said": float(said.mean()),
        "points_true": float(true.mean()),
        "a_point_true": float((true > WORTH_DOING).mean()),
        "within_interval": float(np.mean(inside)),
        "interval_level": LEVEL,
    }


def _points_of(steps: Sequence[Taken]) -> tuple[list[float], list[float]]:
    return [one.step.points for one in steps], [one.points for one in steps]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's method."""
    z = 1.96
    middle, reach = (hits + z * z / 2) / (of + z * z), z * np.sqrt(hits * (of - hits) / of + z * z / 4) / (of + z * z)
    return float(middle - reach), float(middle + reach)


def kept(told: dict[str, Any], people: int) -> str:
    """The figures as the pages keep them."""
    return json.dumps(json.loads(json.dumps({"people": people, **told}), parse_float=_rounded), indent=1) + "\n"


def _rounded(text: str) -> float:
    return round(float(text), 3)


def main(
    people: Annotated[int, typer.Option(help="People of the society.")] = PEOPLE,
    home: Annotated[Path | None, typer.Option(help="Folder to keep the lake and the model in.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the figures for the pages.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Let every account take its first suggestion."""
    meter = Meter()
    with working_home(home) as folder:
        past, judge, truth = society(folder, people)
        told = measure(Advised.of(past, judge), truth)
    if write:
        whole_file.write(FILE, kept(told, people))
    if as_json:
        print_json({"people": people, **told, "cost": meter.read().told()})
        return
    rows = {"the first suggestion": told["first"], "a step by chance": told["by_chance"], **told["steps"]}
    heads = ["raised", "raised_low", "raised_high", "points_said", "points_true", "a_point_true", "within_interval"]
    title = f"{told['with_suggestion']} of {told['accounts']} accounts have a suggestion"
    show(
        title,
        ["step", "accounts", *heads],
        [[name, row["accounts"], *map(row.get, heads)] for name, row in rows.items()],
    )
    print(f"in all {meter.read().wall_seconds:.0f} s, training included where there was no model")


if __name__ == "__main__":
    typer.run(main)
