"""Bluesky end to end: a real network on this machine, read by its firehose and by its AppView, trained on, scored, explained."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from clout.cli import app
from clout.data.history import load, read_tables
from clout.data.lake import Lake

if TYPE_CHECKING:
    from bluesky_society import Society

pytestmark = [pytest.mark.slow, pytest.mark.network_real]
VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}
DRIVEN = pl.col("kind").is_in(list(VALUES))
SMALL = """
label.horizon_days = 2
splits = { min_posts = 300, min_accounts = 30, origins = 2 }
fit = { trees = 60, threads = 1 }
"""
# Checks of figures, which so few posts can miss.
BY_CHANCE = [f"CLOUT{number:03}" for number in (1, 2, 3, 4, 5, 8, 10, 11)]
TABLES = ("accounts", "profiles", "posts", "actions", "counts", "removals")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home."""
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path))
    monkeypatch.delenv("CLOUT_LAKE", raising=False)
    return tmp_path


def clout(*arguments: str) -> dict[str, Any]:
    """What the command told."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def read(bluesky: Society, lake: Path, *what: str) -> dict[str, Any]:
    return clout("ingest", "bluesky", *what, *bluesky.options, "--lake", str(lake))


def test_bluesky_from_end_to_end(bluesky: Society, home: Path) -> None:
    """One test, so that one network is started however many processes test."""
    read(bluesky, home / "heard", "--firehose")
    read(bluesky, home / "lake", "--list", bluesky.list_uri)
    heard, shown = Lake(home / "heard"), Lake(home / "lake")
    firehose_and_appview_agree(bluesky, heard, shown)
    what_was_taken_back_is_taken_back_and_nothing_else(bluesky, heard)
    posts_dated_back_have_no_outcome_by_the_firehose_and_one_by_the_appview(heard, shown)
    one_trains_scores_and_explains(bluesky, home)
    the_next_reading_takes_back_what_is_gone_and_adds_what_is_new(bluesky, heard, shown)
    some_accounts_of_the_firehose(bluesky, heard, home)
    killed_in_the_middle_it_ends_with_the_same_rows(bluesky, home)


def standing(lake: Lake) -> set[tuple[str, str, str]]:
    """(post, kind, actor) of all that was done to posts that stand, and stands."""
    gone = lake.read("removals")["removed"].implode()
    posts = lake.read("posts").filter(~pl.col("post").is_in(gone)).select("post")
    actions = lake.read("actions").filter(DRIVEN, ~pl.col("action").is_in(gone)).join(posts, on="post", how="semi")
    return set(actions.select("post", "kind", "actor").iter_rows())


def firehose_and_appview_agree(bluesky: Society, heard: Lake, shown: Lake) -> None:
    assert standing(heard) == standing(shown)
    assert len(standing(shown)) > 1000
    gone = heard.read("removals")["removed"].implode()
    stands = heard.read("actions").filter(DRIVEN, ~pl.col("action").is_in(gone)).group_by("post", "kind").len("heard")
    counted = shown.read("counts").select("post", "kind", "count")
    both = counted.join(stands, on=["post", "kind"], how="left").with_columns(pl.col("heard").fill_null(0))
    assert both.filter(pl.col("count") != pl.col("heard")).is_empty()
    assert both["count"].sum() > 1000
    texts = [
        lake.read("posts").filter(~pl.col("post").is_in(gone)).select("post", "account", "text", "lang", "kind")
        for lake in (heard, shown)
    ]
    assert texts[0].sort("post").equals(texts[1].sort("post"))
    named = {f"bluesky/{one.did}": f"person{number}.test" for number, one in enumerate(bluesky.people)}
    assert dict(shown.read("accounts").select("account", "handle").iter_rows()) == named


def what_was_taken_back_is_taken_back_and_nothing_else(bluesky: Society, heard: Lake) -> None:
    done, gone = bluesky.done, set(heard.read("removals")["removed"])
    actions = heard.read("actions")
    for name in ("unliked", "unfollowed", "deleted"):
        assert f"bluesky/{done[name]}" in gone
    for name in ("liked", "follows", "said"):
        assert f"bluesky/{done[name]}" not in gone
    follows = actions.filter(kind="follow")
    assert follows["post"].null_count() == follows.height == 2
    assert actions.filter(kind="mention")["account"].to_list() == [f"bluesky/{bluesky.people[0].did}"]
    texts = read_tables(heard)["posts"].filter(pl.col("post") == f"bluesky/{done['deleted']}")["text"]
    assert texts.to_list() == [None]


def posts_dated_back_have_no_outcome_by_the_firehose_and_one_by_the_appview(heard: Lake, shown: Lake) -> None:
    old = heard.read("posts").filter(pl.col("known_at") - pl.col("happened_at") > timedelta(days=3))
    assert old.height > 350
    outcomes = [load(read_tables(lake), timedelta(days=2), VALUES).outcomes for lake in (heard, shown)]
    assert outcomes[0].join(old, on="post", how="semi").is_empty()
    assert outcomes[1].join(old, on="post", how="semi").height > 330
    assert outcomes[1]["outcome"].sum() > 500


def one_trains_scores_and_explains(bluesky: Society, home: Path) -> None:
    muted = "".join(f'{code} = "a few hundred posts"\n' for code in BY_CHANCE)
    params = home / "params.toml"
    params.write_text(f"{SMALL}[checks.mute]\n{muted}")
    told = clout("train", "--params", str(params))
    assert told["champion"], [(check["code"], check["status"], check["detail"]) for check in told["checks"]]
    assert clout("score", "--all")["accounts"]
    best, least = (f"bluesky/{bluesky.people[place].did}" for place in (-1, 1))
    scores = [clout("score", "--text", "a walk by the sea", "--account", account) for account in (best, least)]
    assert scores[0]["score"] > scores[1]["score"]
    assert scores[0]["evidence"]["source"] == "lake"
    for told in scores:
        points = told["base_score"] + sum(reason["points"] for reason in told["reasons"])
        assert points == pytest.approx(told["score"], abs=0.1)
    assert any(words["lift"] > 0 for words in scores[0]["words"])


def the_next_reading_takes_back_what_is_gone_and_adds_what_is_new(bluesky: Society, heard: Lake, shown: Lake) -> None:
    from bluesky_network import on, soon  # noqa: PLC0415

    ann, ben, _, dan, eve, *_ = bluesky.people
    first, now = bluesky.live[0], datetime.now(UTC)
    before, rows = standing(shown), {table: shown.read(table).height for table in TABLES}
    ben.take_back(bluesky.done["liked"])
    dan.take_back(bluesky.done["said"])
    eve.write([on("like", first, now), on("repost", first, now)])
    ask = ann.client.app.bsky.feed

    def is_heard() -> bool:
        (post,) = ask.get_posts({"uris": [first[0]]}).posts
        return (post.like_count, post.repost_count, post.reply_count) == (2, 2, 0)

    soon(is_heard)
    for _ in range(2):
        read(bluesky, Path(shown.url), "--actor", "person0.test")
    post = f"bluesky/{first[0]}"
    gone = {(post, "like", f"bluesky/{ben.did}"), (post, "reply", f"bluesky/{dan.did}")}
    new = {(post, kind, f"bluesky/{eve.did}") for kind in ("like", "reshare")}
    assert standing(shown) == before - gone | new
    after = {table: shown.read(table).height for table in TABLES}
    assert (after["actions"], after["removals"]) == (rows["actions"] + 2, rows["removals"] + 2)
    assert shown.read("profiles").filter(account=f"bluesky/{ann.did}").height == 3
    read(bluesky, Path(heard.url), "--firehose")
    assert standing(heard) == standing(shown)


def some_accounts_of_the_firehose(bluesky: Society, heard: Lake, home: Path) -> None:
    ann = f"bluesky/{bluesky.people[0].did}"
    told = read(bluesky, home / "hers", "--firehose", "--actor", "person0.test")
    hers, mine = Lake(home / "hers"), pl.col("account") == ann
    assert hers.read("posts").sort("post").equals(heard.read("posts").filter(mine).sort("post"))
    theirs = heard.read("actions").filter(mine | (pl.col("actor") == ann)).sort("action")
    assert hers.read("actions").sort("action").equals(theirs)
    known = {*hers.read("actions")["action"], *hers.read("posts")["post"]}
    assert set(hers.read("removals")["removed"]) == {*heard.read("removals")["removed"]} & known
    assert told["frames"]["#commit"] > 0


CHILD = """
import sys
from datetime import UTC, datetime
from clout.data.lake import Lake
from clout.data.sources.live.bluesky.firehose import Firehose
from clout.data.sources.source import take
lake, host, until = Lake(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
take(lake, Firehose(lake, until, host=host, silence=1, size=100), until, lambda step, share: print(step, flush=True))
"""


def killed_in_the_middle_it_ends_with_the_same_rows(bluesky: Society, tmp_path: Path) -> None:
    until = datetime.now(UTC).isoformat()
    arguments = [bluesky.network.firehose, until]
    shots = 0
    for pieces in (2, 4, 3, 10**6):
        command = [sys.executable, "-c", CHILD, str(tmp_path / "shot"), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in zip(range(pieces), child.stdout, strict=False):
                pass
            child.send_signal(signal.SIGKILL)
            shots += child.wait() == -signal.SIGKILL
    assert shots >= 2
    subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "calm"), *arguments], check=True, stdout=subprocess.DEVNULL
    )
    calm, shot = Lake(tmp_path / "calm"), Lake(tmp_path / "shot")
    assert calm.fingerprint() == shot.fingerprint()
    assert not calm.is_empty()
