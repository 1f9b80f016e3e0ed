"""The check that rows are what their posts say: measured and counted again, with the future erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.tables import SCHEMAS
from clout.features.catalogue import WORDING
from clout.features.compute import compute
from clout.features.wording import Corpus
from clout.training.checks.check import Check, Verdict, held, named
from clout.training.checks.evidence import Evidence
from clout.training.dataset import LEARNED_BY, learn_words
from clout.training.feature_store import FeatureStore

MOMENTS = 3
POSTS = 100
TAKEN = ("post", "actor", "at")
Row = Mapping[str, Any]


class RowsAreWhatPostsSay(Check[Evidence]):
    """What was learned from must be what the raw tables say, and what they said at the time."""

    code, title = "CLOUT009", "rows are what their posts say"
    why = """
    Of about a hundred judged posts everything is done again, from the tables of the lake and by other code where there
    is any. Their outcomes are counted anew, and so is when they became known. Everything that happened or was known at
    a post's moment or later is erased, outcomes that had not ripened with it; the features measured on what is left
    must be the same to the last bit, and so must words learned only from what was known before a rolling block. No row
    of the lake may be known before it happened. On a finding a feature reads the future, rows were joined to other
    posts, or a clock is wrong. The detail names what differs first. Do not use the model. Look at that feature or at
    that table: when the value was known, and by which key it was joined.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when nothing differs for any post of the sample."""
        sample = _sample(evidence)
        found = [
            *_early(evidence.store),
            *_other_outcomes(evidence, sample),
            *_other_features(evidence, sample),
            *_other_words(evidence),
        ]
        posts = f"{sample.height} posts, the future of {sample['as_of'].n_unique()} moments erased"
        return Verdict(held(not found), f"{posts}: {named(found, 2) if found else 'nothing differs (0)'}")


def _sample(evidence: Evidence) -> pl.DataFrame:
    """Judged posts and `as_of`, one of some moments drawn: the posts of other accounts that came next, in no order."""
    order = evidence.judged.select(row=pl.arg_sort_by("happened_at", "post"))["row"]
    chance = np.random.default_rng(evidence.params.seed)
    last = max(1, order.len() - POSTS // MOMENTS)
    starts = sorted(set(chance.integers(last, size=MOMENTS).tolist()))
    parts = [
        next_ones.unique("account", keep="first", maintain_order=True)
        .head(POSTS // MOMENTS)
        .with_columns(as_of=pl.lit(next_ones["happened_at"][0]))
        for next_ones in (evidence.judged[order.slice(start, POSTS)] for start in starts)
    ]
    sample = pl.concat(parts).unique("post", keep="first", maintain_order=True)
    return sample.sample(fraction=1, shuffle=True, seed=evidence.params.seed)


def _early(store: FeatureStore) -> Iterator[str]:
    """Tables with rows that were known before they happened."""
    for name in [name for name, schema in SCHEMAS.items() if "known_at" in schema]:
        early = pl.col("known_at") < pl.col("happened_at")
        if found := sum(rows.filter(early).height for rows in store.rows(name, "happened_at", "known_at")):
            yield f"{found:,} rows of {name} known before they happened"


class Recount(NamedTuple):
    """What a post drove, by kind, each engager counting its weight, and when that was known."""

    kinds: Mapping[str, float]
    ripe_at: datetime | None


def recount(
    post: Row, actions: Sequence[Row], counts: Sequence[Row], logged: frozenset[str], horizon: timedelta
) -> Recount:
    """What `post` drove, from the rows of actions and counts about it: `logged` kinds from actions, others from counts.

    An action has the `weight` that it counts; of several of one kind by one actor the first known counts.
    """
    start, end = post["happened_at"], post["happened_at"] + horizon
    acted: dict[str, dict[str, float]] = {kind: {} for kind in logged}
    for action in sorted(actions, key=lambda row: max(row["happened_at"], row["known_at"])):
        in_time = start < action["happened_at"] <= end and action["known_at"] <= end
        if in_time and action["actor"] != post["account"] and action["kind"] in logged:
            acted[action["kind"]].setdefault(action["actor"], action["weight"])
    ripe = [
        (end if count["retrospective"] else count["known_at"], count["happened_at"], count["kind"], count["count"])
        for count in counts
        if count["happened_at"] >= end and count["kind"] not in logged
    ]
    known = min((row[0] for row in ripe), default=end if logged else None)
    read = {kind: number for at, _, kind, number in sorted(ripe, reverse=True) if at == known}
    moments = [moment for moment in (known, end if logged else None, post["known_at"], start) if moment is not None]
    return Recount({**{kind: sum(weights.values()) for kind, weights in acted.items()}, **read}, max(moments))


def _other_outcomes(evidence: Evidence, sample: pl.DataFrame) -> Iterator[str]:
    """Posts of the sample whose row has another account, moment, count, outcome or ripening than the tables say."""
    values, reported = evidence.params.action_values, evidence.store.coverage.reported
    posts = {row["post"]: row for row in _about(evidence.store, "posts", sample["post"]).iter_rows(named=True)}
    owners = pl.Series([row["account"] for row in posts.values()], dtype=pl.String).unique()
    weights = evidence.store.history_of(owners).actions.select(*TAKEN, "weight").unique(TAKEN)
    clock = pl.max_horizontal("happened_at", "known_at").alias("at")
    actions = _by_post(_about(evidence.store, "actions", sample["post"]).with_columns(clock).join(weights, on=TAKEN))
    valued = pl.col("kind").is_in([kind for kind, value in values.items() if value > 0])
    counts = _by_post(_about(evidence.store, "counts", sample["post"]).filter(valued))
    for row in sample.iter_rows(named=True):
        post = posts[row["post"]]
        kinds = reported.filter(valued, logged=True, network=post["network"])["kind"]
        again = recount(
            post,
            actions.get(row["post"], ()),
            counts.get(row["post"], ()),
            frozenset(kinds.to_list()),
            evidence.params.label.horizon,
        )
        outcome = sum(values[kind] * number for kind, number in again.kinds.items())
        told = {**again.kinds, "outcome": outcome, "ripe_at": again.ripe_at}
        told |= {name: post[name] for name in ("account", "network", "happened_at")}
        different = [name for name, value in told.items() if not _same(row[name], value)]
        if different:
            name = different[0]
            yield f"{name} of {row['post']} is {row[name]}, the tables say {told[name]}"


def _about(store: FeatureStore, table: str, posts: pl.Series) -> pl.DataFrame:
    """The rows of a table that are about some posts."""
    mine = pl.col("post").is_in(posts.implode())
    return pl.concat(rows.filter(mine) for rows in store.rows(table, *SCHEMAS[table]))


def _by_post(frame: pl.DataFrame) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        grouped.setdefault(row["post"], []).append(row)
    return grouped


def _same(got: object, expected: object) -> bool:
    if isinstance(got, float) and isinstance(expected, float | int):
        return abs(got - expected) <= 1e-9 * max(1.0, abs(expected))
    return got == expected


def _other_features(evidence: Evidence, sample: pl.DataFrame) -> Iterator[str]:
    """Features that differ when measured again: at the posts' own moments, and where nothing later is there to see."""
    names = [name for name in evidence.model.contract.names if name != WORDING.name]
    posts = sample.select("post", "as_of").join(
        _about(evidence.store, "posts", sample["post"]), on="post", maintain_order="left"
    )
    streams = evidence.store.streams_of(posts["account"].unique())
    own = compute(posts.drop("as_of"), streams)
    yield from _unequal(sample, own, names, "measured again")
    for (as_of,), part in posts.partition_by("as_of", as_dict=True, maintain_order=True).items():
        erased = evidence.store.streams_of(part["account"].unique(), as_of)
        yield from _unequal(compute(part, streams), compute(part, erased), names, f"erased from {as_of:%Y-%m-%d}")
        first = part.filter(pl.col("happened_at") == as_of).drop("as_of")
        rows = first.select("post").join(sample, on="post", maintain_order="left")
        yield from _unequal(rows, compute(first, erased), names, f"erased from {as_of:%Y-%m-%d}")


def _unequal(got: pl.DataFrame, expected: pl.DataFrame, names: Sequence[str], how: str) -> Iterator[str]:
    """The first feature and post of which a bit differs; rows of both in the same order."""
    different = _bits(got.select(names)) != _bits(expected.select(names))
    for row, column in np.argwhere(different)[:1].tolist():
        name, posts = names[column], int(different.any(axis=1).sum())
        more = f", as for {posts - 1} more" if posts > 1 else ""
        yield f"{name} of {got['post'][row]} is {got[name][row]}, {how} {expected[name][row]}{more}"


def _bits(frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The 64 bits of each value; every missing one has the same."""
    return frame.fill_null(np.nan).to_numpy().copy().view(np.int64)


def _other_words(evidence: Evidence) -> Iterator[str]:
    """Posts of the first judged block whose words count otherwise when nothing that was not known before it is there."""
    dataset, block = evidence.dataset, evidence.dataset.plan.rolling[1]
    known = dataset.where(pl.col("ripe_at") < block.start)
    corpus = Corpus.of(dataset.texts.filter(known))
    words = learn_words(dataset.frame.select(LEARNED_BY).filter(known), corpus, block.start, evidence.params.wording)
    inside = evidence.judged.filter(block.judged())
    posts = inside.gather_every(max(1, inside.height // POSTS)).select("post", WORDING.name)
    said = posts.join(_about(evidence.store, "posts", posts["post"]), on="post", maintain_order="left")
    again = said.with_columns(pl.Series(WORDING.name, words.values(said["text"].to_list())))
    yield from _unequal(posts, again, [WORDING.name], "learned from what was known")
