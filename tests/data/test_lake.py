"""A batch is in the lake whole or not at all, once, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from clout.data.lake import Lake, LakeError
from clout.data.tables import REJECTS, SCHEMAS
from clout.data.values import TIME

THEN = datetime(2023, 1, 1, tzinfo=UTC)
BATCH_OF = """
import os, signal, sys
from datetime import UTC, datetime
import polars as pl
from clout.data.tables import REJECTS, SCHEMAS

def batch(size):
    ids = pl.select(pl.format("x/{}", pl.int_range(size))).to_series()
    then = pl.lit(datetime(2023, 1, 1, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    accounts = pl.DataFrame({"account": ids}).select(
        "account", network=pl.lit("x"), handle=pl.col("account").hash().cast(pl.String), created_at=then)
    actions = pl.DataFrame({"action": ids}).select(
        "action", post=pl.lit(None, pl.String), account=pl.lit("x/ann"), actor=pl.col("action"), kind=pl.lit("like"),
        happened_at=then, known_at=then)
    return {"accounts": accounts, "actions": actions}

rejects = pl.DataFrame([("accounts", 1, "torn", "it is torn", "{}")], schema=REJECTS, orient="row")
"""


def posts(*ids: str, text: str | None = "hello") -> pl.DataFrame:
    """A post for each of `ids`."""
    count = len(ids)
    return pl.DataFrame(
        {
            "post": [f"x/{name}" for name in ids],
            "account": ["x/ann"] * count,
            "network": ["x"] * count,
            "happened_at": [THEN] * count,
            "known_at": [THEN] * count,
            "text": [text] * count,
            "lang": [None] * count,
            "kind": ["original"] * count,
            **{name: [None] * count for name in ("n_media", "n_urls", "n_hashtags", "n_mentions")},
        },
        schema=SCHEMAS["posts"],
    )


def counts(*ids: str) -> pl.DataFrame:
    """A count for each post of `ids`."""
    return posts(*ids).select(
        "post", kind=pl.lit("like"), count=pl.lit(5, pl.Int64), happened_at="happened_at", known_at="known_at",
        retrospective=pl.lit(value=False),
    )  # fmt: skip


def torn(row: int) -> pl.DataFrame:
    """A reject."""
    return pl.DataFrame([("posts", row, "torn", "it is torn", "{}")], schema=REJECTS, orient="row")


def files(lake: Path) -> set[str]:
    """The files of a lake, but for its lock."""
    return {str(path.relative_to(lake)) for path in lake.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture(params=["local", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake, on a disk or behind a URL."""
    return Lake(tmp_path / "lake" if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def test_an_empty_lake_is_typed(lake: Lake):
    assert lake.is_empty()
    assert lake.receipts() == []
    for table, schema in SCHEMAS.items():
        assert lake.read(table).schema == schema
        assert lake.scan(table).collect_schema() == schema
    assert lake.rejects().collect().schema == REJECTS


def test_what_is_appended_is_read_back(lake: Lake):
    receipt = lake.append({"posts": posts("1", "2"), "counts": counts("1")}, source="a.csv", note="so", rejects=torn(3))
    assert (receipt.rows, receipt.rejected, receipt.number) == ({"posts": 2, "counts": 1}, {"torn": 1}, 1)
    assert (receipt.source, receipt.note, receipt.already_there) == ("a.csv", "so", {})
    assert lake.receipts() == [receipt]
    assert lake.read("posts").equals(posts("1", "2"))
    assert lake.scan("counts").filter(pl.col("count") > 4).collect().equals(counts("1"))
    assert lake.rejects().collect().equals(torn(3))
    assert not lake.is_empty()


def test_the_same_batch_again_changes_nothing(lake: Lake):
    batch = {"posts": posts("1", "2"), "counts": counts("1")}
    first = lake.append(batch, source="a.csv", rejects=torn(3))
    before = lake.fingerprint()
    again = lake.append({"counts": counts("1"), "posts": posts("2", "1")}, source="a copy.csv", rejects=torn(3))
    assert (again.rows, again.already_there, again.number) == ({}, {"posts": 2, "counts": 1}, 0)
    assert again.rejected == {"torn": 1}
    assert lake.receipts() == [first]
    assert lake.rejects().collect().height == 1
    assert lake.fingerprint() == before


def test_rows_that_are_there_are_not_taken_twice(lake: Lake):
    lake.append({"posts": posts("1", "2")}, source="a.csv")
    receipt = lake.append({"posts": posts("2", "3")}, source="b.csv")
    assert (receipt.rows, receipt.already_there, receipt.rejected) == ({"posts": 1}, {"posts": 1}, {})
    assert lake.read("posts")["post"].to_list() == ["x/1", "x/2", "x/3"]
    nothing = lake.append({"posts": posts("3", "1")}, source="c.csv")
    assert (nothing.rows, nothing.already_there, nothing.number) == ({}, {"posts": 2}, 0)
    assert len(lake.receipts()) == 2


def test_another_content_under_a_key_is_rejected_with_its_row(lake: Lake):
    lake.append({"posts": posts("1", text=None)}, source="a.csv")
    numbered = posts("1", "2", text="other").with_columns(row=pl.Series([7, 8]))
    receipt = lake.append({"posts": numbered}, source="b.csv")
    assert (receipt.rows, receipt.rejected) == ({"posts": 1}, {"conflicting_duplicate": 1})
    assert lake.read("posts")["text"].to_list() == [None, "other"]
    (reject,) = lake.rejects().collect().to_dicts()
    assert (reject["table"], reject["row"], reject["reason"]) == ("posts", 7, "conflicting_duplicate")
    assert '"text":"other"' in reject["raw"]
    again = lake.append({"posts": numbered}, source="b.csv")
    assert again.number == 0
    assert lake.rejects().collect().height == 1


def test_rejects_alone_are_kept(lake: Lake):
    receipt = lake.append({"posts": posts()}, source="bad.csv", rejects=torn(1))
    assert (receipt.rows, receipt.rejected) == ({}, {"torn": 1})
    assert lake.is_empty()
    assert lake.rejects().collect().height == 1


def test_the_fingerprint_is_of_the_rows_alone(tmp_path: Path):
    one, two, three = (Lake(tmp_path / name) for name in "abc")
    one.append({"posts": posts("1", "2", "3"), "counts": counts("1")}, source="a.csv", note="so")
    two.append({"posts": posts("3")}, source="b.csv", rejects=torn(9))
    two.append({"posts": posts("2", "1"), "counts": counts("1")}, source="c.csv")
    three.append({"posts": posts("1", "2", "3"), "counts": counts("2")}, source="a.csv")
    assert one.fingerprint() == two.fingerprint() == one.fingerprint() != three.fingerprint()
    assert Lake(tmp_path / "d").fingerprint() != one.fingerprint()


def test_a_frame_that_was_not_validated_is_refused(lake: Lake):
    with pytest.raises(LakeError, match=r"pass it through clout.data.tables.validate"):
        lake.append({"posts": posts("1", "1")}, source="a.csv")
    with pytest.raises(LakeError, match=r"missing values or two rows of one post; expected neither"):
        lake.append({"posts": posts("1").with_columns(kind=pl.lit(None, pl.String))}, source="a.csv")
    with pytest.raises(LakeError, match=r"got posts as .*; expected"):
        lake.append({"posts": posts("1").drop("text")}, source="a.csv")
    with pytest.raises(LakeError, match=r"got posts as .*; expected"):
        lake.append({"posts": posts("1").with_columns(n_urls=pl.lit(1.0))}, source="a.csv")
    with pytest.raises(LakeError, match="got the table 'postings'; expected one of accounts, profiles"):
        lake.append({"postings": posts("1")}, source="a.csv")
    with pytest.raises(LakeError, match="got the table 'postings'"):
        lake.read("postings")
    assert lake.receipts() == []


def test_columns_may_come_in_any_order(lake: Lake):
    lake.append({"posts": posts("1").select(sorted(SCHEMAS["posts"]))}, source="a.csv")
    assert lake.read("posts").equals(posts("1"))


def test_an_unknown_url_is_told():
    with pytest.raises(LakeError, match=r"cannot open the lake nowhere://x \(Protocol not known: nowhere\)"):
        Lake("nowhere://x")


def test_a_lake_is_read_back_through_another_object(lake: Lake):
    lake.append({"posts": posts("1")}, source="a.csv")
    assert Lake(lake.url).read("posts").equals(posts("1"))
    assert lake.path("posts", "abc").endswith("/posts/abc.parquet")
    assert lake.path("posts", "abc").startswith("memory://" if "memory" in lake.url else "/")


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Lake, Path]:
    """A lake on a disk with one batch, and the file with its posts."""
    lake = Lake(tmp_path)
    receipt = lake.append({"posts": posts(*map(str, range(100))), "counts": counts("1")}, source="a.csv")
    return lake, Path(lake.path("posts", receipt.batch))


def test_a_truncated_file_is_named_with_what_to_do(stored: tuple[Lake, Path]):
    lake, file = stored
    file.write_bytes(file.read_bytes()[:-100])
    for read in (lake.read, lake.scan):
        with pytest.raises(LakeError, match=rf"{file} has [\d,]+ bytes and not the .* put back a copy of it, or"):
            read("posts")
    assert lake.read("counts").height == 1
    with pytest.raises(LakeError, match=f"{file} has"):
        lake.append({"posts": posts("new")}, source="b.csv")


def test_a_file_that_is_gone_is_named(stored: tuple[Lake, Path]):
    lake, file = stored
    file.unlink()
    with pytest.raises(LakeError, match=f"{file} is missing"):
        lake.read("posts")


@pytest.mark.parametrize("place", [0, 200, -10])
def test_a_file_with_other_bytes_is_named(stored: tuple[Lake, Path], place: int):
    lake, file = stored
    content = bytearray(file.read_bytes())
    start = place % len(content)
    content[start : start + 8] = b"\xff" * len(content[start : start + 8])
    file.write_bytes(content)
    with pytest.raises(LakeError, match=f"{file} is damaged"):
        lake.read("posts")


def test_deleting_the_receipt_mends_the_lake(stored: tuple[Lake, Path]):
    lake, file = stored
    file.unlink()
    (file.parents[1] / "receipts" / f"{file.stem}.json").unlink()
    assert lake.is_empty()
    lake.append({"posts": posts("1")}, source="a.csv")
    assert lake.read("posts").height == 1


def test_a_torn_receipt_is_named(stored: tuple[Lake, Path]):
    lake, file = stored
    receipt = file.parents[1] / "receipts" / f"{file.stem}.json"
    receipt.write_bytes(receipt.read_bytes()[:50])
    with pytest.raises(LakeError, match=f"{receipt} is not a receipt"):
        lake.read("posts")


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A Python process that ran `code`, after `BATCH_OF`, to its end."""
    command = [sys.executable, "-c", BATCH_OF + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


KILLED = """
from clout.data.lake import Lake
lake, event, ending = Lake(sys.argv[1]), sys.argv[2], sys.argv[3]

def die(name, arguments):
    if name == event and str(arguments[0]).endswith(ending) and sys.argv[1] in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
lake.append(batch(1000), source="a.csv", rejects=rejects)
"""


@pytest.mark.parametrize(
    ("event", "ending", "left"),
    [
        ("open", "accounts/{batch}.parquet", 0),
        ("open", "actions/{batch}.parquet", 1),
        ("open", "rejects/{batch}.parquet", 2),
        ("open", ".json.partial", 3),
        ("os.rename", ".json.partial", 4),
    ],
)
def test_a_process_killed_at_any_step_leaves_no_half_batch(event: str, ending: str, left: int, tmp_path: Path):
    other = Lake(tmp_path / "other")
    namespace: dict[str, object] = {}
    exec(BATCH_OF, namespace)  # noqa: S102 (the same rows as the other process)
    batch, rejects = namespace["batch"](1000), namespace["rejects"]  # type: ignore[operator]
    name = other.append(batch, source="a.csv", rejects=rejects).batch

    folder = tmp_path / "lake"
    lake = Lake(folder)
    lake.append({"posts": posts("1")}, source="before.csv")
    before = files(folder)
    assert run(KILLED, folder, event, ending.format(batch=name)).returncode == -signal.SIGKILL
    assert len(files(folder) - before) == left
    assert len(lake.receipts()) == 1
    assert lake.read("accounts").is_empty()
    assert lake.rejects().collect().is_empty()

    lake.append({"posts": posts("2")}, source="after.csv")
    assert not any(name in file for file in files(folder)), "what the dead process left is swept away"
    assert lake.append(batch, source="a.csv", rejects=rejects).rows == {"accounts": 1000, "actions": 1000}
    assert lake.read("actions").equals(batch["actions"])


FULL = """
from clout.data.lake import Lake, LakeError
if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    Lake(sys.argv[1]).append(batch(200_000), source="a.csv", rejects=rejects)
except LakeError as error:
    sys.exit(f"told: {error}")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with room for one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"may not mount a small disk to fill: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_the_lake_as_it_was(small_disk: Path):
    lake = Lake(small_disk)
    lake.append({"posts": posts("1")}, source="before.csv")
    before = files(small_disk)
    done = run(FULL, small_disk)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "nothing of a.csv was kept: make room or allow writing there, then run this again" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(small_disk) == before
    lake.append({"posts": posts("2")}, source="after.csv")
    assert lake.read("posts").height == 2


def test_a_file_that_may_not_grow_leaves_the_lake_as_it_was(tmp_path: Path):
    done = run(FULL, tmp_path, 100_000)
    assert done.returncode == 1
    assert "could not write to the lake" in done.stderr
    assert "File too large" in done.stderr
    assert files(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeError, match=r"cannot write to the lake .*expected a folder to write in"):
        Lake(tmp_path / "file" / "lake").append({"posts": posts("1")}, source="a.csv")


def test_writers_at_the_same_time_take_turns(tmp_path: Path):
    overlapping = [posts(*map(str, range(start, start + 30))) for start in range(0, 80, 10)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda rows: Lake(tmp_path).append({"posts": rows}, source="a.csv"), overlapping))
    lake = Lake(tmp_path)
    assert sorted(lake.read("posts")["post"]) == sorted(f"x/{number}" for number in range(100))
    assert sum(receipt.rows.get("posts", 0) for receipt in receipts) == 100
    numbers = [receipt.number for receipt in lake.receipts()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_reader_never_sees_half_a_batch(tmp_path: Path):
    writing = """
from clout.data.lake import Lake
for size in (1000, 2000, 3000, 4000, 5000):
    Lake(sys.argv[1]).append(batch(size), source=f"{size}.csv")
"""
    lake, process = Lake(tmp_path), subprocess.Popen([sys.executable, "-c", BATCH_OF + writing, tmp_path])
    seen = set()
    while process.poll() is None:
        receipts = lake.receipts()
        for receipt in receipts:
            assert receipt.rows.keys() == {"accounts", "actions"}
        seen.add(sum(receipt.rows["accounts"] for receipt in receipts))
        assert lake.read("actions").height >= max(seen)
    assert process.returncode == 0
    assert seen <= {0, 1000, 2000, 3000, 4000, 5000}
    assert lake.read("accounts").height == lake.read("actions").height == 5000


def test_times_keep_their_microseconds(lake: Lake):
    odd = THEN + timedelta(microseconds=123_457)
    lake.append(
        {"counts": counts("1").with_columns(happened_at=pl.lit(odd, TIME), known_at=pl.lit(odd, TIME))}, source="a"
    )
    assert lake.read("counts")["happened_at"].to_list() == [odd]


def test_the_lock_is_not_left_behind_by_an_error(tmp_path: Path):
    lake = Lake(tmp_path)
    os.mkfifo(tmp_path / "posts")
    with pytest.raises(LakeError, match="could not write"):
        lake.append({"posts": posts("1")}, source="a.csv")
    (tmp_path / "posts").unlink()
    assert lake.append({"posts": posts("1")}, source="a.csv").rows == {"posts": 1}
