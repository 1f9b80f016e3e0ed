"""Each kind of archive is known by what is inside, and its rows say what it says and no more."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import archive_samples as samples
import pytest

from clout.data.lake import Lake
from clout.data.sources.archive import Archive, ArchiveError
from clout.data.sources.files import FileError
from clout.data.sources.source import Taken, take

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = ("accounts", "profiles", "posts", "actions", "counts")
NEEDED = {"x analytics": "twitter/17", "instagram": "instagram/ann"}
MADE = {
    "x": ("x", [1, 1, 8, 0, 16]),
    "x analytics": ("x", [0, 0, 1, 0, 4]),
    "mastodon": ("activity-streams", [1, 0, 3, 0, 4]),
    "activity-streams": ("activity-streams", [0, 0, 2, 0, 4]),
    "reddit": ("reddit", [3, 0, 3, 1, 5]),
    "youtube": ("youtube", [1, 1, 1, 0, 3]),
    "tumblr": ("tumblr", [1, 0, 1, 0, 1]),
    "instagram": ("instagram", [0, 0, 1, 0, 3]),
    "tiktok": ("tiktok", [0, 0, 1, 0, 1]),
    "google-plus": ("google-plus", [1, 0, 1, 1, 2]),
    "khoros": ("khoros", [2, 0, 2, 0, 4]),
}


def taken(path: Path, account: str | None = None) -> tuple[Lake, Taken]:
    """The lake with the archive in it, and what became of its rows."""
    lake = Lake(path.parent / f"lake-{path.name}")
    return lake, take(lake, Archive(path, NOW, account=account), NOW)


def counted(lake: Lake) -> dict[tuple[str, str], int]:
    """The counts of a lake by post and kind."""
    return {
        (post, kind): count for post, kind, count in lake.read("counts").select("post", "kind", "count").iter_rows()
    }


@pytest.mark.parametrize("name", MADE)
def test_each_kind_is_recognised_and_read_and_twice_changes_nothing(name: str, tmp_path: Path) -> None:
    path, account = samples.samples(tmp_path)[name], NEEDED.get(name)
    kind, rows = MADE[name]
    lake, told = taken(path, account)
    assert (Archive(path, NOW, account=account).form.KIND, told.rejected) == (kind, {})
    assert [lake.read(table).height for table in TABLES] == rows
    state = lake.fingerprint()
    again = taken(path, account)[1]
    assert (lake.fingerprint(), again.rows, again.already_there) == (state, {}, told.rows)


@pytest.mark.parametrize("name", ["tweets.js", "tweet.js", "tweets-part1.js", "community-tweet.js"])
def test_posts_of_x_under_all_their_names(name: str, tmp_path: Path) -> None:
    files = samples.x_files([samples.tweet(1)])
    files[f"data/{name}"] = files.pop("data/tweets.js")
    lake, _ = taken(samples.written_zip(tmp_path / "x.zip", files))
    assert lake.read("posts")["post"].to_list() == ["twitter/1"]


def test_an_archive_of_x_says_when_and_whose_and_how_many_followed(tmp_path: Path) -> None:
    long = samples.tweet(
        1, full_text="Long text that is c… https://t.co/a", created_at="Sat Feb 18 12:01:11 +0000 2023"
    )
    note = {"noteTweet": {"createdAt": "2023-02-18T12:01:11.000Z", "core": {"text": "Long text that is cut here"}}}
    tweets = [
        long,
        samples.tweet(2, full_text="RT @ben: his words", favorite_count="0", retweet_count="900"),
        samples.tweet(3, in_reply_to_status_id_str="99"),
        samples.tweet(4, entities={"urls": [{"expanded_url": "https://twitter.com/ben/status/5"}]}),
        {"id": 5, "created_at": "Sat Feb 18 12:05:11 +0000 2023", "text": "old shape"},
    ]
    files = samples.x_files(tweets, **{"data/note-tweet.js": samples.javascript("note_tweet", [note])})
    files["data/deleted-tweets.js"] = samples.javascript("deleted_tweets", [samples.tweet(77)])
    lake, _ = taken(samples.written_zip(tmp_path / "x.zip", files))
    posts = lake.read("posts")
    assert posts["kind"].to_list() == ["original", "reshare", "reply", "quote", "original"]
    assert posts["text"][0] == "Long text that is cut here"
    assert posts["account"].unique().to_list() == ["twitter/17"]
    assert set(lake.read("counts")["happened_at"]) == {datetime(2023, 6, 1, tzinfo=UTC)}
    assert {post for post, _ in counted(lake)} == {"twitter/1", "twitter/3", "twitter/4"}
    profile = lake.read("profiles").row(0, named=True)
    assert (profile["followers"], profile["following"], profile["posts"]) == (5, None, None)


def test_analytics_give_what_they_know_and_leave_out_the_rest(tmp_path: Path) -> None:
    lake, _ = taken(samples.samples(tmp_path)["x analytics"], "twitter/17")
    assert counted(lake) == {
        ("twitter/1900", k): n for k, n in (("view", 1203), ("like", 12), ("reshare", 2), ("reply", 3))
    }


def test_boosts_are_not_the_boosters_own_posts(tmp_path: Path) -> None:
    lake, _ = taken(samples.samples(tmp_path)["mastodon"])
    assert lake.read("posts")["kind"].to_list() == ["original", "original", "reshare"]
    assert lake.read("posts")["text"][0] == "Hello 1\nBye & thanks"
    assert not [post for post, _ in counted(lake) if "boost" in post]


def test_a_server_that_tells_no_totals_gives_no_counts(tmp_path: Path) -> None:
    bare = samples.note(1)
    del bare["object"]["likes"], bare["object"]["shares"]
    lake, _ = taken(samples.written_json(tmp_path / "outbox.json", samples.collection([bare])))
    assert (lake.read("posts").height, lake.read("counts").height) == (1, 0)


def test_activities_of_many_act_on_posts_and_what_was_undone_does_not(tmp_path: Path) -> None:
    ben, when = "https://other.example/users/ben", "2023-03-01T12:00:00Z"
    target = f"{samples.ANN}/statuses/1"

    def act(kind: str, number: int, told: object = target) -> dict[str, Any]:
        return {"id": f"{ben}/{number}", "type": kind, "actor": {"id": ben}, "published": when, "object": told}

    reply = {"id": f"{ben}/statuses/9", "type": ["Note"], "content": "yes", "inReplyTo": target, "attributedTo": [ben]}
    liked, undone = act("Like", 1), act("Like", 2)
    many = [samples.note(1), liked, undone, act("Undo", 3, undone), act("Announce", 4, [target])]
    many += [act("Create", 5, reply), act("Follow", 6, samples.ANN), "https://id.example/only"]
    lake, told = taken(samples.written_json(tmp_path / "all.json", samples.collection(many)))
    actions = lake.read("actions")
    assert actions["kind"].to_list() == ["like", "reshare", "reply"]
    assert actions["post"].unique().to_list() == [f"mastodon/{target}"]
    assert actions["account"].unique().to_list() == [f"mastodon/{samples.ANN}"]
    assert actions["actor"].unique().to_list() == [f"mastodon/{ben}"]
    assert lake.read("posts")["kind"].to_list() == ["original", "reply"]
    assert told.rejected == {"unknown_kind": 1, "unreadable_row": 1}


def test_a_score_below_zero_is_not_known_and_deleted_authors_are_refused(tmp_path: Path) -> None:
    late = 1_700_000_000 + 90 * 86_400
    lines = [
        samples.submission(1, score=-4),
        samples.submission(2, author="[deleted]"),
        samples.submission(3, retrieved_on=late),
    ]
    del (bare := samples.submission(4))["retrieved_on"]
    lake, told = taken(samples.written_zst(tmp_path / "RS.zst", [*lines, bare]))
    assert counted(lake) == {
        ("reddit/t3_s000001", "reply"): 1,
        ("reddit/t3_s000003", "like"): 5,
        ("reddit/t3_s000003", "reply"): 1,
    }
    assert dict(lake.read("counts").select("post", "retrospective").unique().iter_rows()) == {
        "reddit/t3_s000001": False,
        "reddit/t3_s000003": True,
    }
    assert told.rejected == {"missing_id": 1}


def test_hidden_counts_of_videos_stay_unknown(tmp_path: Path) -> None:
    video = {**samples.VIDEO, "statistics": {"viewCount": "7", "favoriteCount": "0"}}
    lake, _ = taken(samples.written_json(tmp_path / "v.json", {"items": [video]}))
    assert counted(lake) == {("youtube/abc", "view"): 7}


def test_kudos_are_a_log_only_where_every_message_has_them(tmp_path: Path) -> None:
    lake, _ = taken(samples.samples(tmp_path)["khoros"])
    assert (counted(lake)["khoros/5", "like"], counted(lake)["khoros/6", "like"]) == (1, 4)
    only = {"data": {"items": samples.KHOROS["data"]["items"][:1]}}
    lake, _ = taken(samples.written_json(tmp_path / "only.json", only))
    assert lake.read("actions").select("kind", "actor").rows() == [("like", "khoros/ben")]
    assert ("khoros/5", "like") not in counted(lake)


def test_texts_of_meta_are_mended_and_dashes_are_not_known(tmp_path: Path) -> None:
    lake, _ = taken(samples.samples(tmp_path)["instagram"], "instagram/ann")
    assert lake.read("posts")["text"].to_list() == ["Café"]
    assert sorted(kind for _, kind in counted(lake)) == ["like", "reply", "view"]


def test_when_counts_were_read_is_what_the_archive_says_else_its_newest_post_else_its_file(tmp_path: Path) -> None:
    files = samples.x_files([samples.tweet(1), samples.tweet(2, created_at="Sat Feb 18 12:02:11 +0000 2099")])
    says = Archive(samples.written_zip(tmp_path / "a.zip", files), NOW)
    assert says.read_at == (datetime(2023, 6, 1, tzinfo=UTC), "the archive says so")
    del files["data/manifest.js"]
    newest = Archive(samples.written_zip(tmp_path / "b.zip", files), NOW)
    assert newest.read_at == (datetime(2023, 2, 18, 12, 1, 11, tzinfo=UTC), "its newest post is of then")
    files["data/tweets.js"] = samples.javascript("tweets", [])
    empty = samples.written_zip(tmp_path / "c.zip", files)
    os.utime(empty, (1_600_000_000, 1_600_000_000))
    assert Archive(empty, NOW).read_at == (datetime.fromtimestamp(1_600_000_000, UTC), "the file was written then")


def test_an_archive_that_does_not_say_whose_it_is_asks(tmp_path: Path) -> None:
    path = samples.samples(tmp_path)["x analytics"]
    with pytest.raises(ArchiveError, match="add --account twitter/ID"):
        Archive(path, NOW)
    with pytest.raises(ArchiveError, match="expected one of twitter"):
        Archive(path, NOW, account="tiktok/4")


def test_an_unknown_kind_and_an_unknown_archive_are_refused(tmp_path: Path) -> None:
    path = samples.written_json(tmp_path / "a.json", {"some": "thing"})
    with pytest.raises(ArchiveError, match="expected one of x, activity-streams"):
        Archive(path, NOW, kind="myspace")
    with pytest.raises(ArchiveError, match=r"no archive that is known; it holds a\.json"):
        Archive(path, NOW)
    with pytest.raises(ArchiveError, match="no archive that is known as reddit"):
        Archive(samples.samples(tmp_path)["tiktok"], NOW, kind="reddit")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("your_facebook_activity/posts/your_posts_1.json", "Facebook's own export has your posts but not what others"),
        ("threads/threads_and_replies.json", "Threads has your posts but not"),
        ("your_instagram_activity/media/posts_1.json", "no insights: only professional accounts"),
        ("Shares.csv", "LinkedIn's export has your posts but not"),
        ("checkins1.json", "Foursquare's export has where you were"),
        ("YouTube and YouTube Music/video metadata/videos.csv", "no views, likes or comments"),
        ("post_headers.csv", "without their scores"),
        ("enwiki-pages-articles.xml", "an edit is no reaction"),
        ("inner.zip", "holds archives inside"),
    ],
)
def test_an_archive_without_engagement_is_refused_with_the_reason(name: str, words: str, tmp_path: Path) -> None:
    path = samples.written_zip(tmp_path / "export.zip", {name: b"[]"})
    with pytest.raises(ArchiveError, match=words):
        Archive(path, NOW)


def test_the_open_data_of_klout_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "klout.tsv").write_text("#post_id_fingerprint\t#user_id_fingerprint\n1\t2\n")
    with pytest.raises(ArchiveError, match="clout ingest table FILE --map klout_twitter"):
        Archive(tmp_path / "klout.tsv", NOW)


NASTY = [
    (samples.tweet(2, created_at="Sat Feb 18 12:01:11 +0000 1960"), "too_early"),
    (samples.tweet(2, created_at="Sat Feb 18 12:01:11 +0000 2999"), "future"),
    (samples.tweet(2, created_at="soon"), "unreadable_time"),
    (samples.tweet(2, created_at=None), "missing_time"),
    (samples.tweet(2, id_str=None), "missing_id"),
    (samples.tweet(2, favorite_count=10**30), "wrong_type"),
    (samples.tweet(2, favorite_count=float("nan")), "not_a_number"),
    (samples.tweet(2, favorite_count="-3"), "negative_number"),
    (samples.tweet(2, full_text="x" * 5_000_000), "text_too_long"),
    (samples.tweet(2, id_str="9" * 5_000_000), "wrong_type"),
    (samples.tweet(1), "duplicate"),
    (samples.tweet(1, full_text="other"), "conflicting_duplicate"),
    (5, "unreadable_row"),
]


@pytest.mark.parametrize(("item", "reason"), NASTY, ids=[reason for _, reason in NASTY])
def test_a_nasty_row_is_counted_with_its_reason_and_the_others_stay(item: object, reason: str, tmp_path: Path) -> None:
    path = samples.written_zip(tmp_path / "x.zip", samples.x_files([samples.tweet(1), item, samples.tweet(3)]))
    lake, told = taken(path)
    assert reason in told.rejected
    assert {"twitter/1", "twitter/3"} <= set(lake.read("posts")["post"])
    rejects = lake.rejects().collect()
    assert sum(told.rejected.values()) == rejects.height
    assert rejects["raw"].str.len_bytes().max() < 500_000


def test_halves_of_characters_do_not_break_a_row(tmp_path: Path) -> None:
    tweets = json.dumps([samples.tweet(1, full_text="a\ud800b"), samples.tweet(2)]).encode()
    files = samples.x_files([]) | {"data/tweets.js": b"window.YTD.tweets.part0 = " + tweets}
    lake, told = taken(samples.written_zip(tmp_path / "x.zip", files))
    assert (told.rejected, lake.read("posts")["text"].to_list()) == ({}, ["a?b", "Number 2 & more"])


def test_a_document_cut_off_is_refused_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    files = samples.x_files([])
    files["data/tweets.js"] = samples.javascript("tweets", [samples.tweet(1), samples.tweet(2)])[:-40]
    path = samples.written_zip(tmp_path / "x.zip", files)
    with pytest.raises(FileError, match="not whole JSON"):
        taken(path)
    assert Lake(tmp_path / "lake-x.zip").is_empty()
