"""Fill the pages of performance, capacity and accuracy from the figures that were measured, and draw the plots: `make docs`.

The figures are what programs of bench/ print with --json, kept in docs/figures/performance. A document says where one
goes; what stands between the two lines is written anew:

    <!-- figures: size (make docs) -->
    <!-- end -->
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import capacity
from accuracy import ACCURACY
from measured import FOLDER, command, missing, read, short, size, table
from plots import PLOTS, drawn

DOCS = Path(__file__).parent
DOCUMENTS = (DOCS.parent / "README.md", *(DOCS / f"{name}.md" for name in ("benchmarks", "performance", "capacity")))
PLACE = re.compile(r"(<!-- figures: (\S+) \(make docs\) -->\n).*?(<!-- end -->)", re.DOTALL)
JUDGED = "judged_against"
KLOUT_ACTIONS, KLOUT_PROFILES = 521_000, 8_700
COST = ("wall s", "CPU s", "peak memory")

Figures = Mapping[str, Any]


def filled(text: str, told: Figures) -> str:
    """`text` with every block as the figures give it; raises `KeyError` for a block nobody makes."""
    return PLACE.sub(lambda place: f"{place[1]}\n{block(place[2], told)}\n{place[3]}", text)


def block(name: str, told: Figures) -> str:
    """A block of a document: a table from figures with their plot, the words where there are none, or part of capacity."""
    if name in CAPACITY:
        return CAPACITY[name](told)
    if name in ACCURACY:
        return ACCURACY[name](told[JUDGED]) if JUDGED in told else missing(JUDGED)
    if name not in told:
        return missing(name)
    plot = f"\n![{PLOTS[name].__doc__}](figures/performance/{name}.svg)\n" if name in PLOTS else ""
    return f"{command(name)}\n\n{MEASURED[name](told[name])}{plot}"


def _cost(of: Mapping[str, float]) -> tuple[str, str, str]:
    return short(of["wall_seconds"]), short(of["cpu_seconds"]), size(of["peak_mib"])


def machine(told: Figures) -> str:
    """What machine it is, in a sentence."""
    rest = ("processor", "cores", "memory_gib", "system", "python")
    versions = ", ".join(f"{name} {number}" for name, number in told.items() if name not in rest)
    return (
        f"{told['cores']} cores of an {told['processor']}, {told['memory_gib']:g} GiB of memory, {told['system']}, "
        f"Python {told['python']}, {versions}.\n"
    )


def trained(told: list[Figures]) -> str:
    """What training took by size."""
    rows = [(of["set"], f"{of['posts']:,}", f"{of['actions']:,}", *_cost(of["cost"])) for of in told]
    return table(("from lake to registered bundle", "posts", "actions", *COST), rows)


def large(told: list[Figures]) -> str:
    """What training took on lakes that are read in shards."""
    rows = [
        (f"{of['posts']:,}", f"{of['actions']:,}", str(of["trees"]), *_cost(of["cost"]), size(of["mapped_mib"]))
        for of in told
    ]
    return table(("posts", "actions", "trees", *COST, "and mapped"), rows)


def features(told: list[Figures]) -> str:
    """What measuring features took by size."""
    rows = []
    for of in told:
        speed = of["actions"] / of["wall_seconds"]
        star = f", {of['star']:.0%} of them one account's" if of.get("star") else ""
        numbers = (short(of["actions"]) + star, short(of["posts"]), short(of["accounts"]))
        rows.append((*numbers, *_cost(of), short(speed), f"{speed / KLOUT_ACTIONS:.2f}"))
    return table(("actions", "posts", "accounts", *COST, "actions a second", "times 521,000"), rows)


def chain(told: Figures) -> str:
    """What runs took that go on from one another, and one over everything."""
    rows, parts = [], sum(of["run"] != "whole" for of in told["runs"])
    for of in told["runs"]:
        whole = of["run"] == "whole"
        name = "all at once, without a state" if whole else f"to day {told['days'] * of['run'] // parts}"
        a_million = of["cpu_seconds"] / of["actions"] * 1_000_000
        state = size(of["state_mib"]) if of["state_mib"] else "–"
        rows.append((name, short(of["actions"]), *_cost(of), short(a_million), state))
    return table(("run", "new actions", *COST, "CPU s a million", "state left"), rows)


def spark(told: list[Figures]) -> str:
    """What the same features took by processes and by Spark."""
    rows = []
    for of in told:
        numbers = (f"{of['start_seconds']:.1f}", short(of["wall_seconds"]), short(of["cpu_seconds"]))
        rows.append((of["engine"], short(of["actions"]), *numbers, short(of["actions"] / of["wall_seconds"])))
    return table(("engine", "actions", "start s", "wall s", "CPU s", "actions a second"), rows)


def aggregates(told: list[Figures]) -> str:
    """What each engine took for each aggregation."""
    rows = []
    for of in told:
        speed = (of["actions"] / of[name] for name in ("wall_seconds", "cpu_seconds"))
        rows.append((of["what"], f"{of['actions']:,}", of["engine"], *_cost(of), *map(short, speed)))
    heads = ("aggregation", "actions", "engine", *COST, "actions a second", "a CPU second")
    return table(heads, rows)


def learners(told: Mapping[str, Figures]) -> str:
    """What each learner took, and how well it did."""
    rows = []
    for name, of in told.items():
        ours = of["learners"]["LightGBM"]["equal"]
        for learner, figures in of["learners"].items():
            equal, best = figures["equal"], figures["best"]
            quality = (f"{best['squared_error']:.4f}", f"{best['spearman']:.4f}")
            spent = [(equal[name], equal[name] / ours[name]) for name in ("seconds", "cpu_seconds")]
            times = [f"{seconds:.1f} ({ratio:.2f})" for seconds, ratio in spent]
            rows.append((f"{name}, {learner}", *quality, str(equal["trees"]), f"{equal['spearman']:.4f}", *times))
    heads = (
        "",
        "best squared error",
        "Spearman",
        "trees to the same error",
        "Spearman",
        "wall s (× LightGBM)",
        "CPU s (× LightGBM)",
    )
    return table(heads, rows)


def cluster(told: Figures) -> str:
    """What the main head takes and gives in one process and on a cluster."""
    rows = [
        (
            f"{told['workers']} workers, rows {way}" if way != "one process" else f"{way}, {told['workers']} threads",
            f"{of['squared_error']:.4f}",
            f"{max(of['worst_of_blocks']):.4f}",
            f"{of['spearman']:.4f}",
            *_cost(of),
            f"{of['same_trees'][0]} of {of['same_trees'][1]}",
            "yes" if of["directions_kept"] else "no",
        )
        for way, of in told["ways"].items()
    ]
    heads = ("", "squared error", "the worst", "Spearman", *COST, "same trees twice", "directions kept")
    said = f"\n{told['rows']:,} rows in {told['blocks']} blocks, {told['features']} features, {told['trees']} trees, three seeds.\n"
    return table(heads, rows) + said


def reasons(told: Mapping[str, Figures]) -> str:
    """How fast each way explains."""
    rows = [
        (
            name,
            *(short(of["rows_per_second"][way]) for way in ("tables", "pred_contrib", "TreeExplainer")),
            *(f"{of['times_as_fast_as'][way]:.0f}" for way in ("pred_contrib", "TreeExplainer")),
            f"{of['one_row_microseconds']['tables']:.0f} µs",
            f"{max(of['largest_difference'].values()):.0e}",
        )
        for name, of in told.items()
        if "refused" not in of
    ]
    heads = (
        "rows a second",
        "tables",
        "pred_contrib",
        "TreeExplainer",
        "× pred_contrib",
        "× TreeExplainer",
        "one row",
        "largest difference",
    )
    refused = [f"\n{name}: {of['refused']}; pred_contrib answers.\n" for name, of in told.items() if "refused" in of]
    return table(heads, rows) + "".join(refused)


def bulk(told: Figures) -> str:
    """How many rows are scored and explained a second."""
    rows = [
        (
            f"{of['way']}, {of['processes']} process{'es' if of['processes'] > 1 else ''}",
            short(of["rows_per_second"]),
            f"{of['rows_per_second'] / KLOUT_PROFILES:.2f}",
            short(of["rows_per_cpu_second"]),
        )
        for of in told["found"]
    ]
    core = capacity.scored({"bulk": told})
    said = (
        f"\n{told['heads']} models of {told['features']} features judge each row. Two processes with a core each to themselves "
        f"would do {short(core)} rows a second by the CPU they took, {core / KLOUT_PROFILES:.1f} times 8,700.\n"
    )
    return table(("reasons by", "rows a second", "times 8,700", "rows a CPU second"), rows) + said


def serve(told: list[Figures]) -> str:
    """How often and how soon each service answers, and how many times as often as another the first does."""
    best = [max(full["rate"] for full in of["full"].values()) for of in told]
    rows = [
        (
            of["name"],
            *(f"{full['rate']:,.0f} / {full['p50']:.1f} / {full['p99']:.0f}" for full in of["full"].values()),
            f"{of['half']['asked']:,.0f} / {of['half']['p50']:.1f} / {of['half']['p99']:.1f}",
            f"{best[0] / rate:.2f}",
        )
        for of, rate in zip(told, best, strict=True)
    ]
    connections = [f"{count} connection{'s' if count != '1' else ''}" for count in told[0]["full"]]
    heads = (
        "answers a second / 50 % / 99 % within, ms",
        *connections,
        "half the best rate",
        "the first does times as many",
    )
    return table(heads, rows)


def flood(told: list[Figures]) -> str:
    """What appending to a lake took."""
    rows = [
        (
            short(of["actions"]),
            str(of["batches"]),
            short(of["per_second"]["made"]),
            short(of["per_second"]["appended"]),
            *_cost(of["cost"]),
            f"{of['bytes']['actions'] / of['actions']:.0f}",
            f"{of['last_tenth_to_first']:.2f}",
        )
        for of in told
    ]
    heads = (
        "actions",
        "batches",
        "made a second",
        "made and appended",
        *COST,
        "bytes an action",
        "last tenth to first",
    )
    return table(heads, rows)


MEASURED: dict[str, Callable[[Any], str]] = {
    "machine": machine,
    "size": trained,
    "large": large,
    "features": features,
    "aggregates": aggregates,
    "learners": learners,
    "chain": chain,
    "chain_long": chain,
    "spark": spark,
    "cluster": cluster,
    "reasons": reasons,
    "bulk": bulk,
    "flood": flood,
    "serve": serve,
}
CAPACITY: dict[str, Callable[[Figures], str]] = {
    "capacity.day": capacity.a_day,
    "capacity.memory": capacity.memory,
    "capacity.disk": capacity.disk,
    "capacity.cost": capacity.cost,
    "capacity.walls": capacity.walls,
}


def written() -> dict[Path, bytes]:
    """Every file that the figures decide, with what must be in it."""
    told = read()
    plots = {FOLDER / name: content for name, content in drawn(told).items()}
    return plots | {file: filled(file.read_text("utf-8"), told).encode() for file in DOCUMENTS}


def main() -> None:
    """Nothing; every document and plot is then as the figures give it."""
    for file, content in written().items():
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
            sys.stdout.write(f"{file.relative_to(DOCS.parent)} is new\n")


if __name__ == "__main__":
    main()
