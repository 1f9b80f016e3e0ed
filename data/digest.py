"""What a set of rows is, in 32 bytes, whatever their order and however they were cut into batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

_SLICE = 100_000


def digest(frame: pl.DataFrame) -> str:
    """Hex of the sum of the rows' sha256, in four lanes modulo 2⁶⁴; no rows give zeros.

    A row is its JSON with times as microseconds since 1970, so neither the order of the rows nor the version of a
    library enters.
    """
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    plain = frame.with_columns(pl.col(times).dt.epoch("us"))
    return total(_sum(rows) for rows in plain.iter_slices(_SLICE))


def total(digests: Iterable[str]) -> str:
    """The digest of all rows together, from the digests of the parts."""
    lanes = np.zeros(4, dtype="<u8")
    for part in digests:
        lanes += np.frombuffer(bytes.fromhex(part), dtype="<u8")
    return lanes.tobytes().hex()


def without(whole: str, part: str) -> str:
    """The digest of the rows that are left of `whole` when those of `part` are taken out."""
    lanes = [np.frombuffer(bytes.fromhex(digest), dtype="<u8") for digest in (whole, part)]
    return str((lanes[0] - lanes[1]).tobytes().hex())


def combine(digests: Mapping[str, str]) -> str:
    """The sha256 of named digests; names without rows do not enter."""
    told = {name: value for name, value in sorted(digests.items()) if int(value, 16)}
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _sum(rows: pl.DataFrame) -> str:
    lines = rows.write_ndjson().encode().split(b"\n")[: rows.height]
    hashes = b"".join(hashlib.sha256(line).digest() for line in lines)
    lanes = np.frombuffer(hashes, dtype="<u8").reshape(-1, 4)
    return str(lanes.sum(axis=0, dtype="<u8").tobytes().hex())
