"""How often `clout watch` cries wolf in quiet weeks of simulated societies, and how often it sees planted changes.

    python bench/watching.py                  # four societies, five quiet weeks each; some ten minutes
    python bench/watching.py --seeds 2 --first 900

Each society is simulated whole; a model is trained on its first 120 days, and each later week is watched from a lake cut
there, as a weekly `clout watch --days 7` would. A change is planted in what happens from day 120 on, and watched for
three weeks. Every floor is learned from the champion's own past; the limits in the code were set on the societies with
the seeds 3, 900 and 901, and are judged on others.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import measuring  # noqa: F401 - sets how OpenMP waits
import numpy as np
import polars as pl
from measuring.tables import show, watched

from clout.data.history import known_before
from clout.data.lake import Lake
from clout.data.simulate import Society, simulate
from clout.models import bundle
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.training import pipeline
from clout.training.config import read_params
from clout.training.watch import Stretch, Watched, watch
from clout.training.whole_lake import WholeLake

Tables = dict[str, pl.DataFrame]
ACCOUNTS, TAUGHT_DAYS, WEEKS, PLANTED_WEEKS = 300, 120, 5, 3
SET = ("fit.trees=150", "fit.threads=1", "wording.slices=2")
QUIET = "nothing planted"


def society(seed: int, bots: float = 0.005) -> Society:
    """A society that lasts as long as it is watched."""
    return Society(accounts=ACCOUNTS, days=TAUGHT_DAYS + 7 * WEEKS, seed=seed, bots=bots)


def changed(tables: Tables, name: str, at: datetime, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Tables:
    """`tables` with the rows of one that happened from a moment on changed."""
    later = pl.col("happened_at") >= at
    frame = tables[name]
    return tables | {name: pl.concat([frame.filter(~later), change(frame.filter(later)).select(frame.columns)])}


def bots_on(seed: int, tables: Tables, at: datetime) -> Tables:
    """One bot to every five people, who act on anything from a moment on."""
    busy = simulate(society(seed, bots=0.2)).tables["actions"]
    new = busy.filter(pl.col("happened_at") >= at).join(tables["actions"], on="action", how="anti")
    return tables | {"actions": pl.concat([tables["actions"], new])}


def likes_halved(seed: int, tables: Tables, at: datetime) -> Tables:
    """Half of the likes no longer come, everywhere."""
    chance = np.random.default_rng(seed)
    return changed(
        tables,
        "actions",
        at,
        lambda rows: rows.filter((pl.col("kind") != "like") | pl.Series(chance.random(rows.height) < 0.5)),
    )


def texts_lost(_: int, tables: Tables, at: datetime) -> Tables:
    """The feed brings posts without their texts."""
    return changed(tables, "posts", at, lambda rows: rows.with_columns(text=pl.lit(None, pl.String)))


def followers_lost(_: int, tables: Tables, at: datetime) -> Tables:
    """The feed brings profiles without followers."""
    return changed(tables, "profiles", at, lambda rows: rows.with_columns(followers=pl.lit(None, pl.Int64)))


def new_language(seed: int, tables: Tables, at: datetime) -> Tables:
    """One post in ten is in a language nobody wrote before."""
    chance = np.random.default_rng(seed)

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        new = pl.Series(chance.random(rows.height) < 0.1)
        return rows.with_columns(
            lang=pl.when(new).then(pl.lit("eo")).otherwise("lang"),
            text=pl.when(new).then(pl.col("text").str.reverse()).otherwise("text"),
        )

    return changed(tables, "posts", at, change)


def followers_tenfold(_: int, tables: Tables, at: datetime) -> Tables:
    """Follower counts ten times what they are."""
    return changed(tables, "profiles", at, lambda rows: rows.with_columns(pl.col("followers") * 10))


PLANTED = {
    "bots switched on": bots_on,
    "likes halved": likes_halved,
    "texts lost": texts_lost,
    "followers lost": followers_lost,
    "a new language": new_language,
    "followers × 10": followers_tenfold,
}


def champion(tables: Tables, at: datetime, folder: Path) -> tuple[ScoreModel, pl.DataFrame]:
    """The model of what was known before a moment, and what it said of its rolling blocks."""
    lake = Lake(folder / "lake")
    lake.append(known_before(tables, at), source="simulate")
    params = read_params(None, SET)
    made = pipeline.make(WholeLake.read(lake, params), lake, params, Scale("1", {}))
    bundle.write(folder / "bundle", made.content)
    return ScoreModel.load(folder / "bundle"), made.rows


def weeks(seed: int, folder: Path) -> Iterator[tuple[str, int, Watched]]:
    """(what was planted, the week after day 120, what was seen), for every week of one society."""
    config = society(seed)
    tables = simulate(config).tables
    start = config.end - timedelta(days=7 * WEEKS)
    model, kept = champion(tables, start, folder)
    for name in (QUIET, *PLANTED):
        now = tables if name == QUIET else PLANTED[name](seed, tables, start)
        for week in range(1, 1 + (WEEKS if name == QUIET else PLANTED_WEEKS)):
            end = start + timedelta(days=7 * week)
            lake = Lake(f"memory://{seed}-{name}-{week}")
            lake.append(known_before(now, end), source="simulate")
            yield name, week, watch(model, lake, kept, Stretch(days=7), end, folder)


def rates(seen: Mapping[tuple[str, int], Sequence[Watched]]) -> dict[str, Any]:
    """Shares of quiet weeks said to be worth acting on, by what they were about; and of planted changes seen, by week."""
    quiet = [found for (name, _), group in seen.items() if name == QUIET for found in group]
    told: dict[str, Any] = {"quiet": {"weeks": len(quiet), "act": sum(bool(found.findings) for found in quiet)}}
    about = [finding.about for found in quiet for finding in found.findings]
    told["quiet"]["about"] = {name: about.count(name) for name in sorted(set(about))}
    told["planted"] = {}
    for name in PLANTED:
        found = [[bool(one.findings) for one in seen[name, week]] for week in range(1, PLANTED_WEEKS + 1)]
        told["planted"][name] = {
            "societies": len(found[0]),
            "by_week": [sum(week) for week in found],
            "in_any": sum(map(any, zip(*found, strict=True))),
        }
    return told


def main() -> None:
    """Nothing; rates go to stdout, and each watch to a file when one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="societies")
    parser.add_argument("--first", type=int, default=11, help="seed of the first")
    parser.add_argument("--keep", type=Path, help="JSON lines file of every watch")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    seen: dict[tuple[str, int], list[Watched]] = defaultdict(list)
    for seed in watched(range(args.first, args.first + args.seeds), "societies"):
        with tempfile.TemporaryDirectory(prefix="clout-bench-") as folder:
            for name, week, found in weeks(seed, Path(folder)):
                seen[name, week].append(found)
                if args.keep:
                    with args.keep.open("a") as file:
                        file.write(json.dumps({"seed": seed, "planted": name, "week": week} | found.told()) + "\n")
    told = rates(seen)
    print(json.dumps(told, indent=2)) if args.json else _show(told)


def _show(told: Mapping[str, Any]) -> None:
    quiet = told["quiet"]
    rows = [("said to act", quiet["act"]), *((f"  because of {name}", n) for name, n in quiet["about"].items())]
    show(f"{quiet['weeks']} quiet weeks", ("", "weeks"), rows)
    heads = ("", "societies", *(f"week {week + 1}" for week in range(PLANTED_WEEKS)), "in any")
    planted = [(name, of["societies"], *of["by_week"], of["in_any"]) for name, of in told["planted"].items()]
    show("Planted changes that were seen", heads, planted)


if __name__ == "__main__":
    main()
