"""What is answered about accounts adds up: reasons, changes, parts of a person, differences, shares; for every account."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from asked import Asked
from scored_home import Scored

EXACT = 1e-9


@pytest.fixture(scope="module")
def client(scored: Scored) -> Asked:
    return scored.client()


@pytest.fixture(scope="module")
def scores(client: Asked, scored: Scored) -> dict[str, Any]:
    """What is answered about every account that has a score."""
    return {account: client.get(f"/v1/accounts/{account}/score").json() for account in scored.accounts}


def test_reasons_of_every_account_add_up(client: Asked, scores: dict[str, Any]) -> None:
    for account, score in scores.items():
        told = client.get(f"/v1/accounts/{account}/explanation").json()
        points = sum(reason["points"] for reason in told["reasons"])
        assert told["base_score"] + points == pytest.approx(score["score"], abs=EXACT)
        assert sum(group["points"] for group in told["groups"].values()) == pytest.approx(points, abs=EXACT)
        assert abs(told["adds_up"]["difference"]) < EXACT
        printed = told["adds_up"]["printed"]
        assert printed["base_score"] + sum(reason["points_printed"] for reason in told["reasons"]) == printed["score"]
        assert printed["base_score"] + sum(group["printed"] for group in told["groups"].values()) == printed["score"]
        assert printed["score"] == score["printed"] == round(score["score"])


def test_the_parts_of_every_change_add_up(scores: dict[str, Any]) -> None:
    told = [change for score in scores.values() for change in score["changes"].values()]
    whole = [change for change in told if change["ours"] is not None]
    assert len(whole) > len(scores)
    for change in whole:
        assert change["yours"] + change["ours"] == pytest.approx(change["total"], abs=EXACT)
    assert all(change["missing"] for change in told if change["ours"] is None)
    assert any(abs(change["ours"]) > 0.01 for change in whole)


def test_history_leads_from_each_score_to_the_next(client: Asked, scores: dict[str, Any]) -> None:
    for account, score in scores.items():
        rows = client.get(f"/v1/accounts/{account}/history").json()["scores"]
        assert rows[-1]["score"] == score["score"]
        assert [row["as_of"] for row in rows] == sorted({row["as_of"] for row in rows})
        for before, after in pairwise(rows):
            changed = before["model_version"] != after["model_version"]
            assert ((after["ours"] is not None) or bool(after["missing"])) == changed


def test_the_parts_of_a_person_add_up(scores: dict[str, Any], scored: Scored) -> None:
    persons = {account: score["person"] for account, score in scores.items() if score["person"]}
    assert set(persons) == set(scored.person[:2])
    for account, person in persons.items():
        known = [part["points"] for part in person["accounts"] if part["points"] is not None]
        assert sum(known) == pytest.approx(person["score"], abs=EXACT)
        assert person["score"] >= scores[account]["score"]


def test_differences_add_up(client: Asked, scores: dict[str, Any]) -> None:
    names = sorted(scores)
    for place, account in enumerate(names[:10]):
        others = names[place + 1 : place + 80 : 20]
        told = client.get(f"/v1/accounts/{account}/compare", params={"with": ",".join(others)}).json()
        assert [difference["account"] for difference in told["differences"]] == others
        for other, difference in zip(others, told["differences"], strict=True):
            total, start = difference["total"], difference["starting_point"]
            assert total["points"] == pytest.approx(scores[account]["score"] - scores[other]["score"], abs=EXACT)
            for parts in (difference["reasons"], difference["groups"].values()):
                assert start["points"] + sum(part["points"] for part in parts) == pytest.approx(
                    total["points"], abs=EXACT
                )
                assert start["printed"] + sum(part["printed"] for part in parts) == total["printed"]
            assert total["printed"] == scores[account]["printed"] - scores[other]["printed"]
            assert abs(difference["left_over"]) < EXACT


def test_a_distribution_holds_every_account_once(client: Asked, scores: dict[str, Any]) -> None:
    networks = {score["network"] for score in scores.values()}
    told = [client.get("/v1/distribution", params={"network": network}).json() for network in sorted(networks)]
    assert sum(part["accounts"] for part in told) == len(scores)
    for part in told:
        assert sum(band["share"] for band in part["bands"]) == pytest.approx(1, abs=EXACT)
        assert [band["floor"] for band in part["bands"]] == sorted((b["floor"] for b in part["bands"]), reverse=True)
        assert part["percentiles"] == sorted(part["percentiles"])
        assert len(part["percentiles"]) == 99
    mean = sum(part["mean"] * part["accounts"] for part in told) / len(scores)
    assert mean == pytest.approx(sum(score["score"] for score in scores.values()) / len(scores), abs=EXACT)


def test_percentiles_rank_as_scores_do(scores: dict[str, Any]) -> None:
    for network in {score["network"] for score in scores.values()}:
        ranked = sorted((s["score"], s["percentile"]) for s in scores.values() if s["network"] == network)
        assert [place for _, place in ranked] == sorted(place for _, place in ranked)
        assert ranked[0][1] == 0
        assert ranked[-1][1] < 100
