"""A file becomes tables as its mapping says; bad rows are counted, a bad file is refused, nothing is half-written."""

from __future__ import annotations

import gzip
import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clout.data.lake import Lake
from clout.data.sources.mapping import Mapping, MappingError
from clout.data.sources.table import ingest
from clout.errors import CloutError

NOW = datetime(2024, 1, 1, tzinfo=UTC)
THEN = datetime(2023, 1, 1, tzinfo=UTC)
POSTS = """
network = "x"
[posts]
post = "id"
account = "who"
happened_at = "at"
text = "text"
"""
EVERYTHING = """
network = { column = "net" }
note = "Read by hand."
missing = ["NA"]
drop_where = "is_ad"

[accounts]
account = "who"
handle = "name"

[profiles]
account = "who"
happened_at = "read_at"
followers = "followers"
verified = "verified"

[posts]
post = "id"
account = "who"
happened_at = "at"
text = { first_of = ["text", "title"] }
kind = { flags = { reshare = "is_rt", reply = "is_reply" } }
n_urls = "links"

[counts]
post = "id"
happened_at = "read_at"
drop_where = "is_rt"
kinds = { like = "likes", reshare = "rts" }
"""
ROWS = """net,id,who,name,at,read_at,text,title,is_rt,is_reply,is_ad,links,likes,rts,followers,verified
x,1,ann,Ann,2023-01-01T00:00:00Z,2023-02-01,hello,,false,false,false,1,5,0,100,yes
x,2,ann,,2023-01-02T00:00:00Z,2023-02-01,,A title,false,true,false,NA,3.0,,100,yes
x,3,bob,Bob,2023-01-03T00:00:00Z,2023-02-02,RT,,true,true,false,0,900,900,7,no
y,4,ann,Other,2023-01-04T00:00:00Z,2023-02-02,hi,,0,0,1,0,1,1,7,no
x,5,cid,NA,2023-01-05T00:00:00Z,2023-02-02,,,no,no,no,0,NaN,2.5,NA,
"""


def mapping(text: str) -> Mapping:
    """The mapping that `text` is."""
    return Mapping.model_validate(tomllib.loads(text))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "lake")


def frame_in(folder: Path, table: dict[str, list[Any]]) -> Path:
    """A Parquet file with `table` inside."""
    file = folder / "table.parquet"
    pl.DataFrame(table, strict=False).write_parquet(file)
    return file


def text_in(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """A file of this name and content."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read_one(lake: Lake, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of a table of the lake."""
    return lake.read(table).select(columns).rows()


def test_one_file_feeds_four_tables(lake: Lake, tmp_path: Path):
    receipt = ingest(lake, text_in(tmp_path, ROWS), mapping(EVERYTHING), NOW)
    assert receipt.rows == {"accounts": 3, "profiles": 3, "posts": 4, "counts": 3}
    assert receipt.rejected == {"not_a_number": 1, "not_a_whole_number": 1}
    assert (receipt.source, receipt.note) == ("table.csv", "Read by hand.")
    assert read_one(lake, "accounts", "account", "handle") == [("x/ann", "Ann"), ("x/bob", "Bob"), ("x/cid", None)]
    read_at = datetime(2023, 2, 1, tzinfo=UTC)
    assert lake.read("profiles").row(0) == ("x/ann", read_at, read_at, 100, None, None, None, True)
    assert read_one(lake, "profiles", "account", "followers", "verified")[2] == ("x/cid", None, None)
    assert read_one(lake, "posts", "post", "text", "kind", "n_urls") == [
        ("x/1", "hello", "original", 1),
        ("x/2", "A title", "reply", None),
        ("x/3", "RT", "reshare", 0),
        ("x/5", "", "original", 0),
    ]
    assert read_one(lake, "posts", "happened_at", "known_at", "lang")[0] == (THEN, THEN, None)
    assert lake.read("counts").sort("post", "kind").rows() == [
        ("x/1", "like", 5, read_at, read_at, False),
        ("x/1", "reshare", 0, read_at, read_at, False),
        ("x/2", "like", 3, read_at, read_at, False),
    ]


def test_a_reject_tells_its_row_of_the_file(lake: Lake, tmp_path: Path):
    ingest(lake, text_in(tmp_path, ROWS), mapping(EVERYTHING), NOW)
    rejects = lake.rejects().collect().sort("reason")
    assert rejects.select("table", "row", "reason", "sentence").rows() == [
        ("counts", 5, "not_a_number", "count is NaN: leave a value that is not known empty"),
        ("counts", 5, "not_a_whole_number", "count is a fraction, not a whole number"),
    ]
    raw = json.loads(rejects["raw"][0])
    assert raw["id"] == "5"
    assert raw["rts"] == "2.5"
    assert raw.keys() == set(ROWS.split("\n", 1)[0].split(","))


def test_the_same_file_again_changes_nothing(lake: Lake, tmp_path: Path):
    file = text_in(tmp_path, ROWS)
    first = ingest(lake, file, mapping(EVERYTHING), NOW)
    before = lake.fingerprint()
    again = ingest(lake, file, mapping(EVERYTHING), NOW + timedelta(days=9))
    assert (again.rows, again.already_there, again.number) == ({}, first.rows, 0)
    assert lake.fingerprint() == before
    assert lake.receipts() == [first]


@pytest.mark.parametrize("name", ["t.tsv", "t.csv.gz", "t.parquet", "t.ndjson"])
def test_every_format_gives_the_same_lake(name: str, tmp_path: Path):
    table = pl.read_csv(ROWS.encode(), infer_schema=False)
    file = tmp_path / name
    if name == "t.tsv":
        table.write_csv(file, separator="\t")
    elif name == "t.parquet":
        table.write_parquet(file)
    elif name == "t.ndjson":
        table.write_ndjson(file)
    else:
        file.write_bytes(gzip.compress(ROWS.encode()))
    one, two = Lake(tmp_path / "one"), Lake(tmp_path / "two")
    ingest(one, file, mapping(EVERYTHING), NOW)
    ingest(two, text_in(tmp_path, ROWS), mapping(EVERYTHING), NOW)
    assert one.fingerprint() == two.fingerprint()


def test_a_row_of_a_wrong_type_does_not_cost_the_file(lake: Lake, tmp_path: Path):
    bad = "id,who,at,text\n1,ann,2023-01-01,a\n2,ann,soon,b\n3,,2023-01-01,c\n4,ann,,d\n5,ann,2030-01-01,e\n"
    receipt = ingest(lake, text_in(tmp_path, bad + f"6,ann,2023-01-01,{'a' * 1_000_000}\n"), mapping(POSTS), NOW)
    assert receipt.rows == {"posts": 1}
    told = {"unreadable_time": 1, "missing_id": 1, "missing_time": 1, "future": 1, "text_too_long": 1}
    assert receipt.rejected == told
    assert sorted(lake.rejects().collect()["row"]) == [2, 3, 4, 5, 6]


def test_duplicates_are_counted(lake: Lake, tmp_path: Path):
    rows = "id,who,at,text,other\n1,ann,2023-01-01,a,x\n1,ann,2023-01-01,a,y\n1,ann,2023-01-01,b,x\n"
    receipt = ingest(lake, text_in(tmp_path, rows), mapping(POSTS), NOW)
    assert (receipt.rows, receipt.rejected) == ({"posts": 1}, {"duplicate": 1, "conflicting_duplicate": 1})
    assert read_one(lake, "posts", "text") == [("a",)]


EVENTS = """
network = "x"
[accounts]
account = { column = "#author", prefix = "k-" }
[posts]
repeated = true
post = { column = "#post", prefix = "k-" }
account = { column = "#author", prefix = "k-" }
happened_at = { column = "posted", unit = "ms" }
[actions]
action = { join = ["#post", "#actor", "acted"], prefix = "k-" }
post = { column = "#post", prefix = "k-" }
account = { column = "#author", prefix = "k-" }
actor = { column = "#actor", prefix = "k-" }
kind = { column = "type", values = { RT = "reshare", RE = "reply" } }
happened_at = { column = "acted", unit = "s" }
known_at = { column = "known", unit = "us" }
"""
EVENT_ROWS = """#author\t#post\t#actor\tposted\tacted\tknown\ttype
-9\t1\t5\t1672531200002\t1672531260\t1672531260000000\tRT
-9\t1\t6\t1672531200000\t1672531270\t1672531290000000\tlike
-9\t2\t5\t1672531300000\t1672531260\t1672531260000000\tRE
-9\t2\t5\tnever\t1672531261\t1672531261000000\tpoke
"""


def test_an_event_log_gives_posts_once_at_their_earliest_and_every_action(lake: Lake, tmp_path: Path):
    receipt = ingest(lake, text_in(tmp_path, EVENT_ROWS, "log.tsv"), mapping(EVENTS), NOW)
    assert receipt.rows == {"accounts": 1, "posts": 2, "actions": 3}
    assert receipt.rejected == {"unknown_kind": 1, "unreadable_time": 1}
    assert read_one(lake, "posts", "post", "account", "happened_at", "text") == [
        ("x/k-1", "x/k--9", THEN, None),
        ("x/k-2", "x/k--9", THEN + timedelta(seconds=100), None),
    ]
    acted = lake.read("actions").row(1, named=True)
    assert (acted["action"], acted["actor"], acted["kind"]) == ("x/k-1:6:1672531270", "x/k-6", "like")
    assert acted["happened_at"] == THEN + timedelta(seconds=70)
    assert acted["known_at"] == THEN + timedelta(seconds=90)
    assert lake.read("actions")["kind"].to_list() == ["reshare", "like", "reply"]


def test_a_post_of_two_authors_is_a_conflict_even_in_an_event_log(lake: Lake, tmp_path: Path):
    rows = EVENT_ROWS.splitlines()
    receipt = ingest(
        lake, text_in(tmp_path, "\n".join([*rows[:2], rows[2].replace("-9", "-8")]), "log.tsv"), mapping(EVENTS), NOW
    )
    assert receipt.rejected == {"conflicting_duplicate": 1}
    assert read_one(lake, "posts", "account") == [("x/k--9",)]


def test_actions_may_be_on_an_account_as_a_whole(lake: Lake, tmp_path: Path):
    text = """
    network = "x"
    [actions]
    action = { join = ["a", "b", "t"] }
    account = "b"
    actor = "a"
    kind = { constant = "mention" }
    happened_at = "t"
    """
    ingest(lake, frame_in(tmp_path, {"a": [1], "b": [2], "t": [THEN]}), mapping(text), NOW)
    action = ("x/1:2:1672531200000000", None, "x/2", "x/1", "mention", THEN, THEN)
    assert lake.read("actions").rows() == [action]


def test_a_reading_may_have_a_constant_time_and_be_retrospective(lake: Lake, tmp_path: Path):
    text = """
    network = "x"
    [counts]
    post = "id"
    happened_at = { constant = 2023-05-01T02:00:00+02:00 }
    retrospective = true
    kinds = { like = "likes" }
    """
    ingest(lake, frame_in(tmp_path, {"id": ["1", "2"], "likes": [4, None]}), mapping(text), NOW)
    read_at = datetime(2023, 5, 1, tzinfo=UTC)
    assert lake.read("counts").rows() == [("x/1", "like", 4, read_at, read_at, True)]


def test_times_with_a_format_and_a_zone(lake: Lake, tmp_path: Path):
    text = POSTS.replace('"at"', '{ column = "at", format = "%d/%m/%Y %H:%M", zone = "Asia/Tokyo" }')
    ingest(lake, text_in(tmp_path, "id,who,at,text\n1,ann,01/01/2023 09:00,a\n"), mapping(text), NOW)
    assert read_one(lake, "posts", "happened_at") == [(THEN,)]


def test_numbers_without_a_unit_are_refused_before_anything_is_written(lake: Lake, tmp_path: Path):
    file = frame_in(tmp_path, {"id": ["1"], "who": ["ann"], "at": [1672531200], "text": ["a"]})
    with pytest.raises(MappingError, match=r"at holds numbers \(Int64\); .* add unit = \"s\", \"ms\" or \"us\""):
        ingest(lake, file, mapping(POSTS), NOW)
    assert not Path(lake.url).exists()


def test_a_wrong_unit_is_noticed(lake: Lake, tmp_path: Path):
    file = frame_in(tmp_path, {"id": ["1"], "who": ["ann"], "at": [1672531200], "text": ["a"]})
    receipt = ingest(lake, file, mapping(POSTS.replace('"at"', '{ column = "at", unit = "ms" }')), NOW)
    assert (receipt.rows, receipt.rejected) == ({}, {"too_early": 1})


def test_a_missing_column_is_refused_with_what_was_meant(lake: Lake, tmp_path: Path):
    file = text_in(tmp_path, "id,whom,at,txt\n1,ann,2023-01-01,a\n")
    absent = r"'who' for posts\.account \(did you mean whom\?\), 'text' for posts\.text \(did you mean txt\?\)"
    words = rf"table\.csv lacks columns that the mapping names: {absent}; it has at, id, txt, whom: mend"
    with pytest.raises(MappingError, match=words):
        ingest(lake, file, mapping(POSTS), NOW)
    assert not Path(lake.url).exists()


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ('drop_where = "gone"\n' + POSTS, "drop_where"),
        (POSTS + 'drop_where = "gone"', r"posts\.drop_where"),
        (POSTS + 'kind = { flags = { reply = "gone" } }', r"posts\.kind"),
        (POSTS + 'lang = { first_of = ["text", "gone"] }', r"posts\.lang"),
        (POSTS + '[counts]\npost = { join = ["id", "gone"] }\nhappened_at = "at"\nkinds = {}', r"counts\.post"),
        (POSTS + '[counts]\npost = "id"\nhappened_at = "at"\nkinds = { like = "gone" }', r"counts\.kinds\.like"),
        (POSTS.replace('"x"', '{ column = "gone" }'), "network"),
    ],
)
def test_every_column_of_a_mapping_is_looked_for(part: str, where: str, lake: Lake, tmp_path: Path):
    file = text_in(tmp_path, "id,who,at,text\n1,ann,2023-01-01,a\n")
    with pytest.raises(MappingError, match=rf"'gone' for {where}"):
        ingest(lake, file, mapping(part), NOW)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv.gz"])
def test_a_truncated_file_leaves_nothing(name: str, lake: Lake, tmp_path: Path):
    table = pl.DataFrame({"id": [str(n**3) for n in range(3000)], "who": "ann", "at": "2023-01-01", "text": "a"})
    file = tmp_path / name
    if name == "t.parquet":
        table.write_parquet(file)
    else:
        file.write_bytes(gzip.compress(table.write_csv().encode()))
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(CloutError, match="cannot read"):
        ingest(lake, file, mapping(POSTS), NOW)
    assert not Path(lake.url).exists()


def test_columns_named_like_our_own_do_not_confuse(lake: Lake, tmp_path: Path):
    rows = {
        "row": ["1", "2"],
        "reason": ["ann", "ann"],
        "sentence": ["a", "b"],
        "at": [THEN, None],
        "dropped": ["x", "x"],
    }
    text = """
    network = "x"
    [posts]
    post = "row"
    account = "reason"
    text = "sentence"
    happened_at = "at"
    """
    receipt = ingest(lake, frame_in(tmp_path, rows), mapping(text), NOW)
    assert (receipt.rows, receipt.rejected) == ({"posts": 1}, {"missing_time": 1})
    (reject,) = lake.rejects().collect().to_dicts()
    assert (reject["row"], json.loads(reject["raw"])["sentence"]) == (2, "b")


def test_missing_words_and_nan_stand_for_not_known(lake: Lake, tmp_path: Path):
    text = """
    network = "x"
    missing = ["NaN", "-"]
    [profiles]
    account = "who"
    happened_at = "at"
    followers = "followers"
    listed = "listed"
    """
    rows = {"who": ["ann", "-"], "at": [THEN, THEN], "followers": [float("nan"), 1.0], "listed": ["-", "2"]}
    receipt = ingest(lake, frame_in(tmp_path, rows), mapping(text), NOW)
    assert receipt.rejected == {"missing_id": 1}
    assert read_one(lake, "profiles", "account", "followers", "listed") == [("x/ann", None, None)]


def test_a_broken_snapshot_does_not_hide_a_good_one(lake: Lake, tmp_path: Path):
    text = 'network = "x"\n[profiles]\naccount = "who"\nhappened_at = "at"\nfollowers = "n"\nlisted = "m"'
    rows = {"who": ["ann"] * 4, "at": [THEN] * 4, "n": ["many", "5", "5", "6"], "m": [None, None, "2", None]}
    receipt = ingest(lake, frame_in(tmp_path, rows), mapping(text), NOW)
    assert receipt.rejected == {"wrong_type": 1, "conflicting_duplicate": 1}
    assert read_one(lake, "profiles", "followers", "listed") == [(5, 2)]


def test_ids_that_a_decimal_rounded_are_rejected(lake: Lake, tmp_path: Path):
    rows = {"id": [1.0, 727572093248884736.0], "who": ["ann"] * 2, "at": [THEN] * 2, "text": ["a"] * 2}
    receipt = ingest(lake, frame_in(tmp_path, rows), mapping(POSTS), NOW)
    assert receipt.rejected == {"wrong_type": 1}
    assert read_one(lake, "posts", "post") == [("x/1",)]


def test_progress_is_told_to_the_end(lake: Lake, tmp_path: Path):
    told: list[tuple[str, float]] = []
    ingest(lake, text_in(tmp_path, ROWS), mapping(EVERYTHING), NOW, lambda step, share: told.append((step, share)))
    steps = [step for step, _ in told]
    assert steps == ["reading table.csv", *(f"checking {t}" for t in ("accounts", "profiles", "posts", "counts")),
                     "writing to the lake", "done"]  # fmt: skip
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
