"""How good models are beside baselines, as `bench/judged_against.py` measured it on last blocks that no training saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from measured import table

Figures = Mapping[str, Any]

LEVEL = (0.87, 0.93)
BASELINES = {
    "account_mean": "the account's mean",
    "account_mean_90d": "the account's mean of 90 days",
    "followers": "followers",
    "poisson": "a Poisson GLM",
    "no_history": "LightGBM without the track record",
    "mean": "one mean for all",
}
# The target, the words, and where the account's own mean has a figure of its own, its name.
TARGETS: Sequence[tuple[str, str, str | None]] = (
    ("post Spearman", "Spearman, posts", "spearman"),
    ("post R² on log1p", "R² on the log scale", "r2_log"),
    ("skill over the account mean", "skill over the account's mean", None),
    ("90 % intervals cover", "outcomes inside their 90 % interval", None),
    ("  in the worst group", "the same in the worst group", None),
    ("account Spearman (own past)", "Spearman, accounts", None),
    ("expected / actual", "expected over actual actions", "total_ratio"),
    ("log error over tenths", "log error over tenths of the posts", None),
)


def sets(told: Figures) -> str:
    """Every set beside the baseline that counts."""
    heads = ("set, posts judged", "Spearman", "of the account's mean", "R² (log)", "skill", "expected / actual")
    rows = [
        (
            f"{name}, {report['posts']:,}",
            spread(model["spearman"]),
            number(report["baselines"]["account_mean"]["spearman"]),
            spread(model["r2_log"]),
            spread(report["skill"]["account_mean"]),
            spread(model["total_ratio"], 2),
            spread(model["coverage"]),
            number(model["coverage_worst_group"]["value"]),
        )
        for name, report, model in _reports(told)
    ]
    return table((*heads, "inside 90 %", "worst group"), rows)


def baselines(told: Figures) -> str:
    """Every set beside every baseline: Spearman, and the model's skill over it."""
    rows = [
        (
            f"{name}, {BASELINES[other]}",
            number(figures["spearman"]),
            number(figures["r2_log"]),
            number(figures["top_decile_lift"], 1),
            number(figures["total_ratio"], 2),
            spread(report["skill"][other]),
        )
        for name, report, _ in _reports(told)
        for other, figures in _in_order(report["baselines"])
    ]
    return table(
        ("", "Spearman", "R² (log)", "lift of the top tenth", "expected / actual", "skill of the model over it"), rows
    )


def findings(told: Figures) -> str:
    """What the checks found, set by set; a model with an error stays challenger."""
    lines = [f"- *{name}*: {'; '.join(of['findings'])}.\n" for name, of in told.items() if of.get("findings")]
    refused = [f"- *{name}* is refused: {of['refused']}.\n" for name, of in told.items() if "refused" in of]
    return "".join([*lines, *refused]) or "The checks found nothing.\n"


def targets(told: Figures) -> str:
    """The figures of the politicians beside what was asked for."""
    of = told["politicians"]
    by_name, own = {row["quantity"]: row for row in of["targets"]}, of["report"]["baselines"]["account_mean"]
    rows = []
    for name, words, beside in TARGETS:
        row = by_name[name]
        (value, asked), past = _beside(row), number(own[beside]) if beside else ""
        if name.startswith("account"):
            past, asked = number(row["must"][0]), "above it" if row["met"] else "**above it: missed**"
        rows.append((words, value, past, asked))
    accounts = of["report"]["account"]["coverage"]
    within = {"figure": accounts, "must": LEVEL, "met": LEVEL[0] <= accounts["value"] <= LEVEL[1]}
    value, asked = _beside(within)
    rows.append(("accounts whose later posts lie inside their interval", value, "", asked))
    return table(("", "this model", "the account's own past mean", "asked for"), rows)


def newcomers(told: Figures) -> str:
    """What the misses of the politicians come from, in sentences."""
    of = told["politicians"]
    new, ranks = of["newcomers"], of["report"]["account"]["spearman"]
    without, rolling = new["without"], of["rolling"]
    return (
        f"{new['accounts']} accounts without any earlier result draw {new['share_of_actions']:.0%} of all actions of the last "
        f"block, one of them {new['share_of_the_largest']:.0%}. Without them the total is {spread(without['total_ratio'], 2)} and "
        f"the error of the tenths {spread(without['decile_log_error'], 2)}: the largest accounts drew less in these weeks than "
        f"before. On the rolling blocks before, judged in the same way, they are {spread(rolling['total_ratio'], 2)} and "
        f"{spread(rolling['decile_log_error'], 2)}. Of accounts with ten posts before and after, the Spearman is "
        f"{spread(ranks['margin_less_own_mean_90d'])} above that of their own mean of 90 days, and "
        f"{spread(ranks['margin_less_own_mean_all'])} above that of a year.\n"
    )


def planted(told: Figures) -> str:
    """How near what is said of the society's accounts comes to what they were made with."""
    rows = [
        (
            f"{of['planted'].replace('_', ' ')}, {of['own_posts']}",
            f"{of['accounts']:,}",
            number(of["margin"]),
            number(of["own_mean_all"]),
        )
        for of in told["society"]["planted"]
    ]
    return table(("planted, posts of their own", "accounts", "Spearman", "of their own mean"), rows)


ACCURACY = {
    "accuracy.sets": sets,
    "accuracy.baselines": baselines,
    "accuracy.findings": findings,
    "accuracy.targets": targets,
    "accuracy.newcomers": newcomers,
    "accuracy.planted": planted,
}


def _reports(told: Figures) -> Iterator[tuple[str, Figures, Figures]]:
    """(name, report, figures of the model) of every set that could be trained on."""
    for name, of in told.items():
        if "report" in of:
            yield name, of["report"], of["report"]["model"]


def _in_order(baselines: Figures) -> Iterator[tuple[str, Figures]]:
    return ((name, baselines[name]) for name in BASELINES if name in baselines)


def _beside(row: Figures) -> tuple[str, str]:
    """A figure, and what was asked for; bold where it is missed."""
    low, high = row["must"]
    asked = f"at least {low:.2f}" if high is None else f"{low:.2f} to {high:.2f}" if low else f"at most {high:.2f}"
    return spread(row["figure"]), asked if row["met"] else f"**{asked}: missed**"


def spread(figure: Figures, digits: int = 3) -> str:
    """A figure with its 95 % interval, where it has one.

    >>> spread({"value": 0.6834, "low": 0.65, "high": 0.7}, 2), spread({"value": 1})
    ('0.68 (0.65 to 0.70)', '1.000')
    """
    value = number(figure["value"], digits)
    if figure.get("low") is None:
        return value
    return f"{value} ({number(figure['low'], digits)} to {number(figure['high'], digits)})"


def number(value: float | None, digits: int = 3) -> str:
    """A number; a dash where there is none.

    >>> number(0.25, 2), number(None)
    ('0.25', '–')
    """
    return "–" if value is None else f"{value:.{digits}f}"
