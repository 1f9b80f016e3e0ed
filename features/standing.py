"""Standing outside the network: how much the Wikipedia page that is declared as an account's is read and linked to."""

from __future__ import annotations

import polars as pl

from clout.data.history import History
from clout.data.windows import Stream, stream
from clout.features.audience import unproven
from clout.features.feature import Feature, past, share


def streams(history: History) -> dict[str, Stream]:
    """Views of the page by day, and the newest number of pages that link to it."""
    viewed = pl.col("kind") == "view"
    totals = {"days": viewed, "views": pl.when(viewed).then("count")}
    links = pl.when(pl.col("kind") == "link").then("count").forward_fill()
    return {
        "standings": stream(history.standings, ["account"], tie="happened_at", totals=totals, lasts={"links": links})
    }


MORE, FEWER = (f"That points to {way} reactions." for way in ("more", "fewer"))
VIEWED = "In the last month, your Wikipedia page drew {value} a day."
LINKED = "Your Wikipedia page has links from {value}."
FEATURES = (
    Feature(
        "page_views_mean_30d",
        "audience",
        "views a day",
        "views of your Wikipedia page",
        f"{VIEWED} {MORE}",
        f"{VIEWED} {FEWER}",
        unproven(share(past("standings", "views", "30d"), past("standings", "days", "30d"))),
        missing="no views of a page of yours are known, or what earlier posts drew counts instead",
    ),
    Feature(
        "page_links_last",
        "audience",
        "pages",
        "pages that link to your Wikipedia page",
        f"{LINKED} {MORE}",
        f"{LINKED} {FEWER}",
        past("standings", "links", "last"),
        direction=1,
        missing="no Wikipedia page of yours is known",
    ),
)
