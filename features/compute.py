"""Features of posts from what was known before them: one definition for a million posts and for one request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from clout.data.engagers import record
from clout.data.history import History
from clout.data.moments import Ints
from clout.data.ordered import in_order
from clout.data.tables import SCHEMAS
from clout.data.windows import WIDTHS, Asked, Stream
from clout.features import audience, messenger, network, standing, timing, unusual
from clout.features.catalogue import FEATURES
from clout.features.message import with_form
from clout.features.shared import Shared

IDS = ("post", "account", "network", "happened_at")
MEASURED = Shared({feature.name: feature.expression.cast(pl.Float64) for feature in FEATURES})
Wanted = dict[str, list[str]]
SAID = {name: kind for name, kind in SCHEMAS["posts"].items() if name not in {*IDS, "known_at"}}


@dataclass(frozen=True)
class Streams:
    """The past as running totals, by stream name; `logged` are the networks that tell who acts, a fact without a clock."""

    by_name: dict[str, Stream]
    logged: frozenset[str]

    def among(self, accounts: Sequence[str]) -> Streams:
        """The same past for some accounts, and perhaps for others between them in the alphabet."""
        cut = {
            name: stream if stream.key[0] == "network" else stream.among(accounts)
            for name, stream in self.by_name.items()
        }
        return replace(self, by_name=cut)


def prepare(history: History) -> Streams:
    """The streams of `history` that the catalogue looks things up in."""
    of_accounts = prepare_alone(history)
    return with_networks(of_accounts, network.sums(history.posts, history.outcomes, of_accounts.by_name["outcomes"]))


def with_networks(of_accounts: Streams, sums: network.Sums) -> Streams:
    """The streams of accounts beside those of their networks."""
    return replace(of_accounts, by_name={**of_accounts.by_name, **sums.streams()})


def prepare_alone(history: History, records: pl.DataFrame | None = None) -> Streams:
    """The streams of `history` that hang on no other account's usual.

    `records` say what the engagers' own posts had drawn (see `data.engagers.record`), where not all of them are there.
    """
    drawn = messenger.streams(history)
    records = record(history.actions, drawn["outcomes"]) if records is None else records
    actions = unusual.marked(audience.engagers(history, records))
    by_name = {
        **drawn,
        **timing.streams(history),
        **audience.streams(history, actions),
        **unusual.streams(history),
        **standing.streams(history),
    }
    reported = history.coverage.reported
    logged = frozenset(reported.filter(pl.col("logged"))["network"].to_list())
    return Streams(by_name, logged)


def compute(posts: pl.DataFrame, streams: Streams, wording: pl.Series | None = None) -> pl.DataFrame:
    """One row a post, in the order of `posts`: post, account, network, happened_at, then every feature as Float64.

    `posts` has the columns of the posts table; `known_at` is not read: a post is judged with what was known before its
    `happened_at`, or before its `as_of` where there is such a column (an earlier post judged with what is known now).
    `wording` is the lift of each post's words (see `features.wording`), missing when None. Missing is null.
    """
    context = look_up(posts, streams, root_names())
    context = context.with_columns(wording=pl.lit(None, pl.Float64) if wording is None else wording)
    return MEASURED.select(context, *IDS)


def look_up(posts: pl.DataFrame, streams: Streams, names: Iterable[str]) -> pl.DataFrame:
    """`posts` with their form and the looked-up columns `names`."""
    as_of = pl.col("as_of" if "as_of" in posts.columns else "happened_at")
    timed = posts.with_columns(at=as_of, logged=pl.col("network").is_in(list(streams.logged)))
    queries = with_form(timed)
    wanted: dict[str, Wanted] = defaultdict(lambda: defaultdict(list))
    for name in names:
        source, column, width = name.split("|")
        wanted[source][width].append(column)
    keys = dict.fromkeys(["account", *(key for source in wanted for key in streams.by_name[source].key)])
    asked = in_order(queries.select(*keys, "at").with_row_index("row"), "account", "at")
    found = _found(asked, asked["row"].arg_sort().to_numpy(), streams, wanted)
    return pl.concat([queries, *found], how="horizontal")


def _found(queries: pl.DataFrame, rows: Ints, streams: Streams, wanted: Mapping[str, Wanted]) -> Iterator[pl.DataFrame]:
    """What is `wanted` of each stream, for these `rows` of `queries`, which are soonest found by account and time."""
    for source, by_width in wanted.items():
        backs = [None, *(WIDTHS[width] for width in by_width if width in WIDTHS)]
        asked = Asked.of(queries, streams.by_name[source], backs).taken(rows)
        for width, columns in by_width.items():
            values = asked.newest(columns) if width == "last" else asked.window(columns, WIDTHS.get(width))
            yield values.rename({column: f"{source}|{column}|{width}" for column in columns})


def compute_accounts(accounts: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    """What is known of accounts (account, network) before `at`: these three, then each feature that no post changes.

    So a post of theirs has the same values at that moment, whatever it says.
    """
    names = of_accounts()
    asked = accounts.with_columns(happened_at="at", **{name: pl.lit(None, kind) for name, kind in SAID.items()})
    roots = {root for feature in FEATURES if feature.name in names for root in feature.expression.meta.root_names()}
    context = look_up(asked, streams, sorted(root for root in roots if "|" in root))
    named = [feature.expression.cast(pl.Float64).alias(feature.name) for feature in FEATURES if feature.name in names]
    return context.select("account", "network", "at", *named)


def of_accounts() -> list[str]:
    """The features that say the same of every post of an account at one moment."""
    keyed = ("outcomes", "profiles", "actions", "engagers", "followings", "standings", "network_outcomes")

    def known(root: str) -> bool:
        return root in {"at", "logged"} or root.split("|", maxsplit=1)[0] in keyed

    return [feature.name for feature in FEATURES if all(known(root) for root in feature.expression.meta.root_names())]


def root_names() -> list[str]:
    """Every looked-up column that some feature of the catalogue reads, in a fixed order."""
    roots = {name for feature in FEATURES for name in feature.expression.meta.root_names() if "|" in name}
    return sorted(roots)
