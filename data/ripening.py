"""Which posts have an outcome, from when, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from clout.data.coverage import Coverage
from clout.data.labels import outcomes_from_counts


@dataclass(frozen=True)
class Ripening:
    """The posts that have an outcome, and all that is known of it but what weighed actions drew.

    `posts`: post, account, network, published_at, at (when it had ripened and its post was known), then `counted <kind>`
    and `logged <kind>` (whether what was drawn counts) for each kind of action in `action_values` that has a value.
    """

    posts: pl.DataFrame
    action_values: Mapping[str, float]

    @classmethod
    def of(
        cls,
        posts: pl.DataFrame,
        counts: pl.DataFrame,
        drawing: pl.Series,
        horizon: timedelta,
        action_values: Mapping[str, float],
        known: Coverage,
    ) -> Ripening:
        """The ripening of `posts`, of which those in `drawing` drew an action; reshares are nobody's own.

        A kind that a network logs is taken from the log; of the others that have a value a count must be known first. A
        post of such a network has none if neither it nor an action on it was heard of before it had ripened: no log was
        kept. None of whose kinds has a value has none either, nor has one that ripens after the data end.
        """
        valued = {kind: value for kind, value in action_values.items() if value > 0}
        unheard = pl.col("known_at") > pl.col("happened_at") + horizon
        silent = unheard & pl.col("network").is_in(known.in_logs) & ~pl.col("post").is_in(drawing.implode())
        own = posts.filter(pl.col("kind") != "reshare", ~silent)
        awaited = known.reported.filter(~pl.col("logged"), pl.col("kind").is_in([*valued]))
        expected = own.select("post", "network").join(awaited, on="network").select("post", "kind")
        counted = outcomes_from_counts(own, counts.join(expected, on=["post", "kind"], how="semi"), horizon)
        of_kinds = by_kind(counted, [*valued], "counted", pl.col("ripe_at").max())
        logged = {f"logged {kind}": pl.col("network").is_in(known.networks(kind, logged=True)) for kind in valued}
        needed = pl.col("network").is_in(awaited["network"].unique().implode())
        ripe_at = pl.coalesce("ripe_at", pl.col("happened_at") + horizon)
        ripe = (
            own.lazy()
            .join(of_kinds.lazy(), on="post", how="left")
            .with_columns(**logged)
            .filter(pl.col("ripe_at").is_not_null() | (~needed & pl.any_horizontal(*logged)))
            .join(known.through.lazy(), on="network")
            .with_columns(ripe_at)
            .filter(pl.col("ripe_at") <= pl.col("through"))
            .with_columns(pl.max_horizontal("ripe_at", "at").alias("at"), published_at="happened_at")
            .select(
                "post", "account", "network", "published_at", "at", *logged, *of_kinds.drop("post", "ripe_at").columns
            )
            .sort("at", "post")
            .collect()
        )
        return cls(ripe, valued)

    def outcomes(self, drew: pl.DataFrame) -> pl.DataFrame:
        """The posts with `outcome` (Σ value × count) and one column a kind, from what they `drew` (post, kind, count).

        A kind that nobody took counts 0 where it is logged; null is a kind that is not reported.
        """
        weighed = self.posts.join(
            by_kind(drew, [*self.action_values], "drew"), on="post", how="left", maintain_order="left"
        )
        kinds = {
            kind: pl.when(f"logged {kind}").then(pl.col(f"drew {kind}").fill_null(0.0)).otherwise(f"counted {kind}")
            for kind in self.action_values
        }
        terms = [pl.col(kind) * value for kind, value in self.action_values.items()]
        told = weighed.with_columns(**kinds).with_columns(outcome=pl.sum_horizontal(terms))
        return told.select("post", "account", "network", "published_at", "at", "outcome", *kinds)


def by_kind(counts: pl.DataFrame, kinds: Sequence[str], name: str, *more: pl.Expr) -> pl.DataFrame:
    """Rows (post, kind, count) as one row a post with a column `<name> <kind>` each, null where it has none."""
    each = [pl.col("count").filter(pl.col("kind") == kind).first().alias(f"{name} {kind}") for kind in kinds]
    return counts.lazy().group_by("post").agg(*each, *more).collect()
