"""What the network around the account does: its usual level just before the post."""

from __future__ import annotations

import polars as pl

from clout.features.feature import Feature, mean


def _network(name: str, label: str, expression: pl.Expr) -> Feature:
    return Feature(
        name,
        "network",
        "actions (typical)",
        label,
        f"The {label}, {{value}}, lifts every post.",
        f"The {label}, {{value}}, holds every post back.",
        expression,
        missing="no post on this network has a known result",
    )


FEATURES = (
    _network(
        "network_outcome_log_mean_30d",
        "usual reactions on this network in the last month",
        mean("network_outcomes", "log", "30d"),
    ),
)
