"""The description of the API says all that there is, each field with an example, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
from asked import Asked
from scored_home import Scored
from typer.testing import CliRunner

from clout.cli import app
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.serving.accounts.answers import Forgotten
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.gate import needs
from clout.serving.openapi.document import SECURITY, address, method, operation
from clout.serving.openapi.operations import OPERATIONS
from clout.serving.openapi.routes import described
from clout.serving.problems import KINDS

Document = dict[str, Any]
OF_PAGES = (
    "cross_site",
    "not_a_form",
    "unknown_post",
    "no_own_post",
    "no_comparison",
    "unknown_report",
    "too_much_feedback",
)
ROUTES = described(application(ActiveModel(), lambda: datetime.now(UTC)).routes)


@pytest.fixture(scope="module")
def told() -> Document:
    """The description as the service answers it."""
    answer = Asked(application(ActiveModel(), lambda: datetime.now(UTC))).get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document: Document = answer.json()
    return document


def operations(told: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of each."""
    for path, methods in told["paths"].items():
        yield from ((path, name.upper(), said) for name, said in methods.items())


def test_each_route_is_described_and_nothing_else(told: Document) -> None:
    there = {(method(route), address(route)) for route in ROUTES}
    assert {(name, path) for path, name, _ in operations(told)} == there
    assert [route.path for route in ROUTES if operation(route) is None] == []
    assert set(OPERATIONS) <= there


def test_it_is_openapi_and_each_operation_has_a_name_of_its_own(told: Document) -> None:
    schema = pytest.importorskip("schemathesis").openapi.from_dict(told)
    schema.validate()
    names = [said["operationId"] for _, _, said in operations(told)]
    assert len(set(names)) == len(names)
    links = [
        link
        for _, _, said in operations(told)
        for answer in said["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    assert {link["operationId"] for link in links} <= set(names)
    assert {tag for _, _, said in operations(told) for tag in said["tags"]} == {tag["name"] for tag in told["tags"]}


def test_each_field_is_described_with_an_example(told: Document) -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in told["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if not said.get("description") or not said.get("examples")
    ]
    assert not bare
    assert len(told["components"]["schemas"]) > 40
    undescribed = [
        (path, given["name"])
        for path, _, said in operations(told)
        for given in said["parameters"]
        if not given["description"] or "example" not in given
    ]
    assert not undescribed


def test_the_examples_of_fields_could_be_their_values(told: Document) -> None:
    for name, schema in told["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            for example in said["examples"]:
                there = {**said, "components": told["components"]}
                assert jsonschema_rs.is_valid(there, example), f"{name}.{field}: {example}"


def test_examples_of_requests_are_what_they_are_examples_of(told: Document) -> None:
    found = 0
    for path, _, said in operations(told):
        content = said.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            jsonschema_rs.validate({**content["schema"], "components": told["components"]}, example["value"])
            found += 1
        for given in said["parameters"]:
            jsonschema_rs.validate(given["schema"], given["example"]), path
    assert found >= 5


def test_the_examples_at_the_addresses_of_klout_name_one_account(
    told: Document, scored: Scored, tmp_path: Path
) -> None:
    home = scored.copy(tmp_path / "home")
    row = {"account": "twitter/137407124", "network": "twitter", "handle": "klout", "created_at": None}
    lake = Lake(home.home / "lake")
    lake.append({"accounts": pl.DataFrame([row], schema=SCHEMAS["accounts"])}, source="later.csv")
    home.active.load(home.home, lake.url)
    asked = [(path, said["parameters"]) for path, _, said in operations(told) if said["tags"] == ["klout"]]
    assert len(asked) == 8
    for path, given in asked:
        here, query = (
            {one["name"]: one["example"] for one in given if one["in"] == place} for place in ("path", "query")
        )
        answer = home.client().get(path.format(**here), params=query)
        assert answer.status_code in {200, 202}, path


def test_each_problem_stands_where_it_can_come(told: Document) -> None:
    codes = {
        (path, name): {code for answer in said["responses"].values() for code in _codes(answer)}
        for path, name, said in operations(told)
        if said["tags"] != ["klout"]
    }
    everywhere = set.intersection(*codes.values())
    assert {"internal_error", "too_slow", "no_key", "bad_key", "missing_scope"} <= everywhere
    assert {"broken_json", "not_json", "invalid_content"} <= codes["/v1/posts:score", "POST"]
    # What is asked in another way, or of a page, is told by none of the operations.
    assert set(KINDS) - set.union(*codes.values()) == {"method_not_allowed", "cross_origin", *OF_PAGES}
    for _, _, said in operations(told):
        for status, answer in said["responses"].items():
            assert all(str(KINDS[code].status) == status for code in _codes(answer))
            assert "X-Request-Id" in answer["headers"]


def _codes(answer: dict[str, Any]) -> list[str]:
    """The problems that an answer of a status may tell."""
    return list(answer.get("content", {}).get("application/problem+json", {}).get("examples", {}))


def test_keys_are_asked_for_where_the_gate_does(told: Document) -> None:
    for path, name, said in operations(told):
        scope = needs(name, path)
        asked = [{}, *({scheme: [scope]} for scheme in SECURITY)] if scope else []
        assert said["security"] == asked


def test_the_command_prints_the_same(told: Document) -> None:
    for arguments in (["openapi"], ["openapi", "--json"]):
        assert json.loads(CliRunner().invoke(app, arguments).stdout) == told


def test_each_answer_with_scores_says_who_gave_them_and_when() -> None:
    answers = {
        said.answer for said in OPERATIONS.values() if said.tag in ("posts", "accounts", "model") and said.answer
    }
    assert len(answers) > 10
    for answer in answers - {Forgotten}:
        assert {"as_of", "model_version", "scale_version"} <= set(answer.model_fields), answer


def test_answers_that_have_not_changed_are_not_sent_again(scored: Scored) -> None:
    ask = scored.client()
    network, handle = scored.accounts[0].split("/", 1)
    fill = {"network": network, "handle": handle}
    query = {"compareAccounts": f"?with={scored.accounts[1]}", "accountsOfNetwork": f"?network={network}"}
    tagged = [(path, said) for (_, path), said in OPERATIONS.items() if said.tagged]
    assert len(tagged) >= 9
    for path, said in tagged:
        url = path.format(**fill) + query.get(said.id, "")
        first = ask.get(url)
        assert first.status_code == 200, url
        assert first.headers["cache-control"]
        again = ask.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert ask.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
