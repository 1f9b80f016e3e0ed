"""How many points an attacker buys: scores before, and in a world where the attack has happened; all else is equal.

All targets are attacked in one world. They touch one another only through what is common to a network: its mean, and
what an action usually counts there. So some accounts that take no part are scored along, and how far they move is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.coverage import Tables
from clout.data.history import History, load, read_tables
from clout.data.lake import Lake
from clout.features.compute import prepare
from clout.models.score_model import ScoreModel
from clout.training.accounts import MeasuredPosts, account_margins
from clout.training.attacks.kinds import KINDS, Kind
from clout.training.attacks.naive import NAMES, NaiveScores, naive_values
from clout.training.attacks.scene import Rows, Scene, put
from clout.training.attacks.targets import AttackError, Plan, choose, known_posts, newest, with_evidence
from clout.training.movement import Voice

Floats = npt.NDArray[np.float64]
Step = Callable[[str], None]
ALL = "all"
OURS = "clout"
OTHERS = 60
CURVE = (0.1, 1 / 3, 1.0, 3.0)
EXACT = 1e-9
UNSEEN = "the lake has counts of actions and not who acted, so this attack cannot be told there"


@dataclass(frozen=True)
class Judge:
    """What scores accounts of one network at one moment; `watched` are those whose scores are asked for."""

    voice: Voice
    naive: NaiveScores
    before: History
    network: str
    watched: tuple[str, ...]
    at: datetime
    window: timedelta

    def history(self, tables: Tables) -> History:
        """The history of other tables, which cover what those before do."""
        data = self.voice.model.data
        return load(tables, self.before.horizon, data["action_values"], self.before.coverage)

    def scores(self, tables: Tables) -> pl.DataFrame:
        """One row each of the watched accounts, by name: account, our score, then each naive one."""
        values = naive_values(tables, self.network, self.at, self.window)
        values = pl.DataFrame({"account": sorted(self.watched)}).join(
            values, on="account", maintain_order="left", how="left"
        )
        ours = self.account_scores(self.history(tables))
        return (
            values.select("account")
            .join(ours, on="account", how="left", maintain_order="left")
            .with_columns(**{name: pl.Series(of) for name, of in self.naive.score(values).items()})
        )

    def account_scores(self, history: History) -> pl.DataFrame:
        """Our scores of the watched accounts: account, clout. Only their posts are judged, from everybody's past."""
        own = replace(history, posts=history.posts.filter(pl.col("account").is_in(self.watched)))
        model, words = self.voice.model, self.voice.wording
        posts = MeasuredPosts.of(own, prepare(history), words, self.at)
        rows = account_margins([posts], model.main, model.contract, model.account)
        score = model.score_margins(rows["margin"].to_numpy(), rows["network"].to_list())
        return rows.select("account", pl.Series(OURS, score))


@dataclass(frozen=True)
class Trial:
    """Everything an attack needs: the scene, who scores, the targets of each base, and how all were scored before."""

    plan: Plan
    scene: Scene
    judge: Judge
    chosen: Mapping[float, Sequence[str]]
    accounts: pl.DataFrame
    before: pl.DataFrame


def attack(
    lake: Lake, model: ScoreModel, kind: str, plan: Plan, *, curve: bool = False, step: Step = lambda _: None
) -> dict[str, Any]:
    """What attacks of `kind` (or all) buy, for the model and three naive scores; docs/attacks.md lists the keys.

    With `curve` also for a tenth, a third and three times the budget. Nothing is written anywhere.
    """
    kinds = chosen_kinds(kind)
    step("scoring all as it is")
    trial = prepare_trial(lake, model, plan)
    scene = trial.scene
    return {
        "version": model.version,
        "network": scene.network,
        "at": scene.at.isoformat().replace("+00:00", "Z"),
        "accounts": trial.accounts.height,
        "budget": plan.budget,
        "posts": plan.posts,
        "seed": plan.seed,
        "bases": [_about(trial, base) for base in plan.bases],
        "attacks": [_attacked(trial, kind, _budgets(plan.budget, curve=curve), step) for kind in kinds],
    }


def chosen_kinds(name: str) -> list[Kind]:
    """The kind of this name, or all; raises `AttackError` for another name."""
    if name != ALL and name not in KINDS:
        raise AttackError(f"got the kind {name!r}; expected {ALL} or one of {', '.join(KINDS)}: name one of them")
    return [kind for kind in KINDS.values() if name in (ALL, kind.name)]


def count_steps(kind: str, *, curve: bool) -> int:
    """How many steps `attack` tells of."""
    return 1 + len(chosen_kinds(kind)) * (len(CURVE) if curve else 1)


def prepare_trial(lake: Lake, model: ScoreModel, plan: Plan) -> Trial:
    """The targets and how they are scored; raises `AttackError` where nobody can be attacked."""
    tables, horizon = read_tables(lake), timedelta(days=model.data["horizon_days"])
    history = load(tables, horizon, model.data["action_values"])
    latest = history.posts["at"].max()
    if not isinstance(latest, datetime):
        raise AttackError(
            f"the lake {lake.url} has no posts; expected those of accounts to attack: give one with --lake"
        )
    at, window = latest + timedelta(microseconds=1), timedelta(days=model.account.window_days)
    network, posts, accounts = _network(tables, history, model, plan, at)
    chosen = choose(accounts, plan)
    targets = tuple(account for group in chosen.values() for account in group)
    reported = history.coverage.reported.filter((pl.col("network") == network) & pl.col("logged"))
    scene = Scene(
        tables,
        network,
        targets,
        newest(posts, targets, plan.posts),
        tuple(reported["kind"].to_list()),
        at,
        horizon,
        window,
    )
    others = np.setdiff1d(accounts["account"].to_numpy().astype(str), targets)
    beside = np.random.default_rng(plan.seed).permutation(others)[:OTHERS].tolist()
    naive = NaiveScores.fit(naive_values(tables, network, at, window))
    judge = Judge(Voice(model), naive, history, network, (*targets, *beside), at, window)
    return Trial(plan, scene, judge, chosen, accounts, judge.scores(tables))


def _network(
    tables: Tables, history: History, model: ScoreModel, plan: Plan, at: datetime
) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """(network, its known posts, its accounts with evidence): the one with most of them, of those that log who acts."""
    reported = history.coverage.reported
    logged = set(reported.filter("logged")["network"])
    networks = sorted(set(model.networks) & set(history.posts["network"].unique()))
    networks = [name for name in networks if name in logged] or networks
    if not networks:
        raise AttackError(
            f"the lake has no posts of {', '.join(model.networks)}, the networks that {model.version} can score; expected "
            "some: give another lake, or another model"
        )
    found = []
    for network in networks:
        posts = known_posts(history, network, at)
        found.append((network, posts, with_evidence(tables, network, posts, model.account, at, plan.posts)))
    return max(found, key=lambda one: one[2].height)


def _about(trial: Trial, base: float) -> dict[str, Any]:
    mine = trial.before.filter(pl.col("account").is_in(trial.chosen[base]))
    usual = trial.accounts.filter(pl.col("account").is_in(trial.chosen[base]))["usual"]
    scores = {name: _median(mine[name]) for name in mine.columns[1:]}
    return {"base": base, "targets": mine.height, "usual": [usual.min(), usual.max()], "scores": scores}


def _median(values: pl.Series) -> float | None:
    known = values.drop_nans().drop_nulls()
    return float(np.median(known.to_numpy())) if len(known) else None


def _budgets(budget: int, *, curve: bool) -> list[int]:
    return sorted({max(1, round(share * budget)) for share in CURVE}) if curve else [budget]


def _attacked(trial: Trial, kind: Kind, budgets: Sequence[int], step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": kind.name, "what": kind.what, "cost": kind.cost, "unit": kind.unit}
    if kind.needs_actors and not trial.scene.logged:
        return {**told, "reason": UNSEEN}
    worlds = {}
    for budget in budgets:
        step(f"{kind.name}, {budget:,} {kind.unit}")
        worlds[budget] = _tried(trial, kind, budget)
    return {**told, "reason": None, **worlds[trial.plan.budget], "curve": _curve(worlds)}


def _curve(worlds: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each budget and base what the score gained in the median."""
    return [
        {"budget": budget, "base": base["base"], "points": {name: of["median"] for name, of in base["points"].items()}}
        for budget, world in worlds.items()
        for base in world["bases"]
    ]


def _tried(trial: Trial, kind: Kind, budget: int) -> dict[str, Any]:
    """What the targets gained in one world, and how far those moved who took no part in it."""
    scene, seed = trial.scene, [trial.plan.seed, list(KINDS).index(kind.name)]
    rows = kind.rows(scene, budget, np.random.default_rng(seed))
    after = trial.judge.scores(put(scene.tables, rows))
    names = [name for name in (OURS, *NAMES) if name in after.columns]
    gained = after.select("account", *(pl.col(name) - trial.before[name] for name in names))
    on_targets, beside = _acts(rows, scene)
    amount = on_targets if kind.needs_actors else float(budget)
    actors = rows["actions"]["actor"].unique().to_list() if "actions" in rows else []
    others = gained.filter(~pl.col("account").is_in([*scene.targets, *actors]))[OURS].abs()
    return {
        "amount": amount,
        "beside": beside,
        "others": {"accounts": len(others), "median": others.median(), "most": others.max()},
        "bases": [_bought(trial, kind, base, gained, amount) for base in trial.plan.bases],
    }


def _acts(rows: Rows, scene: Scene) -> tuple[float, float]:
    """How many actions each target bought, and how many more were taken elsewhere for it."""
    if "actions" not in rows:
        return 0.0, 0.0
    on_targets = int(rows["actions"]["account"].is_in(scene.targets).sum())
    count = len(scene.targets)
    return on_targets / count, (rows["actions"].height - on_targets) / count


def _bought(trial: Trial, kind: Kind, base: float, gained: pl.DataFrame, amount: float) -> dict[str, Any]:
    """What the targets of one base gained, by score: figures, the least and the most bought naive score, the limit."""
    mine = gained.filter(pl.col("account").is_in(trial.chosen[base]))
    points = {name: _figures(mine[name].drop_nans().drop_nulls().to_numpy(), amount) for name in mine.columns[1:]}
    points = {name: of for name, of in points.items() if of}
    naive = sorted((of["median"], name) for name, of in points.items() if name != OURS)
    limit = limit_of(kind.name, base, trial.plan)
    within = None if limit is None else int((mine[OURS] <= limit + EXACT).sum())
    ends = {"best": naive[0], "worst": naive[-1]}
    return {
        "base": base,
        "points": points,
        **{end: {"score": name, "ratio": _ratio(points[OURS]["median"], of)} for end, (of, name) in ends.items()},
        "limit": limit,
        "within": within,
        "targets": mine.height,
    }


def _figures(gained: Floats, amount: float) -> dict[str, float]:
    if not len(gained):
        return {}
    median = float(np.median(gained))
    return {
        "median": median,
        "p90": float(np.quantile(gained, 0.9)),
        "most": float(gained.max()),
        "per_thousand": 1_000 * median / max(amount, 1.0),
    }


def _ratio(ours: float, naive: float) -> float | None:
    """How many times what the naive score gains ours does; None where that gains nothing."""
    return ours / naive if naive > EXACT else None


def limit_of(kind: str, base: float, plan: Plan) -> float | None:
    """The points that an attack may buy by promise; None where nothing is promised.

    >>> limit_of("throwaways", 20, Plan()), limit_of("throwaways", 2, Plan()), limit_of("pod", 20, Plan())
    (0.5, 2.0, None)
    """
    if kind == "followers":
        return 0.0
    if kind != "throwaways" or plan.budget > 1_000 or plan.posts < 30 or base < 2:
        return None
    return 0.5 if base >= 20 else 2.0
