"""The page on method says what the model's own files and the measured figures say, in plain words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import textstat
from asked import Asked
from read_page import HTML, Read, number
from scored_home import NOW, Scored
from trained_society import TrainedSociety

from clout.models.scale import Curve, Scale
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.pages import measured
from clout.serving.pages.views import methodology

PATH = "/methodology"
MOST_ON_AVERAGE = 8.0


@pytest.fixture(scope="module")
def ask(trained: TrainedSociety) -> Asked:
    active = ActiveModel()
    active.load(trained.home, trained.lake.url, keep=False)
    return Asked(application(active, lambda: NOW))


@pytest.fixture(scope="module")
def page(ask: Asked) -> Read:
    return Read(ask.get(PATH, headers=HTML))


@pytest.fixture(scope="module")
def view(ask: Asked) -> dict[str, Any]:
    told: dict[str, Any] = ask.get(f"{PATH}?format=json").json()
    return told


@pytest.fixture(scope="module")
def report(trained: TrainedSociety) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((trained.trained.directory / "metrics.json").read_text())
    return told


def rows(page: Read, section: str) -> list[list[str]]:
    """The cells of every row in a section's tables."""
    found = page.tree.css(f"section[aria-labelledby={section}] tbody tr")
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in found]


def test_what_a_reaction_counts_is_the_model_s(page: Read, trained: TrainedSociety) -> None:
    assert [float(row[1]) for row in rows(page, "what")] == list(trained.model.data["action_values"].values())
    assert "within 7 days" in page.words("[aria-labelledby=what]")


def test_scores_stand_for_the_reactions_that_the_scale_gives(view: dict[str, Any], trained: TrainedSociety) -> None:
    scale = trained.model.scale
    for curve in view["curves"]:
        assert curve["ten_points"] == scale.ten_points(curve["network"])
        for score, reactions in (*curve["steps"], *curve["line"]):
            assert reactions >= 0
            assert math.expm1(scale.log_expected(score, curve["network"])) == pytest.approx(reactions)


def test_scores_below_no_reaction_are_left_out() -> None:
    curve = methodology._curve(Scale("1", {"commons": Curve(1.0, 3.0, 100)}), "commons")
    assert [score for score, _ in curve.steps] == [30, 40, 50, 63, 80, 90]


def test_figures_are_those_of_the_report(page: Read, report: dict[str, Any]) -> None:
    said, rank = page.words("[aria-labelledby=accuracy]"), report["model"]["spearman"]
    assert f"agree by {rank['value']:.2f} ({rank['low']:.2f} to {rank['high']:.2f})" in said
    assert f"We tested on {report['posts']:,} posts" in said
    assert f"held for {report['model']['coverage']['value']:.1%} of the posts" in said
    told = rows(page, "accuracy")
    followers = next(row for row in told if row[0] == "by the number of followers")
    assert followers[1] == f"{report['baselines']['followers']['spearman']:.2f}"
    assert followers[2].startswith(f"{report['skill']['followers']['value']:.0%} (")


def test_every_simpler_guess_has_words_of_its_own(page: Read, report: dict[str, Any]) -> None:
    names = {row[0] for row in rows(page, "accuracy")}
    assert report["skill"]
    assert not names & set(report["skill"])


def test_the_picture_of_guess_and_truth_shows_every_tenth(page: Read, report: dict[str, Any]) -> None:
    dots = page.tree.css("[aria-labelledby=accuracy] circle")
    assert len(dots) == len(report["deciles"]) == 10
    tops = [float(str(dot.attributes["cy"])) for dot in dots]
    actual = [tenth["actual"] for tenth in report["deciles"]]
    assert sorted(range(10), key=lambda i: -tops[i]) == sorted(range(10), key=lambda i: actual[i])
    assert [row[1] for row in rows(page, "accuracy") if row[0].isdigit() and len(row) == 3][:10] == [
        f"{tenth['expected']:.1f}" for tenth in report["deciles"]
    ]


def test_groups_by_history_do_not_overlap(view: dict[str, Any]) -> None:
    groups = view["judged"]["experience"]
    assert [one["below"] for one in groups] == [one["least"] for one in groups[1:]] + [None]


def test_attacks_are_told_as_they_were_measured(page: Read) -> None:
    told = measured.measured("attacks")
    assert told is not None
    said = rows(page, "attacks")
    assert len(said) == len([one for one in told["attacks"] if one["reason"] is None])
    pod = next(one for one in told["attacks"] if one["kind"] == "pod")
    row = next(row for row in said if row[0].startswith("A ring of real people"))
    for base, usual in zip(pod["bases"], row[1::3], strict=True):
        assert float(usual.replace("−", "-")) == pytest.approx(base["points"]["clout"]["median"], abs=0.05)
    works = {item.text() for item in page.tree.css("[aria-labelledby=attacks] ul")[0].css("li")}
    for name, *points in said:
        assert (name in works) == any(number(usual.split(".")[0]) >= 1 for usual in points[0::3])


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of measured figures in place of ours, empty."""
    monkeypatch.setattr(measured, "files", lambda _: tmp_path)
    measured.measured.cache_clear()
    (tmp_path / "figures").mkdir()
    yield tmp_path / "figures"
    measured.measured.cache_clear()


def test_what_advice_is_worth_is_told_as_measured(scored: Scored, figures: Path) -> None:
    helped = {"raised_low": 0.7, "raised_high": 0.8, "points_said": 2.54, "points_true": -1.96, "accounts": 1500}
    told = {"people": 2000, "accounts": 1600, "with_suggestion": 1500, "first": helped | {"raised": 0.751}, "steps": {}}
    (figures / "recourse.json").write_text(json.dumps(told | {"by_chance": helped | {"raised": 0.5}}))
    said = Read(scored.client().get(PATH, headers=HTML)).words("[aria-labelledby=advice]")
    for words in ("There 1,500 accounts took", "For 75% of them (70% to 80%)", "by chance it was 50%"):
        assert words in said
    assert "we said +2.5 points, and it was −2.0" in said
    assert "For 100 of 1,600 accounts" in said


def test_how_an_account_gets_its_score_is_the_model_s_rule(page: Read, trained: TrainedSociety) -> None:
    rule, said = trained.model.account, page.words("[aria-labelledby=what]")
    assert f"posts of the last {rule.window_days:g} days" in said
    assert f"fewer than {rule.min_posts} posts whose reactions we know, or less than {rule.min_days:g} days" in said


def test_what_was_never_measured_is_left_out(scored: Scored, figures: Path) -> None:
    ask = scored.client()
    page = Read(ask.get(PATH, headers=HTML))
    assert not page.tree.css("#attacks, #advice")
    (figures / "attacks.json").write_text("{broken")
    measured.measured.cache_clear()
    assert ask.get(f"{PATH}?format=json").json()["attacks"] is None


def test_a_model_that_tells_little_has_a_page(scored: Scored) -> None:
    page = Read(scored.client().get(PATH, headers=HTML))
    assert "agree by 0.60 (0.50 to 0.70)" in page.words("#accuracy ~ p ~ p")
    assert {"commons", "square"} <= set(page.every("[aria-labelledby=scale] h3"))
    assert not page.tree.css("details")


def test_what_sources_say_is_text(trained: TrainedSociety, page: Read) -> None:
    assert page.every("details li") == trained.model.data["notes"] == ["A made-up society."]


def test_it_leads_to_the_form_for_objections_and_to_the_card(page: Read) -> None:
    assert {"/feedback", "/v1/model/card"} <= set(page.links())


def test_it_is_read_as_easily_as_a_text_for_twelve_to_fourteen_years(page: Read) -> None:
    texts = [text for text in page.every("main p, main li") if len(text.split()) > 5]
    grades = {text: float(textstat.flesch_kincaid_grade(text)) for text in texts}
    assert fmean(grades.values()) <= MOST_ON_AVERAGE
    assert {text: grade for text, grade in grades.items() if grade > 12} == {}


def test_headings_follow_one_another(page: Read) -> None:
    levels = [int(node.tag[1]) for node in page.tree.css("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_has_words_and_every_table_a_twin(page: Read) -> None:
    assert all(svg.attributes.get("aria-label") for svg in page.tree.css("svg[role=img]"))
    assert all(part.attributes.get("aria-label") for part in page.tree.css(".scroll"))
