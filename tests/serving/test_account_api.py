"""The routes about accounts as a client meets them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from asked import Asked
from scored_home import LATE, NOW, SLASHED, TWINS, Scored

from clout.data.lake import Lake
from clout.serving.accounts import told as accounts
from clout.serving.accounts.kept import NO_STORE, NOWHERE, AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked as Question
from clout.serving.api import application
from clout.serving.edge.here import is_loopback
from clout.serving.ingest.inbox import Inbox
from clout.serving.ingest.mover import Mover
from clout.serving.privacy import forget
from clout.serving.store.rows import Run
from clout.serving.store.scores import Store
from clout.serving.store_watch import DOWN

BELOW = ("score", "explanation", "history", "posts")
HERE = {"Host": "127.0.0.1:3000"}


@pytest.fixture(scope="module")
def client(scored: Scored) -> Asked:
    return scored.client()


@pytest.fixture
def copied(scored: Scored, tmp_path: Path) -> Scored:
    """A home that may be changed."""
    return scored.copy(tmp_path / "home")


def erasing(copied: Scored) -> Asked:
    """A client that may erase."""
    store = AccountStore(lambda: copied.url)

    def erase(account: str) -> Mapping[str, int]:
        return forget(Lake(copied.home / "lake"), store.open(), copied.home, account, NOW).rows

    return Asked(application(copied.active, lambda: NOW, store, lambda: erase))


@pytest.fixture
def erased() -> list[str]:
    """The accounts that `careful` was made to erase."""
    return []


@pytest.fixture
def careful(scored: Scored, erased: list[str]) -> Asked:
    """A client that may erase, of a service that only notes what it should erase."""

    def note(account: str) -> Mapping[str, int]:
        erased.append(account)
        return {}

    return scored.client(note)


def paths(account: str, other: str) -> list[str]:
    """Every address that answers about an account."""
    network = account.split("/", maxsplit=1)[0]
    below = [f"/v1/accounts/{account}/{part}" for part in (*BELOW, f"compare?with={other}")]
    return [*below, f"/v1/distribution?network={network}"]


def test_every_answer_may_be_kept_a_minute_and_asked_for_again(client: Asked, scored: Scored) -> None:
    for path in paths(*scored.accounts[:2]):
        first = client.get(path)
        assert (first.status_code, first.headers["content-type"]) == (200, "application/json")
        assert first.headers["cache-control"] == "private, max-age=60"
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert again.headers["cache-control"] == "private, max-age=60"
            assert again.headers["x-request-id"]
        assert client.get(path, headers={"If-None-Match": '"other"'}).json() == first.json()
        head = client("HEAD", path)
        assert (head.status_code, head.headers["etag"]) == (200, tag)
    tags = {client.get(path).headers["etag"] for path in paths(*scored.accounts[:2])}
    assert len(tags) == len(paths(*scored.accounts[:2]))


def test_that_time_goes_by_is_no_news(scored: Scored) -> None:
    moments = (NOW + timedelta(minutes=minute) for minute in count())
    client = Asked(application(scored.active, lambda: next(moments), AccountStore(lambda: scored.url)))
    account, other = scored.accounts[:2]
    for path in (*paths(account, other), f"/v1/accounts/{account}/history?since=2025-02-08"):
        tag = client.get(path).headers["etag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304, path


def test_a_new_score_is_another_answer(copied: Scored) -> None:
    client, (account, other) = copied.client(), copied.accounts[:2]
    tags = {path: client.get(path).headers["etag"] for path in paths(account, other)}
    with Store.open(copied.url) as store:
        record = store.latest(account)
        assert record is not None
        run = store.begin(Run(NOW, copied.champion, "1", "lake", NOW))
        store.write(run, [replace(record, as_of=NOW)])
        store.finish(run, NOW)
    for path, tag in tags.items():
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.headers["etag"] != tag) == (200, True)


def test_answers_are_what_the_functions_say(client: Asked, scored: Scored) -> None:
    store = AccountStore(lambda: scored.url)
    network, own = scored.accounts[0].split("/")
    expected = accounts.score(Question(store, scored.active.current()), Name(network, own, "/path/handle"))
    assert client.get(f"/v1/accounts/{scored.accounts[0]}/score").text == expected.model_dump_json()
    store.open().close()


def test_history_between_days(client: Asked, scored: Scored) -> None:
    path = f"/v1/accounts/{scored.accounts[0]}/history"
    told = client.get(path, params={"since": "2025-02-08", "until": "2025-02-13"}).json()
    assert [row["as_of"] for row in told["scores"]] == ["2025-02-13T00:00:00Z"]
    assert (told["since"], told["until"]) == ("2025-02-08T00:00:00Z", "2025-02-13T23:59:59.999999Z")
    whole = client.get(path).json()
    assert (len(whole["scores"]), whole["until"]) == (3, whole["as_of"])
    later = client.get(path, params={"since": "2025-02-15"}).json()
    assert (later["scores"], later["since"], later["until"]) == ([], "2025-02-15T00:00:00Z", "2025-02-15T00:00:00Z")


def test_compare_takes_others_repeated_or_with_commas(client: Asked, scored: Scored) -> None:
    mine, one, two = scored.accounts[:3]
    path = f"/v1/accounts/{mine}/compare"
    told = client.get(path, params={"with": f"{one},{two}"}).json()
    assert client.get(path, params={"with": [one, two]}).json() == told
    assert [account["account"] for account in told["accounts"]] == [mine, one, two]


def test_an_id_with_a_slash(client: Asked) -> None:
    for own in (SLASHED, SLASHED.replace("e/amy", "e%2Famy")):
        assert client.get(f"/v1/accounts/{own}/score").json()["account"] == SLASHED


@pytest.mark.parametrize("below", BELOW)
def test_accounts_that_cannot_be_told_of(client: Asked, below: str) -> None:
    for account, status, code in (
        ("commons/nobody", 404, "unknown_account"),
        (LATE, 404, "not_scored_yet"),
        ("commons/@Twin", 409, "ambiguous_account"),
    ):
        answer = client.get(f"/v1/accounts/{account}/{below}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/path/handle"]
        assert "etag" not in answer.headers


def test_without_a_store_posts_are_scored_all_the_same(scored: Scored) -> None:
    broken = AccountStore(lambda: "postgresql://clout@127.0.0.1:1/scores")
    for store in (NOWHERE, broken):
        client = Asked(application(scored.active, lambda: NOW, store))
        for path in paths(*scored.accounts[:2]):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["detail"] == (NO_STORE if store is NOWHERE else DOWN)
        assert client.post("/v1/posts:score", {"account": scored.accounts[0], "text": "hello"}).status_code == 200
    assert Asked(application(scored.active, lambda: NOW, NOWHERE)).get("/readyz").json()["store"] == NOWHERE.state()
    ready = Asked(application(scored.active, lambda: NOW, broken)).get("/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    assert ready.json()["detail"] == DOWN
    assert scored.client().get("/readyz").json()["store"] == "ok"


def test_forgetting_erases_all_and_the_account_is_unknown(copied: Scored) -> None:
    client = erasing(copied)
    account, other = copied.accounts[:2]
    mine = Lake(copied.home / "lake").read("posts").filter(account=account).height
    answer = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert told["account"] == account
    assert told["erased"]["posts"] == mine > 0
    assert told["erased"]["scores"] == 4
    for path in paths(account, other)[:-1]:
        assert client.get(path).json()["code"] == "unknown_account"
    assert client.get(f"/v1/accounts/{other}/compare", params={"with": account}).json()["code"] == "unknown_account"
    body = {"account": account, "text": "hello"}
    assert client.post("/v1/posts:score", body).json()["code"] == "unknown_account"
    assert account not in client.get("/").text
    assert client.get(f"/v1/accounts/{other}/score").status_code == 200
    copied.active.load(copied.home, str(copied.home / "lake"))
    assert client.get(f"/v1/accounts/{account}/score").json()["code"] == "unknown_account"
    again = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert (again.status_code, again.json()["code"]) == (404, "unknown_account")


def test_nothing_is_erased_while_the_lake_is_away(copied: Scored) -> None:
    client, lake, account = erasing(copied), copied.home / "lake", copied.accounts[0]
    Mover(Inbox(copied.home), str(lake), lambda: NOW).look()
    away = lake.rename(copied.home / "away")
    answer = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert (answer.status_code, answer.json()["code"]) == (503, "lake_unavailable")
    assert answer.headers["retry-after"] == "10"
    assert str(copied.home) not in answer.text
    assert not lake.exists()
    assert client.get(f"/v1/accounts/{account}/score").status_code == 200
    away.rename(lake)
    answer = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert (answer.status_code, answer.json()["erased"]["scores"]) == (200, 4)


@pytest.mark.parametrize("file", ["inbox.db", "judged/0123.parquet"])
def test_what_cannot_be_erased_is_told_and_the_same_request_finishes_it(copied: Scored, file: str) -> None:
    client, account = erasing(copied), copied.accounts[0]
    broken = copied.home / file
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("damaged")
    answer = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert (answer.status_code, answer.json()["code"]) == (503, "lake_unavailable")
    assert str(copied.home) not in answer.text
    broken.unlink()
    answer = client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert answer.status_code == 200
    assert client.post("/v1/posts:score", {"account": account, "text": "x"}).status_code == 404


def test_a_part_of_a_person_that_is_forgotten_is_no_longer_named(copied: Scored) -> None:
    client = erasing(copied)
    gone, left = copied.person[:2]
    client("DELETE", f"/v1/accounts/{gone}", headers={**HERE, "X-Confirm": gone})
    assert gone not in client.get(f"/v1/accounts/{left}/score").text


def test_the_distribution_is_without_who_was_forgotten(copied: Scored) -> None:
    client = erasing(copied)
    account = copied.person[0]
    before = client.get("/v1/distribution?network=commons").json()["accounts"]
    client("DELETE", f"/v1/accounts/{account}", headers={**HERE, "X-Confirm": account})
    assert client.get("/v1/distribution?network=commons").json()["accounts"] == before - 1


@pytest.mark.parametrize("confirmed", [None, "", "yes", "commons/twin-b"])
def test_erasing_wants_to_be_confirmed(careful: Asked, erased: list[str], confirmed: str | None) -> None:
    headers = HERE if confirmed is None else {**HERE, "X-Confirm": confirmed}
    answer = careful("DELETE", f"/v1/accounts/{TWINS[0]}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (428, "not_confirmed")
    assert f"expected X-Confirm: {TWINS[0]} " in answer.json()["detail"]
    ambiguous = careful("DELETE", "/v1/accounts/commons/twin", headers={**HERE, "X-Confirm": TWINS[0]})
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "ambiguous_account")
    assert erased == []


def test_by_its_handle_an_account_is_confirmed_by_its_id(copied: Scored) -> None:
    client = erasing(copied)
    path = "/v1/accounts/commons/@late"
    assert client("DELETE", path, headers={**HERE, "X-Confirm": "commons/@late"}).status_code == 428
    assert client("DELETE", path, headers={**HERE, "X-Confirm": LATE}).json()["erased"] == {"accounts": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "clout.example"},
        {"Host": "[::1"},
        {"Host": ""},
        {**HERE, "X-Forwarded-For": "10.0.0.7"},
        {**HERE, "Forwarded": "for=10.0.0.7"},
    ],
)
def test_erasing_is_not_for_those_who_ask_from_elsewhere(
    careful: Asked, erased: list[str], headers: dict[str, str]
) -> None:
    answer = careful("DELETE", f"/v1/accounts/{TWINS[0]}", headers={**headers, "X-Confirm": TWINS[0]})
    assert (answer.status_code, answer.json()["code"]) == (401, "no_key")
    assert "with the scope admin" in answer.json()["detail"]
    assert erased == []


def test_a_service_that_erases_nothing_says_who_does(scored: Scored) -> None:
    answer = scored.client()("DELETE", f"/v1/accounts/{TWINS[0]}", headers={**HERE, "X-Confirm": TWINS[0]})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "clout forget" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.7", False),
        ("localhost.example", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_of_this_machine(host: str | None, *, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_client_from_elsewhere(careful: Asked, erased: list[str]) -> None:
    """The client's address is what counts, whatever it says of itself."""

    async def moved(scope: dict[str, object], receive: object, send: object) -> None:
        await careful._app({**scope, "client": ("10.0.0.7", 4321)}, receive, send)

    answer = Asked(moved)("DELETE", f"/v1/accounts/{TWINS[0]}", headers={**HERE, "X-Confirm": TWINS[0]})
    assert (answer.status_code, erased) == (401, [])
    assert json.loads(answer.text)["code"] == "no_key"
