"""The frames of the firehose: read from a web socket, and taken apart into records, removals and what else happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import libipld
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from clout.data.sources.items import at, objects, text
from clout.data.sources.live.bluesky.records import MAKERS, Kept, arrived
from clout.data.sources.live.passing import PassingError
from clout.errors import CloutError

PATH = "/xrpc/com.atproto.sync.subscribeRepos"
LARGEST = 2**23
PAUSE, FIRST, OPEN_SECONDS = 1.0, 10.0, 20.0
REFUSED = -1


class FirehoseError(CloutError):
    """A firehose that will not go on from where we stand."""

    code = "firehose"


class Removed(NamedTuple):
    """A record that was deleted: whose, and its `collection/key`."""

    account: str
    path: str


class Lost(NamedTuple):
    """A record that a frame tells of and does not hold."""

    address: str


class Frame(NamedTuple):
    """A frame: its number in the stream, when the host had it, of what kind it is, and all it says."""

    seq: int
    time: datetime
    kind: str
    said: Mapping[str, Any]


def listen(host: str, cursor: int, silence: float) -> Iterator[bytes | None]:
    """The frames after `cursor` as they come, None whenever none came for a while; the end after so much silence.

    The first frame is waited for longer: a host looks up where to begin.
    """
    url = f"{host}{PATH}?cursor={cursor}"
    try:
        with connect(url, max_size=LARGEST, open_timeout=OPEN_SECONDS, compression=None) as socket:
            silent, patience, pause = 0.0, max(silence, FIRST), min(PAUSE, silence)
            while silent < patience:
                try:
                    frame = socket.recv(timeout=pause)
                except TimeoutError:
                    silent += pause
                    yield None
                    continue
                silent, patience = 0.0, silence
                if isinstance(frame, bytes):
                    yield frame
    except (OSError, WebSocketException) as error:
        raise PassingError(
            f"the firehose of {host} broke off ({error}); expected it to go on: run this again, which goes on from there"
        ) from error


def read(frame: bytes) -> Frame | None:
    """What a frame says; None where it cannot be read. Raises where the host refuses to go on."""
    try:
        header, said = libipld.decode_dag_cbor_multi(frame)
    except ValueError:
        return None
    if at(header, "op") == REFUSED:
        raise _refusal(at(said, "error"), at(said, "message"))
    seq, kind = at(said, "seq"), text(at(header, "t"))
    if not isinstance(seq, int) or kind is None:
        return None
    try:
        return Frame(seq, datetime.fromisoformat(said["time"]), kind, said)
    except (KeyError, TypeError, ValueError):
        return None


def operations(said: Mapping[str, Any], time: datetime) -> Iterator[Kept | Removed | Lost]:
    """What a commit did to records of the collections that make rows."""
    account, blocks = said.get("repo"), None
    if not isinstance(account, str):
        return
    for operation in objects(said.get("ops")):
        path = at(operation, "path")
        if not isinstance(path, str) or path.partition("/")[0] not in MAKERS:
            continue
        if at(operation, "action") == "delete":
            yield Removed(account, path)
            continue
        if blocks is None:
            blocks = _blocks(said.get("blocks"))
        cid = at(operation, "cid")
        held = blocks.get(cid) if isinstance(cid, bytes) else None
        yield (
            Lost(f"at://{account}/{path}")
            if held is None
            else Kept(account, path, held, arrived(at(held, "createdAt"), time))
        )


def _blocks(packed: Any) -> dict[bytes, Any]:  # noqa: ANN401 (anything that a frame holds)
    """The blocks of a packed archive, by their content's id; none where it is torn."""
    try:
        _, blocks = libipld.decode_car(packed)
    except (TypeError, ValueError):
        return {}
    return dict(blocks)


def _refusal(error: object, message: object) -> CloutError:
    if error == "FutureCursor":
        return FirehoseError(
            f"the firehose has not come as far as where we stood ({message}); expected the host that was read before: "
            "name it"
        )
    return PassingError(f"the firehose ended with {error} ({message}): run this again, which goes on from there")
