"""Signs of engagement that was arranged: bursts, strangers, groups that applaud one another, followings given up.

Shares that people can read. Actions count one each here, so that a crowd nobody knows is seen in full; a model may
only hold them against a post (`direction` −1), so that nobody gains by arranging any.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from clout.data.acquaintance import MONTH
from clout.data.history import History
from clout.data.ordered import changes, in_order
from clout.data.windows import ONE, Stream, stream
from clout.features.feature import Feature, past, share

BURST = timedelta(minutes=10)
BURST_ACTIONS = 5


def streams(history: History) -> dict[str, Stream]:
    """How many accounts were followed and given up."""
    change = pl.when(pl.col("account") == pl.col("account").shift(1)).then(pl.col("following").diff())
    steps = {"rise": change.clip(lower_bound=0), "fall": (-change).clip(lower_bound=0)}
    profiles = history.profiles.drop_nulls("following")
    return {"followings": stream(profiles, ["account"], tie="happened_at", totals=steps)}


def marked(actions: pl.DataFrame) -> pl.DataFrame:
    """`actions`, as `audience.engagers` gives them, each with what was unusual of it when it came.

    - burst: at least five other actions on its post came in the ten minutes before it, more than in all the time before
      those; on a post more than ten minutes old, for a young one has all its actions in the last minutes, and of the 30
      days before
    - stranger: its engager had acted on no other account in the 90 days before
    - pod: the account and the engager act on each other, and more than half of the engager's actions of the 30 days before
      went to accounts that had acted on it
    """
    age = pl.col("at") - pl.max_horizontal("posted_at", "posted_known_at")
    return actions.with_columns(
        burst=((age > BURST) & (age < MONTH)).fill_null(value=False) & _sudden(actions),
        stranger=pl.col("others") == 0,
        pod=pl.col("mutual") & (2 * pl.col("answered") > pl.col("acted")),
    )


def _sudden(actions: pl.DataFrame) -> pl.Series:
    """Whether five actions or more on its post came in the ten minutes before each, more than in all the time before those."""
    rows = in_order(actions.select("post", "at").with_row_index("row").drop_nulls("post"), "post", "at")
    fifth = pl.col("at").diff(BURST_ACTIONS) < BURST, pl.col("post") == pl.col("post").shift(BURST_ACTIONS)
    crowded = rows.join(rows.filter(*fifth).select("post").unique(), on="post", how="semi", maintain_order="left")
    place = pl.int_range(pl.len()).over("post")
    counted = crowded.with_columns(
        lately=ONE.cast(pl.Int64).rolling_sum_by("at", window_size="10m", closed="none").over("post").fill_null(0),
        ever=pl.when(changes("post", "at")).then(place).forward_fill(),
    )
    sudden = counted.filter((pl.col("lately") >= BURST_ACTIONS) & (2 * pl.col("lately") > pl.col("ever")))
    return actions.select(pl.int_range(pl.len()).is_in(sudden["row"].implode())).to_series()


def _unusual(
    name: str, label: str, fact: str, expression: pl.Expr, missing: str, unit: str = "of the reactions"
) -> Feature:
    fine, arranged = f"{fact} That looks natural.", f"{fact} Fewer would be better."
    return Feature(name, "audience", unit, label, fine, arranged, expression, direction=-1, missing=missing)


def _of_actions(name: str, label: str, fact: str) -> Feature:
    part = share(past("actions", name, "30d"), past("actions", "n", "30d"))
    return _unusual(f"actions_{name}_share_30d", label, fact, part, "who reacted is not known, or nobody did")


RISE, FALL = past("followings", "rise", "30d"), past("followings", "fall", "30d")
FEATURES = (
    _of_actions("burst", "reactions that came in a burst", "Sudden bursts brought you {value}."),
    _of_actions(
        "stranger",
        "reactions from accounts that react to nobody else",
        "Accounts that react to nobody else gave you {value}.",
    ),
    _of_actions(
        "pod",
        "reactions from groups that react to one another",
        "Groups that react to one another gave you {value}.",
    ),
    _unusual(
        "following_churn_share_30d",
        "newly followed accounts given up again",
        "You gave up {value}.",
        share(pl.min_horizontal(RISE, FALL), RISE),
        "nobody was newly followed, or profiles are not known",
        "of the newly followed",
    ),
)
