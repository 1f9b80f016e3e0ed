"""The addresses that Klout had: every one of its answers, and every trap its clients fall into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import klout_home
import pytest
from asked import Asked
from klout_home import FRIEND, JOHN, JOHNS_NAME, JOHNS_NUMBER, SILENT
from scored_home import DAY_BEFORE, ENGAGER, LAST, LATE, NOW, SLASHED, WEEK_BEFORE, Scored

from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.gate import Access
from clout.serving.edge.keys import Key, KeyRing, digest
from clout.serving.edge.layers import Edge
from clout.serving.klout.ids import number
from clout.serving.klout.routes import KloutApi
from clout.serving.klout.told import bucket
from clout.serving.openapi.document import address
from clout.serving.store.scores import Store

USER = f"/v2/user.json/{JOHNS_NUMBER}"
SPANS = ["dayChange", "weekChange", "monthChange"]


@pytest.fixture(scope="module")
def home(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return klout_home.make(scored, tmp_path_factory.mktemp("klout") / "home")


@pytest.fixture(scope="module")
def client(home: Scored) -> Asked:
    return home.client()


def told(client: Asked, path: str) -> Any:  # noqa: ANN401 (what JSON holds)
    """What a good answer says."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    return answer.json()


def refused(client: Asked, path: str, status: int) -> str:
    """What an error in Klout's shape says."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert list(answer.json()) == ["error", "description"]
    assert answer.json()["error"] == status
    assert answer.headers["x-request-id"]
    return str(answer.json()["description"])


@pytest.mark.parametrize(
    "path",
    [
        f"twitter?screenName={JOHNS_NAME}",
        f"twitter/?screenName={JOHNS_NAME}&key=abc",
        f"twitter?screenName=%40{JOHNS_NAME.upper()}",
        f"tw?screenName={JOHNS_NAME}",
        "tw/151230368",
        "tw/151230368/?key=abc",
        "twitter/151230368",
        f"klout/{JOHNS_NUMBER}",
    ],
)
def test_who_has_a_name_or_an_id_has_a_number(client: Asked, path: str) -> None:
    assert told(client, f"/v2/identity.json/{path}") == {"id": JOHNS_NUMBER, "network": "ks"}


@pytest.mark.parametrize(
    ("path", "account"),
    [
        ("bs/did:plc:silent", SILENT),
        ("bluesky/did:plc:silent", SILENT),
        ("commons/instance.example/amy", SLASHED),
        ("commons/instance.example%2Famy/", SLASHED),
        ("commons/late", LATE),
        ("commons?screenName=late", LATE),
    ],
)
def test_networks_that_klout_did_not_know(client: Asked, path: str, account: str) -> None:
    assert told(client, f"/v2/identity.json/{path}") == {"id": str(number(account)), "network": "ks"}


@pytest.mark.parametrize(
    ("of", "network", "expected"),
    [
        (JOHNS_NUMBER, "tw", {"id": "151230368", "network": "tw"}),
        (JOHNS_NUMBER, "twitter", {"id": "151230368", "network": "tw"}),
        (JOHNS_NUMBER, "bs", {"id": "did:plc:silent", "network": "bs"}),
        (str(number(JOHN)), "tw/", {"id": "151230368", "network": "tw"}),
        (str(number(SLASHED)), "commons", {"id": "instance.example/amy", "network": "commons"}),
    ],
)
def test_a_number_leads_back_to_a_network(client: Asked, of: str, network: str, expected: dict[str, str]) -> None:
    assert told(client, f"/v2/identity.json/klout/{of}/{network}") == expected


@pytest.mark.parametrize(
    "path",
    [
        "identity.json/twitter?screenName=nobody",
        "identity.json/twitter?screenName=%00",
        "identity.json/twitter",
        "identity.json/twitter?screenName=",
        "identity.json/commons?screenName=Twin",
        "identity.json/tw/1",
        f"identity.json/tw/{JOHNS_NAME}",
        f"identity.json/{ENGAGER}",
        "identity.json/tw/fan",
        "identity.json/gp/151230368",
        "identity.json/commons/%00",
        "identity.json/klout/5",
        "identity.json/klout/5/tw",
        f"identity.json/klout/{JOHNS_NUMBER}/fb",
        "identity.json",
        "user.json/5",
        "user.json/x/score",
        "user.json/5/topics",
        "user.json/%00/influence",
        f"user.json/{JOHNS_NUMBER}/friends",
        "user",
        "",
    ],
)
def test_who_or_what_there_is_not(client: Asked, path: str) -> None:
    assert refused(client, f"/v2/{path}", 404)


def test_a_user(client: Asked, home: Scored) -> None:
    with Store.open(home.url) as store:
        record = store.latest(JOHN)
    assert record
    answer = told(client, USER)
    assert list(answer) == ["kloutId", "nick", "score", "scoreDeltas"]
    assert (answer["kloutId"], answer["nick"]) == (JOHNS_NUMBER, JOHNS_NAME)
    assert (list(answer["score"]), answer["score"]["score"]) == (["score", "bucket"], record.score)
    assert list(answer["scoreDeltas"]) == SPANS
    assert told(client, f"{USER}/?key=x&other=y") == answer


def test_a_score_is_not_rounded_and_lies_in_its_bucket(client: Asked, home: Scored) -> None:
    for account in home.accounts[:40]:
        answer = told(client, f"/v2/user.json/{number(account)}/score")
        score = home.records[account]["score"]
        assert list(answer) == ["score", "scoreDelta", "bucket"]
        assert answer["score"] == score
        low, high = map(int, answer["bucket"].split("-"))
        assert low <= score <= high if low == 90 else low <= score < high + 1 == low + 10


@pytest.mark.parametrize(
    ("score", "expected"),
    [(1.0, "0-9"), (9.999, "0-9"), (10.0, "10-19"), (89.999, "80-89"), (90.0, "90-100"), (100.0, "90-100")],
)
def test_buckets(score: float, expected: str) -> None:
    assert bucket(score) == expected


def test_deltas_are_those_of_the_account_and_zero_where_there_is_no_earlier_score(client: Asked, home: Scored) -> None:
    account = home.accounts[0]
    with Store.open(home.url) as store:
        [last], [day], [week] = (store.history(account, at, at) for at in (LAST, DAY_BEFORE, WEEK_BEFORE))
    assert last.score
    assert day.score
    assert week.score
    expected = [pytest.approx(last.score - day.score), pytest.approx(last.score - week.score), 0.0]
    user = told(client, f"/v2/user.json/{number(account)}")
    assert [user["scoreDeltas"][span] for span in SPANS] == expected
    assert told(client, f"/v2/user.json/{number(account)}/score")["scoreDelta"] == user["scoreDeltas"]
    assert set(told(client, USER)["scoreDeltas"].values()) == {0.0}


def test_topics_are_an_empty_list(client: Asked) -> None:
    assert told(client, f"{USER}/topics") == []


def test_influence_is_among_those_who_have_a_score_themselves(client: Asked) -> None:
    answer = told(client, f"{USER}/influence")
    assert list(answer) == ["myInfluencers", "myInfluencees", "myInfluencersCount", "myInfluenceesCount"]
    friend = told(client, f"/v2/user.json/{number(FRIEND)}")
    score, deltas = {"score": friend["score"]["score"]}, friend["scoreDeltas"]
    payload = {"kloutId": str(number(FRIEND)), "nick": "Friend", "score": score, "scoreDeltas": deltas}
    expected = [{"entity": {"id": str(number(FRIEND)), "payload": payload}}]
    assert (answer["myInfluencers"], answer["myInfluencees"]) == (expected, expected)
    assert (answer["myInfluencersCount"], answer["myInfluenceesCount"]) == (1, 1)


def test_the_five_with_most_weight_come_first(client: Asked, home: Scored) -> None:
    loaded = home.active.current()
    account = max(home.accounts, key=lambda one: len(loaded.ties.actors_on(one)))
    answer = told(client, f"/v2/user.json/{number(account)}/influence")
    for part, partners in (
        ("myInfluencers", loaded.ties.acted_on(account)),
        ("myInfluencees", loaded.ties.actors_on(account)),
    ):
        scored = [str(number(partner)) for partner in partners if partner in home.accounts]
        assert len(scored) > 5
        assert [one["entity"]["id"] for one in answer[part]] == scored[:5]
        assert answer[f"{part}Count"] == len(partners)


@pytest.mark.parametrize(
    ("account", "missing"),
    [(SILENT, "what is missing: "), (LATE, "it is scored with the others next time")],
)
def test_who_is_known_but_not_scored_yet(client: Asked, account: str, missing: str) -> None:
    for below in ("", "/score", "/influence"):
        assert missing in refused(client, f"/v2/user.json/{number(account)}{below}", 202)
    assert told(client, f"/v2/user.json/{number(account)}/topics") == []


def test_the_first_api(client: Asked) -> None:
    john, friend = (told(client, f"/v2/user.json/{of}/score")["score"] for of in (JOHNS_NUMBER, number(FRIEND)))
    users = [{"twitter_screen_name": "FRIEND", "kscore": friend}, {"twitter_screen_name": JOHNS_NAME, "kscore": john}]
    for path in ("/1/klout.json", "/1/klout.json/"):
        assert told(client, f"{path}?users=FRIEND,nobody,%40{JOHNS_NAME}&key=x") == {"status": 200, "users": users}


@pytest.mark.parametrize(
    ("query", "words"),
    [("", "got no users"), ("?users=,", "got 0 names"), ("?users=a,b,c,d,e,f", "got 6 names"), ("?users=a,b", "@a")],
)
def test_the_first_api_needs_one_to_five_names_that_are_known(client: Asked, query: str, words: str) -> None:
    assert words in refused(client, f"/1/klout.json{query}", 404)


def test_the_first_api_tells_that_a_score_is_still_to_come(client: Asked) -> None:
    assert "twitter/30 is known but has no score yet" in refused(client, "/1/klout.json?users=nobody,quiet", 202)


def test_answers_are_packed_where_the_client_asks_for_it(client: Asked) -> None:
    path = f"{USER}/topics"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert packed.json() == plain.json() == []
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading(client: Asked, method: str) -> None:
    answer = client(method, USER)
    assert (answer.status_code, answer.json()["error"]) == (405, 405)
    assert "GET" in answer.headers["allow"]
    assert client("HEAD", USER).status_code == 200


def broken() -> str:
    """The URL of a store, if nobody had divided by zero."""
    return str(1 // 0)


@pytest.mark.parametrize(
    ("store", "status", "words"),
    [(None, 503, "there is no store of scores here"), (broken, 500, "an error that nobody foresaw")],
)
def test_when_scores_cannot_be_read(home: Scored, store: Any, status: int, words: str) -> None:  # noqa: ANN401
    client = Asked(application(home.active, lambda: NOW, AccountStore(store or (lambda: None))))
    assert words in refused(client, USER, status)


def test_where_a_key_is_needed(home: Scored) -> None:
    read, ingest = (Key(scope, "ours", (scope,), digest("secret"), NOW) for scope in ("read", "ingest"))
    edge = Edge(Access("never"), KeyRing(lambda: [read, ingest], lambda: NOW), rate=0.01, burst=2)
    client = Asked(application(home.active, lambda: NOW, AccountStore(lambda: home.url), edge=edge))
    assert "got no key" in refused(client, USER, 403)
    assert "got no key" in refused(client, f"{USER}?key=qdvbyh2a", 403)
    assert "a key that there is not" in refused(client, f"{USER}?key=clout_read_guessed", 403)
    assert "with the scope read" in refused(client, f"{USER}?key=clout_ingest_secret", 403)
    path = f"{USER}?key=clout_read_secret"
    assert told(client, path) == told(client, path)
    assert refused(client, path, 403)
    assert int(client.get(path).headers["retry-after"]) > 90


def test_before_a_model_is_ready(home: Scored) -> None:
    client = Asked(application(ActiveModel(), lambda: NOW, AccountStore(lambda: home.url)))
    assert "is being loaded" in refused(client, USER, 503)
    assert client.get(USER).headers["retry-after"] == "5"


def test_who_is_forgotten_is_named_nowhere(home: Scored, tmp_path: Path) -> None:
    copied = home.copy(tmp_path / "home")
    client = copied.client()
    assert told(client, f"{USER}/influence")["myInfluencersCount"] == 1
    copied.active.forget(FRIEND)
    answer = told(client, f"{USER}/influence")
    assert json.dumps(answer).count("[]") == 2
    assert (answer["myInfluencersCount"], answer["myInfluenceesCount"]) == (0, 0)
    refused(client, f"/v2/user.json/{number(FRIEND)}", 404)


def test_the_document_tells_every_address(root: Path, home: Scored) -> None:
    text = (root / "docs" / "klout.md").read_text()
    for route in KloutApi(home.active, AccountStore(lambda: None)).routes():
        assert f"| `{address(route)}`" in text
