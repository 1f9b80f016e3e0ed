"""What one machine and many would do in a day, from what one was measured to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from measured import even, line, missing, short, size, table

NODES, CORES = (1, 10, 100), 2
SECONDS_A_DAY = 86_400
KLOUT_ACTIONS, KLOUT_PROFILES = 45e9, 750e6
PRICE = 0.10
BILLION, MILLION = 1e9, 1e6

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A part of the work: what it counts, how many a second one machine does, and how many Klout did a day."""

    what: str
    per_second: float
    a_day: float | None = None


def steps(told: Figures) -> list[Step]:
    """The parts of the work that were measured and are done account by account, so by as many machines as one has."""
    found = []
    if "features" in told:
        largest = max(even(told["features"]), key=lambda of: of["actions"])
        speed = largest["actions"] / largest["wall_seconds"]
        found.append(Step("actions measured, for accounts and at each post", speed, KLOUT_ACTIONS))
    if "bulk" in told:
        found.append(Step("posts scored and explained, in points", scored(told)))
    if "accounts" in told:
        batch = told["accounts"]["batch"]
        after = (batch["cost"]["cpu_seconds"] - batch["prepared"]["cpu_seconds"]) / CORES
        posts = f"{short(batch['posts_explained'] / batch['scored'])} posts each"
        found.append(Step(f"accounts scored, explained and stored, {posts}", batch["scored"] / after, KLOUT_PROFILES))
    return found


def scored(told: Figures) -> float:
    """Rows scored and explained a second by two processes that have a core each, by the CPU they took."""
    both = (of for of in told["bulk"]["found"] if of["way"] == "tables" and of["processes"] == CORES)
    return CORES * float(next(both)["rows_per_cpu_second"])


def a_day(told: Figures) -> str:
    """What 1, 10 and 100 machines do in a day, and how many it takes for Klout's."""
    heads = ("a day", *(f"{count} node{'s' if count > 1 else ''}" for count in NODES), "Klout's day", "nodes for that")
    rows = []
    for step in steps(told):
        day = step.per_second * SECONDS_A_DAY
        klout = ("", "") if step.a_day is None else (short(step.a_day), short(max(step.a_day / day, 0.01)))
        rows.append((step.what, *(short(day * count) for count in NODES), *klout))
    absent = [f"\nThe features: {missing('features')}"] if "features" not in told else []
    return (table(heads, rows) if rows else "") + "".join(absent)


def memory(told: Figures) -> str:
    """What a million accounts take in memory and on disk."""
    rows = []
    if "features" in told:
        at_zero, slope = line([(of["accounts"], of["peak_mib"]) for of in even(told["features"])])
        most = max(even(told["features"]), key=lambda of: of["accounts"])
        seen = f"{short(most['accounts'])} accounts, {size(most['peak_mib'])}"
        each = f"with {short(most['actions'] / most['accounts'])} actions each"
        rows.append(
            (f"measuring features, in memory, {each}", size(max(at_zero + slope * MILLION, most["peak_mib"])), seen)
        )
    if "accounts" in told:
        batch = told["accounts"]["batch"]
        seen = f"{short(batch['scored'])} accounts, {size(batch['store_mib'])}"
        rows.append(
            ("scores and reasons in the store, on disk", size(batch["store_mib"] / batch["scored"] * MILLION), seen)
        )
    return table(("a million accounts", "", "measured"), rows) if rows else missing("accounts")


def disk(told: Figures) -> str:
    """What a billion actions take in a lake."""
    if "flood" not in told:
        return missing("flood")
    largest = max(told["flood"], key=lambda of: of["actions"])
    rows = [
        (
            f"a billion {name}",
            size(largest["bytes"][name] / largest[name] * BILLION / 2**20),
            f"{largest['bytes'][name] / largest[name]:.0f}",
        )
        for name in ("actions", "posts")
    ]
    return table(("in the lake", "", "bytes each"), rows)


def cost(told: Figures) -> str:
    """What a billion actions cost, step by step."""
    rows, hours = [], 0.0
    for what, seconds in _billion(told).items():
        hours += seconds / 3600
        rows.append((what, short(seconds / 3600), f"${seconds / 3600 * PRICE:.2f}"))
    if not rows:
        return missing("flood")
    absent = "" if "features" in told else f"\nWithout the features. {missing('features')}"
    total = ("**all of these**", short(hours), f"${hours * PRICE:.2f}")
    heads = ("a billion actions", "node-hours", f"at ${PRICE:.2f} a node-hour")
    return table(heads, [*rows, total]) + absent


def _billion(told: Figures) -> dict[str, float]:
    """Seconds of one machine for a billion actions, by what it does with them."""
    found = {}
    if "flood" in told:
        largest = max(told["flood"], key=lambda of: of["actions"])
        found["checking and appending to the lake"] = BILLION / largest["per_second"]["appended"]
    if "features" in told:
        largest = max(even(told["features"]), key=lambda of: of["actions"])
        found["measuring features"] = BILLION / largest["actions"] * largest["wall_seconds"]
    if "flood" in told and "bulk" in told:
        largest = max(told["flood"], key=lambda of: of["actions"])
        posts = BILLION * largest["posts"] / largest["actions"]
        found[f"scoring and explaining the {short(posts)} posts they are on"] = posts / scored(told)
    return found


def walls(told: Figures) -> str:
    """What does not get faster with more machines, and where it ends."""
    parts = []
    if "large" in told and "machine" in told:
        parts.append(_training(told))
    if "flood" in told:
        largest = max(told["flood"], key=lambda of: of["actions"])
        day = largest["per_second"]["appended"] * SECONDS_A_DAY
        parts.append(
            f"**Taking rows in.** One process at a time appends to a lake: {short(day)} actions a day, "
            f"{KLOUT_ACTIONS / day:.2g} lakes for Klout's day. Each append looks at the receipts of all before it, so few "
            f"large batches are better than many small ones: the last tenth of {largest['batches']} batches took "
            f"{largest['last_tenth_to_first']:.2f} times as long as the first."
        )
    return "\n".join(f"- {part}" for part in parts) + "\n"


def _training(told: Figures) -> str:
    sizes = told["large"]
    most = max(sizes, key=lambda of: of["posts"])
    at_zero, slope = line([(of["posts"], of["cost"]["peak_mib"]) for of in sizes])
    _, each = line([(of["posts"], of["cost"]["wall_seconds"]) for of in sizes])
    fits = (told["machine"]["memory_gib"] * 2**10 - at_zero) / slope
    return (
        f"**Training** is done by one machine, which reads a large lake in shards. Measured up to {short(most['posts'])} "
        f"posts: {short(each * MILLION / 60)} minutes and {size(slope * MILLION)} for every million, with heads of "
        f"{most['trees']} trees. On that line {short(fits)} posts fill the {told['machine']['memory_gib']:g} GiB. Beyond "
        "that, train on a share of the accounts: [what that loses](benchmarks.md#sampling)."
    )
