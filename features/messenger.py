"""What the account's earlier posts drove: its track record, from ripened outcomes alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

import polars as pl

from clout.data.history import History
from clout.data.windows import ONE, UNIT, Stream, fixed, stream
from clout.features.feature import Feature, mean, past
from clout.features.message import with_form

KINDS = ("like", "reshare", "reply", "quote")
HALF_LIVES = (3, 30)
SMOOTH = tuple(f"smooth_{posts}" for posts in HALF_LIVES)
NEVER = datetime.fromisoformat("1970-01-01T00:00:00Z")
PRIOR_POSTS = 5.0
FORMS = {
    "kind": ("kind",),
    "link": ("has_link",),
    "media": ("has_media",),
    "form": ("kind", "has_link", "has_media"),
    "daypart": ("daypart",),
    "length": ("length",),
    "opening": ("opening",),
    "hashtag": ("hashtag",),
}
FEW = "fewer than two such posts have a known result"
NONE = "no such post has a known result"


def streams(history: History) -> dict[str, Stream]:
    """Ripe outcomes by account, and by account and form of post."""
    names = {form: None for forms in FORMS.values() for form in forms}
    forms = with_form(history.posts, [name for name in names if name != "kind"]).select("post", *names)
    known = history.outcomes.columns
    events = history.outcomes.join(forms, on="post", how="left").with_columns(
        *(pl.lit(None, pl.Float64).alias(kind) for kind in KINDS if kind not in known),
        log=pl.col("outcome").log1p(),
    )
    simple = {"n": ONE, "log": fixed(pl.col("log"))}

    def by(*form: str) -> Stream:
        return stream(events.drop_nulls(list(form)), ["account", *form], tie="post", totals=simple)

    return {
        "outcomes": _record_of(events, history.earlier),
        **{f"outcomes_{name}": by(*forms) for name, forms in FORMS.items()},
    }


def _record_of(events: pl.DataFrame, earlier: pl.DataFrame) -> Stream:
    """Ripe outcomes by account, after those of which `earlier` has what is to be remembered (see `History`)."""
    remembered = earlier.cast({"account": events.schema["account"]})
    begun = pl.concat([remembered.select("account"), events.select("account")]).unique()
    begun = begun.join(remembered, on="account", how="left").with_columns(
        pl.col("at").fill_null(NEVER), pl.col("n", *SMOOTH).fill_null(0)
    )
    counted = events.with_columns(n=1, best="log", **dict.fromkeys(SMOOTH, pl.col("log")))
    totals = {"n": pl.col("n"), "log": fixed(pl.col("log")), "square": fixed(pl.col("log") ** 2)}
    for kind in KINDS:
        totals[f"{kind}_n"] = pl.col(kind).is_not_null()
        totals[f"{kind}_log"] = fixed(pl.col(kind).log1p())
    lasts = {"best": pl.col("best").cum_max()}
    for posts, name in zip(HALF_LIVES, SMOOTH, strict=True):
        lasts[name] = pl.col(name).ewm_mean(half_life=posts, adjust=False)
        lasts[f"halflife_{posts}"] = lasts[name] / (1 - 0.5 ** (pl.col("n").cum_sum() / posts))
    told = pl.concat([begun, counted], how="diagonal_relaxed")
    whole = stream(told, ["account"], tie="post", totals=totals, lasts=lasts)
    return replace(whole, frame=whole.frame.filter(pl.col("n") > 0))


def level() -> pl.Expr:
    """The account's own level: mean log1p(outcome) of its ripe posts in 365 days, shrunken to the network's mean.

    The network's mean (30 days) weighs as much as `PRIOR_POSTS` posts. Missing while the network has no ripe post.
    """
    n = past("outcomes", "n", "365d").cast(pl.Float64)
    total = past("outcomes", "log", "365d").cast(pl.Float64) / UNIT
    return (total + PRIOR_POSTS * mean("network_outcomes", "log", "30d")) / (n + PRIOR_POSTS)


def _deviation() -> pl.Expr:
    average = mean("outcomes", "log", "90d")
    variance = mean("outcomes", "square", "90d") - average**2
    return pl.when(past("outcomes", "n", "90d") >= 2).then(pl.max_horizontal(variance, 0.0).sqrt())


def _record(
    name: str,
    label: str,
    fact: str,
    expression: pl.Expr,
    unit: str = "actions (typical)",
    direction: Literal[-1, 0, 1] = 1,
    missing: str = "no earlier post has a known result",
) -> Feature:
    more, fewer = (f"{fact} That points to {way} reactions." for way in ("more", "fewer"))
    return Feature(name, "track_record", unit, label, more, fewer, expression, direction, missing=missing)


def _same(form: str, which: str, least: int = 2) -> Feature:
    """Mean log1p(outcome) of the year's posts of the same form; missing when there are fewer than `least` of them."""
    stream_name = f"outcomes_{form}"
    return _record(
        f"outcome_log_mean_same_{form}_365d",
        f"usual reactions to posts {which.rstrip(',')}",
        f"Your posts {which} usually drew {{value}}.",
        pl.when(past(stream_name, "n", "365d") >= least).then(mean(stream_name, "log", "365d")),
        missing=FEW if least > 1 else NONE,
    )


def _usual(kind: str, many: str) -> Feature:
    """Mean log1p of one kind of action in 90 days."""
    return _record(
        f"{many}_log_mean_90d",
        f"usual {many}",
        "In the last three months, your posts usually drew {value}.",
        mean("outcomes", f"{kind}_log", "90d", f"{kind}_n"),
        f"{many} (typical)",
        0,
    )


FEATURES = (
    _record(
        "outcome_level_365d",
        "usual reactions over the year",
        "Over the last year, your posts usually drew {value}.",
        level(),
    ),
    _record(
        "outcome_log_mean_90d",
        "usual reactions in the last three months",
        "In the last three months, your posts usually drew {value}.",
        mean("outcomes", "log", "90d"),
    ),
    _record(
        "outcome_log_mean_3p",
        "reactions to the newest few posts",
        "Your newest few posts usually drew {value}.",
        past("outcomes", "halflife_3", "last"),
    ),
    _record(
        "outcome_log_mean_30p",
        "reactions to about thirty recent posts",
        "Your last thirty posts or so usually drew {value}.",
        past("outcomes", "halflife_30", "last"),
    ),
    _record(
        "outcome_log_max_all",
        "best post so far",
        "Your best post so far drew {value}.",
        past("outcomes", "best", "last"),
    ),
    _record(
        "outcome_log_std_90d",
        "ups and downs between posts",
        "Most of your posts drew {value}.",
        _deviation(),
        "steps on a log scale",
        0,
    ),
    _record(
        "outcome_count_90d",
        "posts of the last three months with a known result",
        "We know what {value} of the last three months drew.",
        past("outcomes", "n", "90d"),
        "posts",
        0,
    ),
    _record(
        "outcome_count_all",
        "posts with a known result so far",
        "We know what {value} of yours drew so far.",
        past("outcomes", "n", "all"),
        "posts",
        0,
    ),
    _usual("like", "likes"),
    _usual("reshare", "reshares"),
    _usual("reply", "replies"),
    _usual("quote", "quotes"),
    _same("kind", "of the same kind"),
    _same("link", "that also have links, or have none,"),
    _same("media", "that also have pictures or videos, or have none,"),
    _same("form", "of the same kind, with the same mix of links and pictures,"),
    _same("daypart", "at the same time of day"),
    _same("length", "of about the same length"),
    _same("opening", "that begin with the same word", least=1),
    _same("hashtag", "with the same first hashtag", least=1),
)
