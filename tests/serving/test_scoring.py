"""Answers against what the model says of the same features."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from served_home import ACTION_VALUES, HORIZON_DAYS, KINDS, NETWORKS

from clout.features.request import Draft, features_of_draft
from clout.models.explain import points_rate
from clout.serving import answers, scoring
from clout.serving.active_model import Loaded
from clout.serving.problems import ProblemError

TEXT = "A question for the harvest: what did you read this week?"


def request(now: datetime, **fields: object) -> scoring.PostRequest:
    return scoring.read_request(json.dumps(fields), now)


@pytest.fixture(scope="module")
def explained(loaded: Loaded, now: datetime) -> answers.Explained:
    return scoring.explain(loaded, request(now, account=loaded.example, text=TEXT), now)


def test_the_score_is_the_models(loaded: Loaded, now: datetime) -> None:
    answer = scoring.score(loaded, request(now, account=loaded.example, text=TEXT), now)
    network = loaded.example.split("/")[0]
    draft = Draft(network, loaded.example, now, TEXT, n_media=0)
    assert loaded.wording is not None
    features = features_of_draft(draft, loaded.past, loaded.wording.said(TEXT).lift)
    row = loaded.model.score(pl.DataFrame([{"network": network, **features}])).iloc[0]
    assert (answer.score, answer.interval.low, answer.interval.high) == (row.score, row.score_low, row.score_high)
    assert set(answer.expected) == {"actions", *KINDS}
    for what, numbers in answer.expected.items():
        name = f"expected_{what}"
        assert (numbers.value, numbers.low, numbers.high) == (row[name], row[f"{name}_low"], row[f"{name}_high"])
        assert numbers.low <= numbers.value <= numbers.high


def test_an_answer_says_what_it_rests_on(loaded: Loaded, now: datetime) -> None:
    answer = scoring.score(loaded, request(now, account=loaded.example, text=TEXT), now)
    assert answer.happened_at == now
    assert answer.data_through == loaded.past.through[answer.network]
    assert answer.as_of == answer.data_through + timedelta(microseconds=1)
    assert answer.evidence.source == "lake"
    assert answer.evidence.ripe_posts > 50
    assert (answer.model_version, answer.scale_version) == (loaded.model.version, "1")
    assert answer.interval.level == 0.9


def test_the_model_knows_nothing_of_networks_that_are_not_its_own(loaded: Loaded, now: datetime) -> None:
    newer = {**loaded.past.through, "elsewhere": now + timedelta(days=400)}
    told = scoring.model(replace(loaded, past=replace(loaded.past, through=newer)))
    assert told.as_of == max(loaded.past.through[name] for name in loaded.model.networks)


def test_an_earlier_moment_knows_less(loaded: Loaded, now: datetime) -> None:
    end = loaded.past.through[loaded.example.split("/")[0]]
    earlier = (end - timedelta(days=20)).isoformat()
    answer = scoring.score(loaded, request(now, account=loaded.example, text=TEXT, happened_at=earlier), now)
    whole = scoring.score(loaded, request(now, account=loaded.example, text=TEXT), now)
    assert answer.as_of == answer.happened_at == end - timedelta(days=20)
    assert 0 < answer.evidence.ripe_posts < whole.evidence.ripe_posts


def test_explaining_gives_the_same_score(loaded: Loaded, now: datetime, explained: answers.Explained) -> None:
    plain = scoring.score(loaded, request(now, account=loaded.example, text=TEXT), now)
    assert plain.model_dump() == explained.model_dump(include=set(answers.Score.model_fields))


def test_reasons_add_up(explained: answers.Explained) -> None:
    total = explained.base_score + sum(reason.points for reason in explained.reasons)
    assert total == pytest.approx(explained.score, abs=1e-9)
    assert abs(explained.adds_up.difference) < 1e-9
    assert sum(group.points for group in explained.groups.values()) == pytest.approx(explained.adds_up.points, abs=1e-9)
    sides = explained.sides
    assert sides.message + sides.messenger + sides.timing + sides.network == pytest.approx(explained.adds_up.points)


def test_printed_reasons_add_up_exactly(explained: answers.Explained) -> None:
    printed = explained.adds_up.printed
    assert printed.base_score + printed.points == printed.score == round(explained.score)
    assert sum(reason.points_printed for reason in explained.reasons) == printed.points
    for name, group in explained.groups.items():
        of_group = [reason.points_printed for reason in explained.reasons if reason.group == name]
        assert sum(of_group) == group.printed


def test_every_feature_is_a_reason_strongest_first(loaded: Loaded, explained: answers.Explained) -> None:
    assert {reason.code for reason in explained.reasons} == set(loaded.model.contract.names)
    sizes = [abs(reason.points) for reason in explained.reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_reasons_are_shares_of_the_contributions(loaded: Loaded, now: datetime, explained: answers.Explained) -> None:
    measured = scoring.measure(loaded, request(now, account=loaded.example, text=TEXT), now)
    whole = loaded.model.explain_rows(measured.matrix, measured.networks)
    gain = whole.score - whole.base_score
    rate = points_rate(whole.phi.sum(axis=1), gain, np.zeros(1))
    points = dict(zip(whole.names, (whole.phi * rate)[0].tolist(), strict=True))
    assert {reason.code: reason.points for reason in explained.reasons} == points


def test_a_reason_that_is_not_finite_is_no_answer(loaded: Loaded, now: datetime, explained: answers.Explained) -> None:
    measured = scoring.measure(loaded, request(now, account=loaded.example, text=TEXT), now)
    whole = loaded.model.explain_rows(measured.matrix, measured.networks)
    assert answers.Explained(**{**explained.__dict__, **scoring.reasons_of(whole)}) == explained
    values = whole.values.copy()
    values[0, whole.names.index("wording_lift")] = np.inf
    with pytest.raises(ValidationError, match="should be a finite number"):
        answers.Explained(**{**explained.__dict__, **scoring.reasons_of(replace(whole, values=values))})


def test_words_are_parts_of_the_lift(loaded: Loaded, explained: answers.Explained) -> None:
    lift = next(reason.value for reason in explained.reasons if reason.code == "wording_lift")
    assert loaded.wording is not None
    said = loaded.wording.said(TEXT)
    assert sum(part for _, part in said.words(100)) == pytest.approx(lift)
    assert [part.words for part in explained.words] == [words for words, _ in said.words()]
    assert explained.words


def test_no_text_no_words(loaded: Loaded, now: datetime) -> None:
    assert scoring.explain(loaded, request(now, account=loaded.example), now).words == []


def test_facts_make_a_difference(loaded: Loaded, now: datetime) -> None:
    at = (now - timedelta(days=20)).isoformat()

    def score(likes: int) -> answers.Score:
        facts = {"followers": 500, "recent": [{"happened_at": at, "counts": {"like": likes}}] * 30}
        return scoring.score(loaded, request(now, network="commons", text=TEXT, account_facts=facts), now)

    assert score(40).score > score(0).score + 5
    assert score(40).evidence == answers.Evidence(ripe_posts=30, source="account_facts")
    assert score(40).account is None
    assert score(40).as_of == now


def test_facts_are_taken_before_the_lake(loaded: Loaded, now: datetime) -> None:
    asked = request(now, account=loaded.example, text=TEXT, account_facts={})
    answer = scoring.score(loaded, asked, now)
    assert answer.evidence == answers.Evidence(ripe_posts=0, source="account_facts")
    assert answer.account == loaded.example


@pytest.mark.parametrize("spelt", ["{}", "@{}", "@{}".upper()])
def test_a_handle_finds_its_account(loaded: Loaded, now: datetime, spelt: str) -> None:
    (network, handle), (account,) = next(iter(loaded.handles.items()))
    name = spelt.replace("{}", handle) if spelt == "{}" else "@" + (handle if spelt.islower() else handle.upper())
    answer = scoring.score(loaded, request(now, network=network, handle=name, text=TEXT), now)
    assert answer.account == account


@pytest.mark.parametrize("name", [{"account": "commons/nobody"}, {"network": "commons", "handle": "@nobody"}])
def test_a_stranger_needs_facts(loaded: Loaded, now: datetime, name: dict[str, str]) -> None:
    with pytest.raises(ProblemError, match="give account_facts with the post, or ingest") as caught:
        scoring.score(loaded, request(now, **name, text=TEXT), now)
    assert caught.value.kind.status == 404
    assert [fault.code for fault in caught.value.errors] == ["unknown_account"]
    answer = scoring.score(loaded, request(now, **name, text=TEXT, account_facts={"followers": 10}), now)
    assert answer.account == name.get("account")


def test_a_handle_of_two_accounts_is_not_guessed(loaded: Loaded, now: datetime) -> None:
    both = replace(loaded, handles={("commons", "amy"): ("commons/1", "commons/2")})
    with pytest.raises(ProblemError, match="2 accounts: commons/1, commons/2; expected one: give account") as caught:
        scoring.score(both, request(now, network="commons", handle="amy", text=TEXT), now)
    assert caught.value.errors[0].code == "ambiguous_handle"


@pytest.mark.parametrize("name", [{"account": "myspace/tom"}, {"network": "myspace", "account_facts": {}}])
def test_an_unknown_network_is_told_the_known_ones(loaded: Loaded, now: datetime, name: dict[str, Any]) -> None:
    with pytest.raises(
        ProblemError, match="'myspace'; expected one the model was trained on: commons, square"
    ) as caught:
        scoring.score(loaded, request(now, **name, text=TEXT), now)
    assert caught.value.kind.code == "unknown_network"


def test_the_model_told(loaded: Loaded) -> None:
    told = scoring.model(loaded)
    assert told.model_version == loaded.model.version
    assert told.contract == loaded.model.contract.fingerprint
    assert told.action_values == ACTION_VALUES
    assert told.horizon_days == HORIZON_DAYS
    assert told.kinds == list(KINDS)
    assert list(told.networks) == list(NETWORKS)
    assert told.networks["commons"].ten_points == loaded.model.scale.ten_points("commons")
    assert f"{told.networks['commons'].ten_points:.2f} times" in told.networks["commons"].ten_points_mean
    assert told.metrics["model"]["spearman"]["value"] == 0.6
    assert [feature.name for feature in told.features] == list(loaded.model.contract.names)
