"""What is erased is gone from every table and every file, stays out, and is erased whole whatever happens on the way."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from clout.data.digest import digest
from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake, LakeError
from clout.data.tables import REJECTS, SCHEMAS
from clout.data.tombstones import hashed

THEN = datetime(2023, 1, 1, tzinfo=UTC)
DAY = date(2024, 2, 3)
AT = {"happened_at": THEN, "known_at": THEN}
PAGE = {"page": "en.wikipedia.org/wiki/Somebody", "kind": "view", "count": 3}
ANN, BOB, CID = "x/ann-7", "x/bob-8", "x/cid-9"


def table(name: str, *rows: dict[str, object]) -> pl.DataFrame:
    """The rows as a table of the lake."""
    return pl.DataFrame(list(rows), schema=SCHEMAS[name])


def account(name: str) -> dict[str, object]:
    """A row of accounts; its handle is in capitals."""
    return {"account": name, "network": "x", "handle": name[2:5].upper()}


def post(name: str, author: str) -> dict[str, object]:
    """A row of posts."""
    return {"post": name, "account": author, "network": "x", "kind": "original", "text": "hello", **AT}


def action(name: str, on: str | None, target: str, actor: str) -> dict[str, object]:
    """A row of actions."""
    return {"action": name, "post": on, "account": target, "actor": actor, "kind": "like", **AT}


def count(on: str) -> dict[str, object]:
    """A row of counts."""
    return {"post": on, "kind": "like", "count": 3, "retrospective": False, **AT}


def first() -> dict[str, pl.DataFrame]:
    """Accounts, their posts, and what they did to one another."""
    posts = (post("x/p1", ANN), post("x/p2", ANN), post("x/p3", BOB))
    actions = (
        action("x/a1", "x/p1", ANN, BOB),
        action("x/a2", "x/p3", BOB, ANN),
        action("x/a3", "x/p3", BOB, CID),
        action("x/a4", None, ANN, CID),
        action("x/a5", None, BOB, CID),
    )
    return {
        "accounts": table("accounts", *map(account, (ANN, BOB, CID))),
        "profiles": table("profiles", {"account": ANN, **AT}, {"account": BOB, **AT}),
        "posts": table("posts", *posts),
        "actions": table("actions", *actions),
        "identities": table("identities", {"person": "p", "account": ANN, **AT}, {"person": "p", "account": BOB, **AT}),
        "standings": table("standings", *({"account": who, **PAGE, **AT} for who in (ANN, BOB))),
        "removals": table("removals", *({"removed": f"x/{of[-3:]}", "account": of, **AT} for of in (ANN, BOB))),
    }


def second() -> dict[str, pl.DataFrame]:
    """What came later: counts of posts of the batch before, and one more post."""
    return {"counts": table("counts", *map(count, ("x/p1", "x/p3"))), "posts": table("posts", post("x/p4", BOB))}


RAW = ({"user": "ann-7", "n": 1}, {"by": 7.0, "at": "noon"}, {"name": "@Ann"}, {"of": "x/p2"}, {"user": "bob-8"})


def rejects() -> pl.DataFrame:
    """Rejected rows; all but the last name ANN, her handle, the end of her id or her post."""
    rows = [("posts", number, "torn", "it is torn", json.dumps(raw)) for number, raw in enumerate(RAW, 1)]
    return pl.DataFrame(rows, schema=REJECTS, orient="row")


def fill(lake: Lake) -> Lake:
    """The lake, with both batches and a third that has nothing of ANN."""
    lake.append(first(), source="a.csv", note="so", rejects=rejects())
    lake.append(second(), source="b.csv")
    lake.append({"posts": table("posts", post("x/p5", CID))}, source="c.csv")
    return lake


@pytest.fixture(params=["local", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A filled lake, on a disk or behind a URL."""
    return fill(Lake(tmp_path / "lake" if request.param == "local" else f"memory://{uuid.uuid4().hex}"))


def holds_nothing_of_ann(lake: Lake) -> None:
    """Nothing, when no table and no reject of the lake has a row of ANN, while every row of others is there."""
    assert lake.read("accounts")["account"].to_list() == [BOB, CID]
    assert lake.read("profiles")["account"].to_list() == [BOB]
    assert lake.read("posts")["post"].to_list() == ["x/p3", "x/p4", "x/p5"]
    assert lake.read("actions")["action"].to_list() == ["x/a3", "x/a5"]
    assert lake.read("counts")["post"].to_list() == ["x/p3"]
    assert lake.read("identities")["account"].to_list() == [BOB]
    assert lake.read("standings")["account"].to_list() == [BOB]
    assert lake.read("removals")["account"].to_list() == [BOB]
    assert [json.loads(raw) for raw in lake.rejects().collect()["raw"]] == [RAW[-1]]


def test_every_row_of_an_account_is_erased_and_none_of_others(lake: Lake):
    erased = erase(lake, [ANN], ASKED, DAY)
    told = {
        "accounts": 1,
        "profiles": 1,
        "posts": 2,
        "actions": 3,
        "counts": 1,
        "identities": 1,
        "standings": 1,
        "removals": 1,
    }
    assert erased == {**told, "rejects": 4}
    holds_nothing_of_ann(lake)
    assert erase(lake, [ANN], ASKED, DAY) == {}


def test_receipts_tell_what_is_there_now(lake: Lake):
    before = lake.receipts()
    erase(lake, [ANN], ASKED, DAY)
    after = lake.receipts()
    assert [(r.batch, r.number, r.source, r.note) for r in after] == [
        (r.batch, r.number, r.source, r.note) for r in before
    ]
    assert after[2] == before[2], "a batch without a row of hers is as it was"
    left = {"accounts": 2, "profiles": 1, "posts": 1, "actions": 2, "identities": 1, "standings": 1, "removals": 1}
    assert after[0].rows == left
    assert after[0].rejected == {"torn": 1}
    assert after[0].erased == {
        "accounts": 1, "profiles": 1, "posts": 2, "actions": 3, "identities": 1, "standings": 1, "removals": 1, "rejects": 4,
    }  # fmt: skip
    assert after[1].erased == {"counts": 1}
    for receipt in after:
        for name, told in receipt.digests.items():
            content = pl.read_parquet(lake.shelf.content(lake.path(name, receipt.stem)))
            assert told == digest(content)
            assert receipt.rows[name] == content.height
            assert receipt.bytes[name] == lake.shelf.size(lake.path(name, receipt.stem))


def test_no_file_is_left_that_holds_the_account(tmp_path: Path):
    lake = fill(Lake(tmp_path))
    old = {file for file in tmp_path.rglob("*") if file.is_file()}
    erase(lake, [ANN], ASKED, DAY)
    batches = {receipt.stem for receipt in lake.receipts()}
    files = {file for file in tmp_path.rglob("*") if file.is_file() and file.name != ".lock"}
    assert {file.stem for file in files if file.parent.name != "tombstones"} == batches
    assert len(old - files) > 6, "the files of two batches and their receipts are deleted"
    for file in files:
        told = str(pl.read_parquet(file).rows()) if file.suffix == ".parquet" else file.read_text()
        assert "ann" not in told.lower()
        assert "x/p1" not in told


def test_the_same_file_again_is_no_news_and_brings_nothing_back(lake: Lake):
    erase(lake, [ANN], ASKED, DAY)
    state, batches = lake.fingerprint(), lake.batches()
    again = lake.append(first(), source="a.csv", note="so", rejects=rejects())
    assert (again.number, again.rows) == (0, {})
    there = {"accounts": 2, "profiles": 1, "posts": 1, "actions": 2, "identities": 1, "standings": 1, "removals": 1}
    assert again.already_there == there
    assert lake.append(second(), source="b.csv").rows == {}
    assert (lake.fingerprint(), lake.batches()) == (state, batches)
    holds_nothing_of_ann(lake)


def test_rows_in_later_files_are_rejected_without_what_they_said(lake: Lake):
    erase(lake, [ANN], ASKED, DAY)
    later = {
        "posts": table("posts", post("x/p9", ANN), post("x/p10", BOB)).with_columns(row=pl.Series([4, 5])),
        "counts": table("counts", count("x/p9"), count("x/p2"), count("x/p4")),
        "actions": table("actions", action("x/a9", "x/p10", BOB, ANN), action("x/a10", "x/p9", BOB, CID)),
    }
    torn = pl.DataFrame([("counts", 3, "torn", "it is torn", '{"id":"p2"}')], schema=REJECTS, orient="row")
    receipt = lake.append(later, source="d.csv", rejects=torn)
    assert receipt.rows == {"posts": 1, "counts": 1}
    assert receipt.rejected == {"forgotten": 5, "torn": 1}
    kept = lake.rejects().collect().filter(pl.col("reason") != "torn")
    assert set(kept["raw"]) == {""}
    assert kept.filter(table="posts")["row"].to_list() == [4]
    assert lake.rejects().collect().filter(table="counts", reason="torn")["raw"].to_list() == [""]
    much_later = lake.append({"counts": table("counts", count("x/p9") | {"count": 4})}, source="e.csv")
    assert much_later.rejected == {"forgotten": 1}, "her new post was remembered too"
    assert lake.append(later, source="d.csv", rejects=torn).number == 0


def test_an_account_that_is_not_there_yet_is_kept_out(lake: Lake):
    assert erase(lake, ["x/dan"], ASKED, DAY) == {}
    assert lake.append({"accounts": table("accounts", account("x/dan"))}, source="d.csv").rejected == {"forgotten": 1}


def test_a_tombstone_is_a_keyed_hash_the_reason_and_the_day(tmp_path: Path):
    lake = fill(Lake(tmp_path))
    erase(lake, [ANN], ASKED, DAY)
    (file,) = (tmp_path / "tombstones").iterdir()
    told = json.loads(file.read_text())
    assert (told["reason"], told["day"]) == ("asked", "2024-02-03")
    assert told["accounts"] == hashed(told["salt"], [ANN])
    assert len(told["salt"]) == 64
    assert ANN not in file.read_text()
    erase(lake, [BOB], ASKED, DAY)
    assert len({json.loads(file.read_text())["salt"] for file in (tmp_path / "tombstones").iterdir()}) == 1
    other = fill(Lake(tmp_path / "other"))
    erase(other, [ANN], ASKED, DAY)
    assert other.tombstones().accounts != lake.tombstones().accounts


def test_a_state_with_erased_rows_cannot_be_had_and_says_why(lake: Lake):
    states = [state for _, state in lake.states()]
    batches = lake.batches()
    erase(lake, [ANN], ASKED, DAY)
    assert lake.fingerprint() not in states
    assert lake.batches() != batches
    for state in states[1:]:
        with pytest.raises(LakeError, match=r"until an account was erased from it on 2024-02-03; .* train again"):
            lake.as_of(state)
    assert lake.as_of(states[0]).is_empty()
    with pytest.raises(LakeError, match="never had the fingerprint"):
        lake.as_of("0" * 64)
    now = lake.fingerprint()
    lake.append({"posts": table("posts", post("x/p6", BOB))}, source="f.csv")
    assert lake.as_of(now).read("posts")["post"].to_list() == ["x/p3", "x/p4", "x/p5"]


def test_a_state_has_the_tombstones_it_had(lake: Lake):
    before = lake.fingerprint()
    erase(lake, ["x/nobody"], ASKED, DAY)
    assert lake.fingerprint() != before
    assert len(lake.as_of(before).tombstones()) == 0
    assert len(lake.as_of(lake.fingerprint()).tombstones()) == 1
    with pytest.raises(LakeError, match="expected the lake as it is"):
        erase(lake.as_of(before), [ANN], ASKED, DAY)


def test_another_persons_claim_on_an_account_is_refused(lake: Lake):
    claim = table("identities", {"person": "q", "account": ANN, **AT}, {"person": "q", "account": CID, **AT})
    receipt = lake.append({"identities": claim}, source="d.csv")
    assert (receipt.rows, receipt.rejected) == ({"identities": 1}, {"two_persons": 1})
    assert lake.append({"identities": claim}, source="d.csv").number == 0


class DiedError(BaseException):
    """The process is gone: nothing catches this."""


@dataclass
class Death:
    """Comes at a file operation in `folder`, the `place`-th from now on; None where nobody dies."""

    folder: str = ""
    place: int | None = None

    def __call__(self, name: str, arguments: tuple[object, ...]) -> None:
        """Nothing, or the end; an audit hook."""
        if self.place is None or not (name in {"os.rename", "os.remove"} or (name == "open" and arguments[1] == "w")):
            return
        if str(arguments[0]).startswith(self.folder):
            self.place -= 1
            if self.place == 0:
                self.place = None
                raise DiedError


@pytest.fixture(scope="module")
def death() -> Death:
    """A death that can be sent; hooks stay for the life of a process, so there is one for all tests."""
    hook = Death()
    sys.addaudithook(hook)
    return hook


def erase_dying(folder: Path, place: int, death: Death) -> bool:
    """Whether erasing ANN from the lake came to its end before the file operation `place`."""
    death.folder, death.place = str(folder), place
    try:
        erase(Lake(folder), [ANN], ASKED, DAY)
    except DiedError:
        return False
    finally:
        death.place = None
    return True


def finished(folder: Path) -> None:
    """Nothing, when the lake was readable, takes rows, and another call erases what is left of ANN."""
    lake = Lake(folder)
    assert all(lake.read(name).height <= 5 for name in SCHEMAS), "half erased, and readable, no row twice"
    assert len(lake.receipts()) == 3
    lake.append(second(), source="b.csv")
    erase(lake, [ANN], ASKED, DAY)
    holds_nothing_of_ann(lake)
    files = {file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"}
    stems = {receipt.stem for receipt in lake.receipts()}
    assert {file.stem for file in files if file.parent.name != "tombstones"} == stems
    assert len(lake.tombstones()) == 1


def test_ended_at_any_file_operation_it_is_finished_by_another_call(death: Death, tmp_path: Path):
    fill(Lake(tmp_path / "lake"))
    for place in range(1, 60):
        folder = tmp_path / f"{place:02}"
        shutil.copytree(tmp_path / "lake", folder)
        if erase_dying(folder, place, death):
            break
        finished(folder)
    assert place == 29, "it was ended at every one of its file operations"


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_erasure as t

def die(name, arguments):
    if name == "os.rename" and sys.argv[3] in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
t.erase(t.Lake(sys.argv[2]), [t.ANN], t.ASKED, t.DAY)
"""


@pytest.mark.parametrize("step", ["tombstones", "receipts"])
def test_killed_it_is_finished_by_another_call(step: str, tmp_path: Path):
    fill(Lake(tmp_path))
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path), step]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    finished(tmp_path)


def test_a_disk_without_room_is_told_and_the_same_call_finishes_it(tmp_path: Path):
    lake = fill(Lake(tmp_path))
    (tmp_path / "tombstones").write_text("in the way")
    with pytest.raises(
        LakeError, match=r"so not everything was erased; .* forget the account again, which finishes it"
    ):
        erase(lake, [ANN], ASKED, DAY)
    assert lake.read("accounts").height == 3
    (tmp_path / "tombstones").unlink()
    erase(lake, [ANN], ASKED, DAY)
    holds_nothing_of_ann(lake)
