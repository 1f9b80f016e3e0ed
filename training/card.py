"""The model card: what a bundle predicts, how well, from which data, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from clout.features.contract import GROUPS, Contract
from clout.models.scale import Scale
from clout.training.config import Params

BASELINES = {
    "mean": "everyone's mean",
    "followers": "followers alone (isotonic)",
    "account_mean": "the account's own mean, shrunken",
    "account_mean_90d": "the same of the last 90 days",
    "poisson": "Poisson regression on the history",
    "no_history": "LightGBM without the history",
}
DIGITS = {
    "spearman": 3,
    "r2_log": 3,
    "within_account_spearman": 3,
    "top_decile_lift": 2,
    "ndcg": 3,
    "total_ratio": 3,
    "crps": 3,
}
ACCOUNT_RANKS = {
    "margin": "the score",
    "expected": "the score without the track record",
    "own_mean_90d": "the account's own mean of 90 days",
    "own_mean_all": "the account's own mean",
    "followers": "followers",
    "margin_less_own_mean_90d": "the score, less its own mean of 90 days",
    "margin_less_own_mean_all": "the score, less its own mean",
    "partial_given_followers": "the score, given followers",
}
UNKNOWN = "–"
REST = "\nThe rest is in card.md.\n"


@dataclass(frozen=True)
class CardFacts:
    """What a card tells.

    `report` is that of `evaluate.evaluate`, with `account` where accounts were judged too; `checks` are those of
    `checks.run`; `data` is what data.json holds.
    """

    report: Mapping[str, Any]
    checks: Sequence[Mapping[str, Any]]
    params: Params
    data: Mapping[str, Any]
    scale: Scale
    contract: Contract


def card(facts: CardFacts) -> str:
    """The model card in Markdown; the same facts give the same bytes."""
    networks, level = facts.data["networks"].values(), facts.params.intervals.level
    return (
        _templates()
        .get_template("card.md.j2")
        .render(
            report=facts.report,
            short=_short(facts),
            judged=list(judged(facts.report)),
            account=list(_accounts(facts.report)),
            checks=facts.checks,
            data=facts.data,
            posts_taught=sum(network["posts"] for network in networks),
            accounts_taught=sum(network["accounts"] for network in networks),
            span=f"{facts.report['from'][:10]} through {facts.report['through'][:10]}",
            level=share(level),
            least_cover=share(level - 0.03),
            most_cover=share(level + 0.03),
            scale=facts.scale,
            curves=list(_curves(facts.scale)),
            groups=_features(facts.contract),
        )
    )


def opening(text: str, most: int) -> str:
    """The first sections of a card, whole, in at most `most` characters."""
    if len(text) <= most:
        return text
    kept = text.rfind("\n## ", 0, most - len(REST))
    return text[: max(kept, 0)] + REST


def judged(report: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of the table "judged against", the model first: `words`, `skill` of the model over it, every figure."""
    model = {figure: bracketed(report["model"][figure], digits) for figure, digits in DIGITS.items()}
    yield {"words": "**this model**", "skill": UNKNOWN, **model}
    for name, figures in report["baselines"].items():
        told = {figure: number(figures[figure], digits) for figure, digits in DIGITS.items()}
        yield {"words": BASELINES.get(name, name), "skill": bracketed(report["skill"][name]), **told}


def _short(facts: CardFacts) -> str:
    """The verdict in a few sentences."""
    model, skill = facts.report["model"], facts.report["skill"]
    said = [f"The rank correlation with what posts went on to draw is {bracketed(model['spearman'])}"]
    if "account_mean" in skill:
        said.append(
            f"Its squared error, on the log scale, is {bracketed_share(skill['account_mean'])} below that of "
            "guessing each account's own mean"
        )
    level = share(facts.params.intervals.level)
    said.append(f"{bracketed_share(model['coverage'])} of outcomes lie inside their {level} interval")
    return f"{'. '.join([*said, verdicts(facts.checks)])}."


def verdicts(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many checks passed, and which have a finding.

    >>> verdicts([{"code": "CLOUT001", "status": "passed"}, {"code": "CLOUT002", "status": "finding", "muted": "few"}])
    '1 of 2 checks passed; findings: CLOUT002 (muted)'
    """
    passed = sum(check["status"] == "passed" for check in checks)
    found = [f"{c['code']}{' (muted)' if 'muted' in c else ''}" for c in checks if c["status"] == "finding"]
    return f"{passed} of {len(checks)} checks passed" + (f"; findings: {', '.join(found)}" if found else "")


def _status(check: Mapping[str, Any]) -> str:
    return f"{check['status']}, muted: {check['muted']}" if "muted" in check else str(check["status"])


def number(value: float | None, digits: int = 3) -> str:
    """A figure with its digits, a dash where it cannot be told.

    >>> number(0.68349), number(None)
    ('0.683', '–')
    """
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def bracketed(figure: Mapping[str, float | None], digits: int = 3) -> str:
    """A figure with its interval, where it has one.

    >>> bracketed({"value": 0.68349, "low": 0.671, "high": 0.7}), bracketed({"value": 0.5})
    ('0.683 (0.671 to 0.700)', '0.500')
    """
    return _interval(figure, lambda value: number(value, digits))


def _interval(figure: Mapping[str, float | None], say: Callable[[float | None], str]) -> str:
    if figure.get("low") is None:
        return say(figure["value"])
    return f"{say(figure['value'])} ({say(figure['low'])} to {say(figure['high'])})"


def bracketed_share(figure: Mapping[str, float | None]) -> str:
    """A share in percent with its interval, where it has one.

    >>> bracketed_share({"value": 0.9, "low": 0.88, "high": 0.915})
    '90 % (88 % to 91.5 %)'
    """
    return _interval(figure, share)


def share(value: float | None) -> str:
    """A share in percent, a dash where it cannot be told.

    >>> share(0.905), share(None)
    ('90.5 %', '–')
    """
    return UNKNOWN if value is None else f"{100 * value:.3g} %"


def _actions(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _group(name: str) -> str:
    return name.replace(">=", " ≥ ").replace("<", " < ").replace("=", " ")


def _accounts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    ranks = report.get("account", {}).get("spearman", {})
    for name, figure in ranks.items():
        yield ACCOUNT_RANKS[name], bracketed(figure)


def _curves(scale: Scale) -> Iterator[dict[str, Any]]:
    for network, curve in scale.curves.items():
        yield {
            "network": network,
            "accounts": curve.accounts,
            "at_mean": float(np.expm1(curve.mean)),
            "at_p95": float(np.expm1(curve.p95)),
            "ten_points": scale.ten_points(network),
        }


def _features(contract: Contract) -> list[tuple[str, list[Any]]]:
    by_group = {group: [spec for spec in contract.features if spec.group == group] for group in GROUPS}
    return [(group.replace("_", " ").capitalize(), specs) for group, specs in by_group.items() if specs]


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("clout.training", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (Markdown, not HTML)
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "figure": number,
        "bracketed": bracketed,
        "bracketed_share": bracketed_share,
        "share": share,
        "count": lambda value: f"{value:,}",
        "actions": _actions,
        "day": lambda moment: UNKNOWN if moment is None else moment[:10],
        "cell": _cell,
        "status": _status,
        "group": _group,
    }
    return environment
