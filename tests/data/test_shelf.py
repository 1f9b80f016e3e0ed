"""An append reads no more of what is there than it needs, and is as right as one that reads all."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake, LakeError
from clout.data.receipt import Receipt

ROWS = """
from datetime import UTC, datetime
import polars as pl
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS

def accounts(*names):
    rows = {"account": [f"x/{name}" for name in names], "network": "x", "handle": None,
            "created_at": datetime(2023, 1, 1, tzinfo=UTC)}
    return {"accounts": pl.DataFrame(rows, schema=SCHEMAS["accounts"])}
"""
OPENED = """
import sys
from collections import Counter
opened = Counter()
sys.addaudithook(lambda event, told: event == "open" and opened.update([str(told[0]).rsplit("/", 1)[-1]]))
lake = Lake(sys.argv[1])
names = [lake.append(accounts(name), source="a.csv").batch for name in "abcd"]
assert Lake(sys.argv[1]).receipts() == lake.receipts()
print([opened[f"{name}.json"] for name in names])
"""


def accounts(*names: str) -> dict[str, pl.DataFrame]:
    """A row of accounts for each of `names`."""
    namespace: dict[str, object] = {}
    exec(ROWS, namespace)  # noqa: S102 (the same rows as the other process)
    made: dict[str, pl.DataFrame] = namespace["accounts"](*names)  # type: ignore[operator]
    return made


def file_of(receipt: Receipt, lake: Lake) -> Path:
    """Where the rows of a batch are."""
    return Path(lake.path("accounts", receipt.stem))


def test_each_receipt_is_read_once(tmp_path: Path) -> None:
    """By one lake that is appended to four times, and by another that is opened then."""
    command = [sys.executable, "-c", ROWS + OPENED, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.stdout.strip(), ended.stderr) == ("[2, 2, 2, 2]", "")


def test_a_receipt_that_is_another_is_read_anew(tmp_path: Path) -> None:
    lake, other = Lake(tmp_path), Lake(tmp_path)
    first = lake.append(accounts("a"), source="a.csv")
    lake.append(accounts("m", "n"), source="m.csv")
    assert [receipt.source for receipt in lake.receipts()] == ["a.csv", "m.csv"]

    (tmp_path / "receipts" / f"{first.batch}.json").unlink()
    assert other.append(accounts("a"), source="again.csv").batch == first.batch
    assert [receipt.source for receipt in lake.receipts()] == ["m.csv", "again.csv"]

    erase(other, ["x/m"], ASKED, date(2024, 2, 3))
    assert [receipt.edition for receipt in lake.receipts()] == [1, 0]
    assert lake.receipts()[0].ends == {"accounts": ("x/n", "x/n")}
    assert lake.append(accounts("m", "n"), source="m.csv").already_there == {"accounts": 1}


def test_a_receipt_that_is_replaced_while_others_are_read_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had seen its name finds it gone, and looks again."""
    lake = Lake(tmp_path)
    lake.append(accounts("a", "b"), source="a.csv")
    lake.append(accounts("m"), source="m.csv")
    look, erased = lake.shelf.names, list[str]()

    def names(folder: str) -> list[str]:
        found = look(folder)
        if not erased:
            erased.append("x/a")
            erase(Lake(tmp_path), erased, ASKED, date(2024, 2, 3))
        return found

    monkeypatch.setattr(lake.shelf, "names", names)
    assert [receipt.edition for receipt in lake.receipts()] == [1, 0]


def test_only_files_that_may_hold_a_key_are_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    damaged = file_of(lake.append(accounts("d", "f"), source="d.csv"), lake)
    damaged.write_bytes(b"?" * damaged.stat().st_size)
    for apart in ("c", "g"):
        assert lake.append(accounts(apart), source="apart.csv").rows == {"accounts": 1}
    for near in (["d"], ["e"], ["f"], ["a", "z"]):
        with pytest.raises(LakeError, match="is damaged"):
            lake.append(accounts(*near), source="near.csv")


def test_a_file_that_is_gone_is_told_wherever_its_keys_are(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    file_of(lake.append(accounts("d"), source="d.csv"), lake).unlink()
    with pytest.raises(LakeError, match="is missing"):
        lake.append(accounts("z"), source="z.csv")


def test_a_lake_whose_receipts_do_not_say_where_keys_are_is_read_whole(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = lake.append(accounts("d"), source="d.csv")
    old = first.model_dump_json(exclude={"ends"})
    (tmp_path / "receipts" / f"{first.batch}.json").write_text(old, encoding="utf-8")
    assert lake.append(accounts("d", "e"), source="e.csv").already_there == {"accounts": 1}


@given(st.lists(st.sets(st.text("aé好\x00~", min_size=1, max_size=2), min_size=1, max_size=4), max_size=6))
@settings(max_examples=15, deadline=None)
def test_no_key_is_taken_twice(batches: list[set[str]]) -> None:
    with TemporaryDirectory() as folder:
        lake, seen = Lake(folder), set[str]()
        for number, names in enumerate(batches):
            receipt = lake.append(accounts(*sorted(names)), source=f"{number}.csv")
            assert receipt.rows.get("accounts", 0) == len(names - seen)
            assert receipt.already_there.get("accounts", 0) == len(names & seen)
            seen |= names
        assert sorted(lake.read("accounts")["account"]) == sorted(f"x/{name}" for name in seen)
