"""From the lake to a registered bundle: the main path, top to bottom."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from clout.data.lake import Lake
from clout.errors import CloutError
from clout.models import bundle, reach, registry
from clout.models.audit import Asked
from clout.models.bundle import Bundle, to_json
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.settings import read_settings
from clout.training import judged, promotion, provenance, report, scales, ship, stores, tracking
from clout.training.account_rule import accounts_before, fit_rule
from clout.training.accounts import account_margins
from clout.training.card import CardFacts, card
from clout.training.card_page import page
from clout.training.checks import training
from clout.training.checks.check import stopping
from clout.training.checks.evidence import Evidence
from clout.training.config import Params
from clout.training.dataset import Step, build
from clout.training.evaluate import Judgement, evaluate
from clout.training.feature_store import FeatureStore
from clout.training.heads import fit_heads, held_out, learnable_kinds
from clout.training.judge import judge_rolling
from clout.training.metrics import Floats

STEPS = 11


class TrainingError(CloutError):
    """A training that could not be kept."""

    code = "training"


def steps(params: Params, lake: Lake) -> int:
    """How many times `train` tells what it is doing."""
    return STEPS + params.splits.origins + stores.steps(lake)


@dataclass(frozen=True)
class Trained:
    """A finished training: the bundle's version and directory, its figures and checks, and whether it is champion.

    `unmet` are the actions and counts on posts that the lake does not hold.
    """

    version: str
    directory: Path
    report: dict[str, Any]
    checks: list[dict[str, str]]
    champion: bool
    unmet: dict[str, int]

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "version": self.version,
            "directory": str(self.directory),
            "champion": self.champion,
            "stopped_by": [check["code"] for check in stopping(self.checks)],
            "checks": self.checks,
            "unmet": self.unmet,
            "metrics": self.report,
        }


@dataclass(frozen=True)
class Made:
    """A bundle's files, not yet written anywhere, and what was said of the rolling blocks on the way: posts and scores."""

    content: dict[str, str]
    said: Judgement
    rows: pl.DataFrame
    scores: Floats


def train(lake: Lake, params: Params, home: Path, tracking_uri: str, step: Step = lambda _: None) -> Trained:
    """The bundle made from `lake`, registered as challenger, and as champion when there is none and it passes.

    The MLflow store is asked first: a training must not run for hours towards one that is not there.
    """
    reach.ask(tracking_uri)
    with stores.opened(lake, params, home, step) as store:
        made = make(store, lake, params, scales.read(home, params), step)
        step("registering")
        try:
            return _register(made, lake, params, home, tracking_uri)
        except OSError as error:
            raise TrainingError(
                f"could not keep the training in {home} ({error}); what was there is as it was: make room or allow writing "
                "there, then train again"
            ) from error


def make(store: FeatureStore, lake: Lake, params: Params, kept: Scale, step: Step = lambda _: None) -> Made:
    """What a training on `lake`, read by `store`, gives with `kept`, the scale frozen so far; nothing is written anywhere."""
    dataset = build(store, params, step, kept.curves)
    kinds = learnable_kinds(dataset, params)
    held = held_out(dataset, params, kinds, step)
    step("calibrating on the rolling blocks")
    calibrated = ship.calibrate(held, kinds, params)
    step("learning from accounts at earlier moments")
    account = fit_rule(accounts_before(dataset, held), params.intervals.level)
    step("fitting the heads on everything known")
    heads = fit_heads(dataset, dataset.plan.final, params.with_trees(held.trees), calibrated.kinds)
    step("anchoring the scale")
    parts = dataset.store.account_posts(dataset.plan.final.start, dataset.wording)
    accounts = account_margins(parts, heads.main, dataset.contract, account)
    networks = dataset.frame["network"].unique()
    scale = scales.complete(kept, accounts, calibrated.curves["main"], networks)
    facts = ship.data_facts(dataset, lake, params) | {"trees": held.trees}
    content = ship.files(heads, calibrated, account, scale, dataset, params, facts)
    step("judging against baselines")
    said = judge_rolling(dataset, held, params)
    figures = evaluate(said, params.seed)
    step("checking")
    model = ScoreModel(Bundle.of(content))
    scores = scale.score(calibrated.curves["main"].apply(said.margin), said.frame["network"].to_list())
    seen = Evidence(figures, said.frame, scores, held, dataset, model, params, lake.tombstones())
    verdicts = training.run(seen)
    content |= {"metrics.json": to_json(figures), "checks.json": to_json({"checks": verdicts})}
    told = CardFacts(figures, verdicts, params, facts, scale, model.contract)
    content |= {"card.md": card(told), "card.html": page(told)}
    return Made(content, said, judged.rows(said), scores)


def _register(made: Made, lake: Lake, params: Params, home: Path, tracking_uri: str) -> Trained:
    home.mkdir(parents=True, exist_ok=True)
    registry.sweep(home, datetime.now(UTC))
    with tempfile.TemporaryDirectory(dir=home, prefix=registry.TRAINING) as folder:
        version = bundle.write(Path(folder) / "bundle", made.content)
        model = ScoreModel.load(Path(folder) / "bundle")
        sample = made.said.frame.sample(min(2000, made.said.frame.height), seed=0)
        plots = report.plots(Path(folder), made.said, made.scores, model.explain(sample))
        facts = {"params": model.params, "metrics": model.bundle.json("metrics.json"), "plots": plots}
        tags = provenance.tags(model)
        with scales.keeping(home, params, model.scale):
            tracking.log_run(tracking_uri, "clout", Path(folder) / "bundle", judged=made.rows, tags=tags, **facts)
            judged.write(home, version, made.rows)
            directory = registry.install(home, Path(folder) / "bundle", version)
    verdicts = model.bundle.json("checks.json")["checks"]
    asked = Asked(datetime.now(UTC), read_settings().who, "the first model that its checks let pass")
    champion = promotion.promote_first(home, lake, tracking_uri, version, asked)
    return Trained(version, directory, facts["metrics"], verdicts, champion, model.data["unmet"])
