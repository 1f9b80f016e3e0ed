"""`clout serve` as somebody runs it, in processes of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from asked import JSON, free_port

from clout.serving import scoring, start
from clout.serving.active_model import Loaded
from clout.serving.connections import most_connections
from clout.serving.start import (
    StartError,
    become_server,
    server,
    server_environment,
    url_here,
    what_to_try,
    who_may_ask,
)
from clout.serving.store.rows import Judge
from clout.serving.store.scores import Store
from clout.settings import Settings

CLOUT = Path(sys.executable).parent / "clout"
HAPPENED_AT = "2026-01-05T12:00:00Z"
MANY, SOON = 1_100, 5.0


@dataclass(frozen=True)
class Served:
    """A running service: the lines it printed when it was ready, and where it answers."""

    process: subprocess.Popen[str]
    lines: list[str]
    url: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    port = free_port()
    environment = {**os.environ, "CLOUT_HOME": str(home), "CLOUT_PORT": str(port)}
    process = subprocess.Popen([CLOUT, "serve"], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("try:"):
            break
    yield Served(process, lines, f"http://127.0.0.1:{port}")
    process.kill()
    process.stdout.close()
    process.wait()


@pytest.mark.slow
def test_it_prints_where_to_look_and_a_line_that_works(served: Served, loaded: Loaded) -> None:
    assert any(line.startswith(f"ready: model {loaded.model.version} answers at {served.url}") for line in served.lines)
    words = shlex.split(served.lines[-1].removeprefix("try: "))
    answer = httpx.post(words[1], content=words[-1], headers=JSON)
    assert (words[0], answer.status_code) == ("curl", 200)
    assert answer.json()["adds_up"]["difference"] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_it_answers_as_the_model_in_this_process(served: Served, loaded: Loaded) -> None:
    now = datetime.now(UTC)
    body = json.dumps({"account": loaded.example, "text": "A question", "happened_at": HAPPENED_AT})
    asked = scoring.read_request(body, now)
    for route, judge in (("score", scoring.score), ("explain", scoring.explain)):
        answer = httpx.post(f"{served.url}/v1/posts:{route}", content=body, headers=JSON)
        assert answer.json() == json.loads(judge(loaded, asked, now).model_dump_json())


@pytest.mark.slow
def test_its_workers_figures_can_be_read(served: Served, loaded: Loaded) -> None:
    assert f'version="{loaded.model.version}"}} 1.0' in httpx.get(f"{served.url}/metrics").text


@pytest.mark.slow
def test_a_taken_port_is_told(served: Served, home: Path) -> None:
    port = str(served.port)
    environment = {**os.environ, "CLOUT_HOME": str(home), "CLOUT_PORT": port}
    second = subprocess.run([CLOUT, "serve"], env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "CLOUT_PORT" in second.stderr


@pytest.mark.slow
@pytest.mark.parametrize("said", [b"", b"POST /v1/posts:score HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "])
def test_it_answers_beside_connections_that_say_nothing(served: Served, said: bytes) -> None:
    assert most_connections() > MANY
    with ExitStack() as held:
        for _ in range(MANY):
            connection = socket.create_connection(("127.0.0.1", served.port), timeout=SOON)
            held.enter_context(connection).sendall(said)
        for path in ("/livez", "/readyz", "/metrics"):
            assert httpx.get(f"{served.url}{path}", timeout=SOON).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framed", "body"), [("Transfer-Encoding: chunked", b"zz\r\nxx\r\n"), ("Content-Length: 100", b"{")]
)
def test_a_body_that_breaks_off_is_a_problem(served: Served, framed: str, body: bytes) -> None:
    head = f"POST /v1/posts:score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{framed}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=SOON) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert json.loads(answer.partition("\r\n\r\n")[2])["code"] == "broken_body"
    assert "x-request-id: " in answer
    counted = 'clout_requests_total{route="/v1/posts:score",status="499"}'
    assert counted in httpx.get(f"{served.url}/metrics").text


@pytest.mark.slow
def test_what_to_try_shows_a_key_where_one_is_needed(served: Served) -> None:
    look, line = what_to_try(served.url, Settings())
    assert [look, line] == [told for told in served.lines if told.startswith(("look at: /", "try: curl"))]
    for closed in (Settings(host="192.0.2.1"), Settings(open="never")):
        assert what_to_try(served.url, closed) == [look, *who_may_ask(closed), f"{line} -H 'X-Api-Key: KEY'"]
    opened = Settings(host="192.0.2.1", open="always")
    assert what_to_try(served.url, opened) == [look, *who_may_ask(opened), line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\0\r\n\r\n", 400),
        (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 70_000), 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\n%s\r\n" % (b"A: a\r\n" * 200), 431),
    ],
)
def test_what_cannot_be_read_is_answered_by_the_server_alone(served: Served, said: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=SOON) as connection:
        connection.sendall(said)
        answer = connection.recv(65_536).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "content-length: 0\r\n" in answer
    assert "x-request-id" not in answer


@pytest.mark.slow
def test_it_stops_when_told_to_and_leaves_no_score_or_key_in_a_log(served: Served, home: Path) -> None:
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        store.remember(Judge("told-meanwhile", "scale", "{}", "{}"))
        assert httpx.get(f"{served.url}/readyz").json()["store"] == "ok"
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{served.url}/livez")
    assert not any(log.stat().st_size for log in home.glob("scores.db-wal"))


def test_what_says_nothing_is_awaited_ten_seconds_and_what_says_much_is_held_in_part() -> None:
    made = server("127.0.0.1", free_port(), 2)
    assert made.http1_settings.max_buffer_size == 131_072
    assert made.http1_settings.header_read_timeout == 10_000
    assert made.http == "1"
    assert made.backpressure == most_connections()


def test_as_many_files_may_be_opened_as_the_system_lets() -> None:
    told = "import resource as r; from clout.serving.connections import most_connections as most; "
    limit = "r.RLIMIT_NOFILE"
    told += f"r.setrlimit({limit}, (256, 2_000)); print(most(), r.getrlimit({limit}))"
    assert subprocess.check_output([sys.executable, "-c", told], text=True) == "1488 (2000, 2000)\n"


def test_without_a_champion_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no champion"):
        become_server(Settings(home=tmp_path), {})


def test_an_address_that_is_not_ours(home: Path) -> None:
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1:3000"):
        become_server(Settings(home=home, host="192.0.2.1"), {})


def test_what_is_not_known_is_left_out_of_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "POLL_SECONDS", 0.001)
    assert what_to_try(f"http://127.0.0.1:{free_port()}", Settings()) == []


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104 (nothing listens)
        ("::", "http://[::1]:3000"),
        ("localhost", "http://localhost:3000"),
    ],
)
def test_an_address_is_said_that_leads_there(host: str, url: str) -> None:
    assert url_here(host, 3000) == url


def test_an_address_of_ipv6_can_be_listened_on(home: Path) -> None:
    with pytest.raises(StartError, match="2001:db8::1") as raised:
        become_server(Settings(home=home, host="2001:db8::1"), {})
    assert "family for hostname" not in str(raised.value)


def test_it_says_who_needs_a_key() -> None:
    assert who_may_ask(Settings()) == []
    for closed in (Settings(host="192.0.2.1"), Settings(open="never")):
        assert "clout keys create" in who_may_ask(closed)[0]
    assert "CLOUT_OPEN=always" in who_may_ask(Settings(open="always"))[0]


def test_places_hold_wherever_the_workers_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = server_environment(Settings(home=Path("here"), lake="lakes/one"))
    assert told["CLOUT_HOME"] == str(tmp_path / "here")
    assert told["CLOUT_LAKE"] == str(tmp_path / "lakes" / "one")
    assert told["BENTOML_HOME"] == str(tmp_path / "here" / "bentoml")
    assert told["BENTOML_DO_NOT_TRACK"] == "True"
    assert server_environment(Settings(lake="s3://bucket/lake"))["CLOUT_LAKE"] == "s3://bucket/lake"
