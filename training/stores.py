"""Which feature store a lake is read by: memory while it fits well, shards on disk from there on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from clout.data.lake import Lake
from clout.data.receipt import totals
from clout.features.sharded.processes import Processes, processors
from clout.training.config import Params
from clout.training.feature_store import FeatureStore
from clout.training.sharded_lake import ShardedLake
from clout.training.whole_lake import WholeLake

ROWS_IN_MEMORY = 5_000_000
CUTTING = 6


def in_shards(lake: Lake) -> bool:
    """Whether a lake has more posts or actions than are to be held in memory, and is not there itself."""
    rows = totals(lake.receipts())["rows"]
    return not lake.url.startswith("memory:") and max(rows.get("posts", 0), rows.get("actions", 0)) > ROWS_IN_MEMORY


def steps(lake: Lake) -> int:
    """How many times `opened` tells what it is doing."""
    return CUTTING if in_shards(lake) else 0


@contextmanager
def opened(
    lake: Lake, params: Params, home: Path, step: Callable[[str], None] = lambda _: None
) -> Iterator[FeatureStore]:
    """What was known in a lake; shards lie in a folder of `home`, which is gone with the block."""
    if not in_shards(lake):
        yield WholeLake.read(lake, params)
        return
    home.mkdir(parents=True, exist_ok=True)
    with ShardedLake.open(lake, params, home, partial(Processes.open, processors()), step) as store:
        yield store
