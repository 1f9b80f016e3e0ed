"""The firehose, replayed by a host of this machine: any cursor, pieces, filters, frames that nobody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import libipld
import pytest
from firehose_frames import Operation, commit, frame, refusal, replaying
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.lake import Lake
from clout.data.sources.live.bluesky.firehose import Firehose
from clout.data.sources.live.bluesky.frames import FirehoseError, operations, read
from clout.data.sources.live.passing import PassingError
from clout.data.sources.source import Taken, take

BEGINNING = datetime(2026, 5, 1, 12, tzinfo=UTC)
UNTIL = BEGINNING + timedelta(hours=1)
PEOPLE = ("did:plc:ann", "did:plc:ben", "did:plc:cid")
ANN = f"bluesky/{PEOPLE[0]}"
TABLES = ("accounts", "posts", "actions", "removals")
Frames = list[tuple[int, bytes]]


def told(seq: int) -> str:
    return (BEGINNING + timedelta(seconds=seq)).isoformat()


def post(seq: int) -> Operation:
    return "create", f"app.bsky.feed.post/p{seq}", {"text": f"post {seq}", "createdAt": told(seq)}


def like(seq: int, of: str, key: str) -> Operation:
    subject = {"uri": f"at://{of}/app.bsky.feed.post/{key}", "cid": "bafy"}
    return "create", f"app.bsky.feed.like/l{seq}", {"subject": subject, "createdAt": told(seq)}


def packed(seq: int, person: int, *done: Operation) -> tuple[int, bytes]:
    return seq, commit(seq, BEGINNING + timedelta(seconds=seq), PEOPLE[person], *done)


def event(seq: int, kind: str, **said: object) -> tuple[int, bytes]:
    return seq, frame(kind, seq, BEGINNING + timedelta(seconds=seq), said)


def day() -> Frames:
    """Ann posts, Ben likes and takes one back, Cid posts and follows; an account names itself."""
    unlike: Operation = ("delete", "app.bsky.feed.like/l5", None)
    strange: Operation = ("delete", "app.bsky.feed.like/l0", None)
    follow: Operation = ("create", "app.bsky.graph.follow/f8", {"subject": PEOPLE[0], "createdAt": told(8)})
    other: Operation = ("create", "app.bsky.graph.block/b8", {"subject": PEOPLE[0]})
    return [
        event(1, "#identity", did=PEOPLE[0], handle="ann.example"),
        event(2, "#identity", did=PEOPLE[1], handle="ben.example"),
        packed(3, 0, post(3), post(103)),
        packed(5, 1, like(5, PEOPLE[0], "p3"), like(6, PEOPLE[0], "p103")),
        packed(7, 1, unlike),
        packed(8, 2, follow, other),
        packed(9, 2, post(9), like(9, PEOPLE[1], "elsewhere"), strange),
    ]


def run(folder: Path, frames: Frames, until: datetime = UNTIL, **options: Any) -> tuple[Lake, Firehose, Taken]:  # noqa: ANN401
    """The lake after the frames came in, by a host whose address is the same each time."""
    lake = Lake(folder)
    with replaying(frames) as host:
        source = Firehose(lake, until, host=host, silence=0.05, **options)
        source.name = "firehose"
        return lake, source, take(lake, source, until)


def test_everything_comes_in_under_its_own_address(tmp_path: Path) -> None:
    lake, source, taken = run(tmp_path, day())
    assert dict(taken.rows) == {"posts": 3, "actions": 4, "removals": 2}
    assert not taken.rejected
    assert source.counted == {"#identity": 2, "#commit": 5, "operations": 9}
    times = lake.read("posts").filter(post=f"{ANN.replace('/', '/at://')}/app.bsky.feed.post/p3")
    assert times.select("happened_at", "known_at").row(0) == (BEGINNING + timedelta(seconds=3),) * 2


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_it_goes_on_from_any_place(cut: int, tmp_path: Path) -> None:
    whole, _, _ = run(tmp_path / "whole", day())
    run(tmp_path / "cut", day()[:cut], size=2)
    again, _, taken = run(tmp_path / "cut", day(), size=3)
    assert taken.went_on == (cut > 2)
    assert again.fingerprint() == whole.fingerprint()
    assert {table: again.read(table).height for table in TABLES} == {
        table: whole.read(table).height for table in TABLES
    }


def test_the_same_stream_again_is_no_news(tmp_path: Path) -> None:
    lake, _, _ = run(tmp_path, day())
    before = lake.fingerprint()
    with replaying(day()) as host:
        taken = take(lake, Firehose(lake, UNTIL, host=host, silence=0.05), UNTIL)
    assert (sum(taken.rows.values()), sum(taken.already_there.values())) == (0, 9)
    assert lake.fingerprint() == before


def test_it_ends_at_a_moment_and_leaves_the_rest_for_the_next_run(tmp_path: Path) -> None:
    _, _, first = run(tmp_path, day(), until=BEGINNING + timedelta(seconds=7))
    assert first.rows == {"posts": 2, "actions": 2}
    _, source, second = run(tmp_path, day())
    assert second.rows == {"posts": 1, "actions": 2, "removals": 2}
    assert source.counted["#commit"] == 3


def test_of_some_accounts_only_what_concerns_them(tmp_path: Path) -> None:
    lake, _, _ = run(tmp_path, day(), accounts=frozenset({ANN}), size=4)
    assert lake.read("accounts").select("account", "handle").rows() == [(ANN, "ann.example")]
    assert lake.read("posts")["account"].to_list() == [ANN, ANN]
    assert lake.read("actions")["kind"].to_list() == ["like", "like", "follow"]
    assert lake.read("removals")["removed"].str.ends_with("/l5").to_list() == [True]


def test_who_was_deleted_is_forgotten_and_who_went_quiet_is_not(tmp_path: Path) -> None:
    gone = [event(10, "#account", did=PEOPLE[0], active=False, status="deleted")]
    quiet = [event(11, "#account", did=PEOPLE[1], active=False, status="deactivated")]
    run(tmp_path, day())
    lake, _, _ = run(tmp_path, [*day(), *gone, *quiet, packed(12, 0, post(12))])
    assert lake.read("posts")["account"].to_list() == [f"bluesky/{PEOPLE[2]}"]
    assert lake.read("actions")["account"].to_list() == [f"bluesky/{PEOPLE[1]}"]
    assert len(lake.tombstones()) == 1


def test_what_a_frame_does_not_hold_is_refused_and_a_bad_frame_counted(tmp_path: Path) -> None:
    empty: Operation = ("create", "app.bsky.feed.post/p2", None)
    torn = commit(3, BEGINNING, PEOPLE[0], post(3))[:-40]
    frames = [packed(1, 0, empty), (3, torn), (4, b"\xff"), event(5, "#sync", did=PEOPLE[0]), packed(6, 0, post(6))]
    _, source, taken = run(tmp_path, frames)
    assert dict(taken.rejected) == {"unreadable_row": 1}
    assert dict(taken.rows) == {"posts": 1}
    assert (source.counted["unreadable"], source.counted["#sync"]) == (2, 1)


def test_a_host_that_ends_the_stream_is_tried_again_later(tmp_path: Path) -> None:
    with pytest.raises(PassingError, match=r"the firehose ended with ConsumerTooSlow .* run this again"):
        run(tmp_path, [packed(1, 0, post(1)), (2, refusal("ConsumerTooSlow"))])


def test_a_host_that_is_behind_is_another(tmp_path: Path) -> None:
    with pytest.raises(FirehoseError, match=r"has not come as far as where we stood .* name it"):
        run(tmp_path, [(2, refusal("FutureCursor"))])


def test_nobody_there(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(PassingError, match=r"the firehose of ws://127\.0\.0\.1:1 broke off .* run this again"):
        take(lake, Firehose(lake, UNTIL, host="ws://127.0.0.1:1"), UNTIL)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("seq", "time", "repo", "ops", "blocks"), VALUES)
    | {"seq": st.integers(0, 9), "time": st.just(BEGINNING.isoformat())}
    | {
        "ops": st.lists(
            st.fixed_dictionaries({"path": st.just("app.bsky.feed.post/k"), "action": VALUES, "cid": VALUES})
        )
    },
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | NAMED.map(libipld.encode_dag_cbor), st.booleans())
def test_no_frame_is_too_strange(body: bytes, headed: bool) -> None:
    found = read((libipld.encode_dag_cbor({"op": 1, "t": "#commit"}) if headed else b"") + body)
    if found is not None:
        list(operations(found.said, found.time))
