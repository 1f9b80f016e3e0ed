"""The card says what the model predicts, how well, and what it must not be used for, in sound Markdown."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from itertools import groupby

import pytest
import small_bundle
from small_judgement import ACCOUNTS, CHECKS, data, report

from clout.features.catalogue import CONTRACT
from clout.training.baselines import fit_baselines
from clout.training.card import BASELINES, CardFacts, bracketed, bracketed_share, card, opening
from clout.training.config import Params


@pytest.fixture(scope="module")
def facts() -> CardFacts:
    return CardFacts(report(), CHECKS, Params(), data(), small_bundle.scale(), small_bundle.contract())


@pytest.fixture(scope="module")
def told(facts: CardFacts) -> str:
    return card(facts)


def section(told: str, title: str) -> str:
    """What stands under a heading, up to the next of the same depth or above."""
    depth = title.split(" ", maxsplit=1)[0]
    rest = told.split(f"{title}\n", 1)[1]
    return re.split(rf"^#{{1,{len(depth)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.mark.parametrize("retrospective", [False, True])
@pytest.mark.parametrize("notes", [[], ["Read | once.\nOn a Monday."]])
@pytest.mark.parametrize("accounts", [{}, {"account": ACCOUNTS}])
def test_every_table_and_heading_is_sound(
    facts: CardFacts, retrospective: bool, notes: list[str], accounts: dict[str, object]
) -> None:
    lake = data() | {"retrospective": retrospective, "notes": notes}
    lines = card(replace(facts, data=lake, report=report() | accounts)).split("\n")
    for is_table, group in groupby(range(len(lines)), key=lambda number: lines[number].startswith("|")):
        numbers = list(group)
        if is_table:
            block = [lines[number] for number in numbers]
            assert lines[numbers[0] - 1] == lines[numbers[-1] + 1] == ""
            assert re.fullmatch(r"\|(:?-+:?\|)+", block[1])
            assert len(block) > 2
            assert {len(cells(line)) for line in block} == {len(cells(block[1]))}
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        assert not line.startswith("#") or before == after == ""
    assert "\n\n\n" not in "\n".join(lines)
    assert not [line for line in lines if line != line.rstrip()]


def test_the_same_facts_give_the_same_bytes(facts: CardFacts, told: str) -> None:
    assert card(copy.deepcopy(facts)) == told
    assert told.endswith("|\n")


def test_it_says_what_is_predicted_and_what_actions_count(told: str) -> None:
    what = section(told, "## What it predicts")
    assert "within 7 days" in what
    assert "| like | 1 |\n| reshare | 2.5 |\n\n" in what
    assert "view" not in what
    assert "each action also has a weight, by what was known of its account before it" in what
    assert "not a cause" in what


def test_the_model_stands_above_its_baselines_with_intervals(told: str) -> None:
    rows = [cells(line) for line in section(told, "## How good it is").split("\n") if line.startswith("| ")]
    model, mean, account = rows[1:4]
    figures = report()["model"]
    assert model[:4] == ["**this model**", bracketed(figures["spearman"]), bracketed(figures["r2_log"]), "–"]
    assert mean[:4] == ["everyone's mean", "–", "0.000", bracketed(report()["skill"]["mean"])]
    assert account[3] == bracketed(report()["skill"]["account_mean"])
    assert account[8] == f"{report()['baselines']['account_mean']['crps']:.3f}"


def test_every_baseline_has_words() -> None:
    assert set(re.findall(r"^\s+- (\w+):", fit_baselines.__doc__ or "", re.MULTILINE)) == set(BASELINES)


def test_calibration_is_told_with_what_is_asked(told: str) -> None:
    figures = report()["model"]
    covered = [f"{100 * figures['coverage'][end]:.3g} %" for end in ("value", "low", "high")]
    assert f"inside their 90 % interval | {covered[0]} ({covered[1]} to {covered[2]}) | 87 % to 93 % |" in told
    assert (
        f"| total of expected over total of actual actions | {bracketed(figures['total_ratio'])} | 0.90 to 1.10" in told
    )


def test_every_group_has_its_row(told: str) -> None:
    rows = {cells(line)[0]: cells(line) for line in section(told, "### By group").split("\n") if line.startswith("| ")}
    assert len(rows) == len(report()["groups"]) + 1
    group = report()["groups"]["followers>=1000"]
    assert rows["followers ≥ 1000"][1:4] == [
        str(group["posts"]),
        *(f"{group[name]:.3f}" for name in ("spearman", "total_ratio")),
    ]
    assert rows["network bluesky"][1] == "743"


def test_accounts_are_told_where_they_were_judged(facts: CardFacts, told: str) -> None:
    assert "### Accounts" not in told
    rows = section(card(replace(facts, report=report() | {"account": ACCOUNTS})), "### Accounts")
    assert "321 accounts" in rows
    assert "| the score | 0.876 (0.812 to 0.913) |" in rows
    assert "| followers | 0.530 |\n" in rows
    assert "| the score, given followers | – |" in rows
    assert "### Accounts" not in card(replace(facts, report=report() | {"account": {"accounts": 4}}))


def test_findings_of_checks_are_told(told: str) -> None:
    assert "| CLOUT002 | totals add up | error | finding | 2.0 \\| too much |" in section(told, "## Checks")
    assert "1 of 2 checks passed; findings: CLOUT002." in told


def test_a_muted_check_says_why(facts: CardFacts) -> None:
    muted = [check | {"severity": "warning", "muted": "looked | at"} for check in CHECKS[1:]]
    rows = section(card(replace(facts, checks=muted)), "## Checks")
    assert "| warning | finding, muted: looked \\| at | 2.0" in rows


def test_the_short_of_it_holds_the_figures_that_decide(told: str) -> None:
    short = next(line for line in told.split("\n") if line.startswith("**In short.**"))
    figures, skill = report()["model"], report()["skill"]["account_mean"]
    for said in (bracketed(figures["spearman"]), bracketed_share(skill), bracketed_share(figures["coverage"])):
        assert said in short


def test_uses_come_before_figures_so_that_an_opening_has_them(told: str) -> None:
    start = opening(told, 5000)
    assert len(start) <= 5000
    assert "## What it must not be used for" in start
    assert start.endswith("\n\nThe rest is in card.md.\n")
    kept = start.removesuffix("\nThe rest is in card.md.\n")
    assert told.startswith(kept + "\n## ")
    assert opening(told, len(told)) == told


def test_networks_that_are_left_out_are_named(facts: CardFacts, told: str) -> None:
    assert "Left out" not in told
    small = data() | {"left_out": {"hive": 1, "forum": 1200}}
    rows = section(card(replace(facts, data=small)), "## The data")
    assert "to anchor a scale: hive (1 account), forum (1,200 accounts).\n" in rows


def test_the_scale_says_what_ten_points_are(told: str) -> None:
    scale = small_bundle.scale()
    rows = section(told, "## What a score means")
    for network, curve in scale.curves.items():
        assert f"| {network} | {curve.accounts} | " in rows
        assert f"| {scale.ten_points(network):.2f} |\n" in rows


def test_the_data_are_told_by_network(told: str) -> None:
    assert told.split("\n")[2].startswith("4,656 posts of 70 accounts taught this model.")
    rows = section(told, "## The data")
    assert "| bluesky | 1,200 | 30 | 2026-01-01 | 2026-02-03 |" in rows
    assert "| twitter\\|x | 3,456 | 40 | 2025-06-07 | – |" in rows
    assert "before 2026-02-04 taught the model" in rows
    assert "`f00d`" in rows


def test_what_was_assumed_of_the_sources_is_told_only_where_it_was(facts: CardFacts, told: str) -> None:
    assert "Retrospective" not in told
    assert "sources" not in told
    assumed = data() | {"retrospective": True, "notes": ["Read | once.\nOn a Monday.", "Two."]}
    rows = section(card(replace(facts, data=assumed)), "## The data")
    assert "**Retrospective.**" in rows
    assert "taken as known 7 days after its post" in rows
    assert "\n- Read \\| once. On a Monday.\n- Two.\n" in rows


@pytest.mark.parametrize("use", ["credit", "employment", "insurance", "housing", "policing"])
def test_what_it_must_not_be_used_for_is_told(told: str, use: str) -> None:
    assert use in section(told, "## What it must not be used for").lower()


def test_every_feature_is_told_under_its_group(facts: CardFacts) -> None:
    looked_at = section(card(replace(facts, contract=CONTRACT)), "## What it looks at")
    groups = [spec.group for spec in CONTRACT.features]
    assert looked_at.count("| `") == len(groups)
    for spec in CONTRACT.features:
        heading = spec.group.replace("_", " ").capitalize()
        rows = section(looked_at, f"### {heading} ({groups.count(spec.group)})")
        direction = {1: "↑", -1: "↓", 0: ""}[spec.direction]
        assert [f"`{spec.name}`", spec.label, spec.unit, direction, "you" if spec.actionable else ""] in [
            cells(line) for line in rows.split("\n") if line.startswith("|")
        ]


def test_figures_that_cannot_be_told_are_dashes(facts: CardFacts) -> None:
    figures = copy.deepcopy(report())
    figures["model"]["spearman"] = {"value": None, "low": None, "high": None}
    figures["model"]["coverage_worst_group"] = {"value": None}
    figures["skill"]["mean"] = {"value": None, "low": None, "high": None}
    figures["groups"] = {}
    told = card(replace(facts, report=figures))
    assert "| **this model** | – |" in told
    assert "| the same in the worst group below | – |" in told
