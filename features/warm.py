"""What was measured of a lake, kept in the home: the next start reads it instead of measuring everything again.

It holds nothing that the lake does not, and serves only the very lake, horizon, action values and code it was made of.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

import clout.data
import clout.features
from clout.data.ties import Ties
from clout.data.windows import Stream
from clout.features.compute import Streams
from clout.features.heard import Heard

FOLDER, TOLD = "warm", "told.json"
# Each process that starts at the same time may come in between once.
TRIES = 8
FRAMES = ("handles", "identities", "ties", "names", "outcomes")
log = logging.getLogger(__name__)


def key_of(batches: frozenset[str], horizon: timedelta, action_values: Mapping[str, float]) -> str:
    """What names all that a history is measured from: the lake's batches, the settings, and our own code."""
    facts = [sorted(batches), horizon.total_seconds(), sorted(action_values.items()), code()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def code() -> str:
    """The sha256 of polars' version and all modules by which a history is read and measured."""
    whole = hashlib.sha256(pl.__version__.encode())
    for package in (clout.data, clout.features):
        for file in sorted(Path(package.__path__[0]).rglob("*.py")):
            whole.update(file.read_bytes())
    return whole.hexdigest()


def read(home: Path, key: str) -> Heard | None:
    """What was kept under `key`; None where that is nothing, or cannot be read."""
    folder = home / FOLDER
    try:
        told = (folder / TOLD).read_text()
        if json.loads(told)["key"] != key:
            return None
        heard = _heard(folder, json.loads(told))
        return heard if (folder / TOLD).read_text() == told else None
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever is wrong with it, the lake has it all
        log.warning("what was kept in %s cannot be read, the lake is measured again: %r", folder, error)
        return None


def _heard(folder: Path, told: Mapping[str, Any]) -> Heard:
    frames = {name: pl.read_ipc(folder / f"{name}.arrow") for name in FRAMES}
    streams = {
        name: Stream(tuple(one["key"]), pl.read_ipc(folder / one["file"]), tuple(one["totals"]), tuple(one["lasts"]))
        for name, one in told["streams"].items()
    }
    return Heard(
        Streams(streams, frozenset(told["logged"])),
        {network: datetime.fromisoformat(moment) for network, moment in told["through"].items()},
        frames["handles"],
        frames["identities"],
        Ties(frames["names"]["name"].to_list(), frames["ties"]),
        told["example"],
        frames["outcomes"],
    )


def write(home: Path, key: str, heard: Heard) -> None:
    """Nothing; `heard` stands under `key` in place of what was kept before, or it does not where that cannot be written."""
    made = None
    try:
        made = Path(tempfile.mkdtemp(dir=home, prefix=".warm-"))
        for name, frame in _frames(heard):
            frame.write_ipc(made / f"{name}.arrow")
        (made / TOLD).write_text(json.dumps({"key": key, **_told(heard)}))
        _stand(made, home / FOLDER, key)
    except OSError as error:
        log.warning("what was measured of the lake cannot be kept in %s: %s", home, error)
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _stand(made: Path, folder: Path, key: str) -> None:
    """Nothing; `folder` is what was made, or what another process has put there under the same key meanwhile."""
    for left in reversed(range(TRIES)):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.rename(folder)
            break
        except OSError:
            if _is_kept(folder, key):
                shutil.rmtree(made, ignore_errors=True)
                break
            if not left:
                raise


def _is_kept(folder: Path, key: str) -> bool:
    with suppress(OSError, ValueError):
        return bool(json.loads((folder / TOLD).read_text())["key"] == key)
    return False


def _frames(heard: Heard) -> Iterator[tuple[str, pl.DataFrame]]:
    yield "handles", heard.handles
    yield "identities", heard.identities
    yield "ties", heard.ties.actions
    yield "outcomes", heard.outcomes
    yield "names", pl.DataFrame({"name": heard.ties.names}, schema={"name": pl.String})
    for number, stream in enumerate(heard.streams.by_name.values()):
        yield f"stream{number}", stream.frame


def _told(heard: Heard) -> dict[str, Any]:
    streams = heard.streams.by_name.items()
    return {
        "logged": sorted(heard.streams.logged),
        "through": {network: moment.isoformat() for network, moment in heard.through.items()},
        "example": heard.example,
        "streams": {
            name: {"file": f"stream{number}.arrow", "key": one.key, "totals": one.totals, "lasts": one.lasts}
            for number, (name, one) in enumerate(streams)
        },
    }


def forget(home: Path) -> None:
    """Nothing; what was kept is gone, and what a broken start had begun to keep."""
    for folder in (home / FOLDER, *home.glob(".warm-*")):
        shutil.rmtree(folder, ignore_errors=True)
