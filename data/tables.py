"""The tables of the lake: their columns, keys and the rules every row must keep."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

import polars as pl

from clout.data.ordered import coded
from clout.data.values import TIME, read
from clout.errors import CloutError

KINDS = ("like", "reshare", "reply", "quote", "mention", "reaction", "view", "save", "follow")
NO_REACTIONS = ("view", "follow")
POST_KINDS = ("original", "reply", "quote", "reshare")
STANDING_KINDS = ("view", "link")
LONGEST_TEXT = 100_000
EARLIEST = datetime.fromisoformat("1990-01-01T00:00:00+00:00")

SCHEMAS: dict[str, pl.Schema] = {
    "accounts": pl.Schema({"account": pl.String(), "network": pl.String(), "handle": pl.String(), "created_at": TIME}),
    "profiles": pl.Schema(
        {"account": pl.String(), "happened_at": TIME, "known_at": TIME, "followers": pl.Int64()}
        | {"following": pl.Int64(), "listed": pl.Int64(), "posts": pl.Int64(), "verified": pl.Boolean()}
    ),
    "posts": pl.Schema(
        {"post": pl.String(), "account": pl.String(), "network": pl.String(), "happened_at": TIME}
        | {"known_at": TIME, "text": pl.String(), "lang": pl.String(), "kind": pl.String()}
        | {name: pl.Int64() for name in ("n_media", "n_urls", "n_hashtags", "n_mentions")}
    ),
    "actions": pl.Schema(
        {"action": pl.String(), "post": pl.String(), "account": pl.String(), "actor": pl.String()}
        | {"kind": pl.String(), "happened_at": TIME, "known_at": TIME}
    ),
    "counts": pl.Schema(
        {"post": pl.String(), "kind": pl.String(), "count": pl.Int64(), "happened_at": TIME}
        | {"known_at": TIME, "retrospective": pl.Boolean()}
    ),
    "identities": pl.Schema({"person": pl.String(), "account": pl.String(), "happened_at": TIME, "known_at": TIME}),
    "standings": pl.Schema(
        {"account": pl.String(), "page": pl.String(), "kind": pl.String(), "count": pl.Int64()}
        | {"happened_at": TIME, "known_at": TIME}
    ),
    "removals": pl.Schema({"removed": pl.String(), "account": pl.String(), "happened_at": TIME, "known_at": TIME}),
}
# Columns a source may give on entry; they say which rows may come in, and are never kept.
ENTRY: dict[str, pl.Schema] = {"accounts": pl.Schema({"minor": pl.Boolean()})}
KEYS: dict[str, tuple[str, ...]] = {
    "accounts": ("account",),
    "profiles": ("account", "happened_at"),
    "posts": ("post",),
    "actions": ("action",),
    "counts": ("post", "kind", "happened_at"),
    "identities": ("person", "account"),
    "standings": ("account", "kind", "happened_at"),
    "removals": ("removed",),
}
NULLABLE: dict[str, frozenset[str]] = {
    "accounts": frozenset({"handle", "created_at"}),
    "profiles": frozenset({"followers", "following", "listed", "posts", "verified"}),
    "posts": frozenset({"text", "lang", "n_media", "n_urls", "n_hashtags", "n_mentions"}),
    "actions": frozenset({"post"}),
    "counts": frozenset(),
    "identities": frozenset(),
    "standings": frozenset(),
    "removals": frozenset(),
}
IDS = ("account", "post", "action", "actor", "removed")
REJECTS = pl.Schema(
    {
        "table": pl.String(),
        "row": pl.Int64(),
        "reason": pl.String(),
        "sentence": pl.String(),
        "raw": pl.String(),
    }
)
BESIDE = ("row", "reason", "sentence")
SAME = "a row before it says the same"
CONFLICT = "a row before it has the same key and says something else"
MINOR = "minor"
DELETED = "deleted"
TWO_PERSONS = "two_persons"
CLAIMED = "another person has declared this account before"


class TableError(CloutError):
    """A frame whose columns are not those of the table."""

    code = "table"


@dataclass(frozen=True)
class Rule:
    """A reason to reject a row: a code for programs, a sentence for people, and the rows it strikes."""

    code: str
    sentence: str
    broken: pl.Expr


def rules(table: str, now: datetime) -> list[Rule]:
    """The rules of `table`, in the order in which they are tried; `now` is when the future begins."""
    schema = SCHEMAS[table]
    required = [name for name in schema if name not in NULLABLE[table]]
    ids = [name for name in IDS if name in schema]
    times = [name for name in schema if name.endswith("_at")]
    numbers = [name for name, kind in schema.items() if kind == pl.Int64]
    names = [name for name in (*IDS, "person", "handle") if name in schema]
    missing = [name for name in required if name not in (*ids, *times, "person")]
    early = "it is dated before 1990: is the unit of its time right?"
    named = [name for name in (*ids, "person") if name in required]
    return [
        *(rule for column, make in _ENTRY_RULES.items() if column in ENTRY.get(table, ()) for rule in make(table)),
        Rule("missing_id", "an id is missing", _any(map(_blank, named))),
        Rule("missing_time", "its time is missing", _any(_absent(name) for name in times if name in required)),
        *([Rule("missing_value", f"{_one_of(missing)} is missing", _any(map(_absent, missing)))] if missing else []),
        Rule(
            "nul_character", "a name in it holds the character NUL, which no database keeps", _any(map(_has_nul, names))
        ),
        Rule("id_without_network", "an id does not read network/id", _any(map(_unprefixed, ids))),
        Rule("too_early", early, _any(pl.col(name) < EARLIEST for name in times)),
        Rule("future", "it is dated after now", _any(pl.col(name) > now for name in times)),
        Rule("negative_number", "a number of things is below zero", _any(pl.col(name) < 0 for name in numbers)),
        *(rule for column, make in _COLUMN_RULES.items() if column in schema for rule in make(table)),
    ]


def _one_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _network_rules(table: str) -> list[Rule]:
    ids = [name for name in IDS if name in SCHEMAS[table]]
    foreign = _any(~pl.col(name).str.starts_with(pl.col("network") + "/") for name in ids)
    return [Rule("other_network", "an id does not begin with the row's network", foreign)]


def _clock_rules(_: str) -> list[Rule]:
    early = pl.col("known_at") < pl.col("happened_at")
    return [Rule("known_before_happened", "it was known before it happened", early)]


def _kind_rules(table: str) -> list[Rule]:
    kinds = {"posts": POST_KINDS, "standings": STANDING_KINDS}.get(table, KINDS)
    sentence = f"its kind is none of {', '.join(kinds)}"
    return [Rule("unknown_kind", sentence, ~pl.col("kind").is_in(kinds))]


def _text_rules(_: str) -> list[Rule]:
    long = pl.col("text").str.len_chars() > LONGEST_TEXT
    return [Rule("text_too_long", f"its text is longer than {LONGEST_TEXT:,} characters", long)]


def _minor_rules(_: str) -> list[Rule]:
    return [Rule(MINOR, "its source says that it is a minor's", pl.col("minor"))]


_ENTRY_RULES: dict[str, Callable[[str], list[Rule]]] = {"minor": _minor_rules}
_COLUMN_RULES: dict[str, Callable[[str], list[Rule]]] = {
    "network": _network_rules,
    "known_at": _clock_rules,
    "kind": _kind_rules,
    "text": _text_rules,
}


def validate(table: str, frame: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(accepted, rejects): the rows that keep every rule, typed as the table, and the others with a reason.

    Values of another type are read where they can be (`"12"`, `12.0`, ISO times). Nullable columns may be
    absent. A `row` column numbers the rows as their source does, else they count from 1; `reason` and `sentence`
    columns mark rows that are rejected already. Of rows with one key the first stays, of persons that declare one
    account the first too. What a minor's row said is not told.
    """
    typed = _minors_first(_typed(table, _complete(table, frame))).with_row_index("place")
    judged = _judged(typed, rules(table, now))
    good = judged["reason"].is_null()
    kept, repeats = first_of_each_key(table, judged.filter(good))
    kept, claimed = _one_person(kept) if table == "identities" else (kept, repeats.clear())
    bad = pl.concat([judged.filter(~good), repeats, claimed]).sort("place").select("place", *BESIDE)
    told = as_json(frame[bad["place"]].drop(BESIDE, strict=False))
    raw = pl.when(pl.col("reason") != MINOR).then(told).otherwise(pl.lit(""))
    columns = [*SCHEMAS[table], *(name for name in ("row",) if name in frame.columns)]
    return kept.select(columns), bad.select(pl.lit(table).alias("table"), *BESIDE, raw=raw)


def first_of_each_key(table: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(first, repeats): the first row of each key, and the later ones with `reason` and `sentence` filled in."""
    key = KEYS[table]
    is_first = frame.select(pl.struct(key) if len(key) > 1 else pl.col(key)).to_series().is_first_distinct()
    first, again = frame.filter(is_first), frame.filter(~is_first)
    same = equal_rows(table, again, first)
    reason = pl.when(same).then(pl.lit("duplicate")).otherwise(pl.lit("conflicting_duplicate"))
    sentence = pl.when(same).then(pl.lit(SAME)).otherwise(pl.lit(CONFLICT))
    return first, again.with_columns(reason=reason, sentence=sentence)


def minors_in(accounts: pl.DataFrame) -> frozenset[str]:
    """The accounts that rows on entry, as `validate` takes them, say are minors'."""
    if "minor" not in accounts.columns:
        return frozenset()
    flag = read(pl.col("minor"), accounts.schema["minor"], pl.Boolean()).value
    return frozenset(accounts.filter(flag)["account"].cast(pl.String).drop_nulls())


def other_person(rows: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """True for each identity in `rows` whose account another person has declared in `known`."""
    owner = known.group_by("account").agg(owner=pl.col("person").first())
    joined = rows.select("person", "account").join(owner, on="account", how="left", maintain_order="left")
    return joined.select((pl.col("person") != pl.col("owner")).fill_null(value=False)).to_series()


def _one_person(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(first, others): the identities of the first person to declare each account, and the others with a reason."""
    claimed = other_person(rows, rows.unique("account", keep="first", maintain_order=True))
    return rows.filter(~claimed), rows.filter(claimed).with_columns(
        reason=pl.lit(TWO_PERSONS), sentence=pl.lit(CLAIMED)
    )


def equal_rows(table: str, rows: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """True for each of `rows` that `known` holds too, with every column equal; `known` has each key once."""
    columns = SCHEMAS[table].names()
    told = known.select(columns).with_columns(same=pl.lit(value=True))
    joined = rows.select(columns).join(told, on=columns, how="left", nulls_equal=True, maintain_order="left")
    return joined["same"].fill_null(value=False)


def as_json(frame: pl.DataFrame) -> pl.Series:
    """Each row of `frame` as a JSON object, one string a row."""
    lines = frame.write_ndjson().split("\n")
    return pl.Series(lines[: frame.height], dtype=pl.String)


def network_of(name: str) -> pl.Expr:
    """The network that an id in this column belongs to: what stands before its first slash."""
    return pl.col(name).str.head(pl.col(name).str.find("/", literal=True))


def networks_of(ids: pl.Series) -> pl.Series:
    """The `network` that each of these ids, which are categories, belongs to: found once for each id.

    >>> networks_of(pl.Series("account", ["x/1", "y/1", "x/1"], dtype=pl.Categorical)).to_list()
    ['x', 'y', 'x']
    """
    numbers, different = coded(ids)
    told = different.cast(pl.String).to_frame("id").select(network=network_of("id").cast(pl.Categorical))
    return told["network"].gather(numbers)


def without_networks(frame: pl.DataFrame, networks: Collection[str]) -> pl.DataFrame:
    """The rows of a table that belong to no account of these networks."""
    named = next(name for name in ("account", "post") if name in frame.columns)
    return frame.filter(~network_of(named).is_in(list(networks)))


def entered(table: str) -> dict[str, pl.DataType]:
    """The columns a row of `table` may have on entry: its own, then those that are not kept."""
    return {**SCHEMAS[table], **ENTRY.get(table, {})}


def _complete(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    schema = entered(table)
    absent = [name for name in SCHEMAS[table] if name not in frame.columns and name not in NULLABLE[table]]
    other = [name for name in frame.columns if name not in schema and name not in BESIDE]
    if absent or other:
        got = f"without {', '.join(absent)}" if absent else f"with {', '.join(other)}, which it does not have"
        raise TableError(f"got {table} {got}; expected the columns {', '.join(schema)}: add, rename or drop columns")
    beside = {
        "row": pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        "reason": pl.lit(None, pl.String),
        "sentence": pl.lit(None, pl.String),
    }
    filled = {name: pl.lit(None, kind) for name, kind in schema.items()}
    return frame.select(
        *(filled[name].alias(name) if name not in frame.columns else pl.col(name) for name in schema),
        *(beside[name].alias(name) if name not in frame.columns else pl.col(name) for name in BESIDE),
    )


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` typed as `table`; rows with a value that cannot be read get a reason, unless they have one."""
    schema = entered(table)
    readings = {name: read(pl.col(name), frame.schema[name], kind) for name, kind in schema.items()}
    faults = [
        Rule(fault.code, fault.words.format(column=name), fault.broken)
        for name, reading in readings.items()
        for fault in reading.faults
    ]
    return _judged(frame, faults).with_columns(**{name: reading.value for name, reading in readings.items()})


def _minors_first(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` where what else is wrong with a minor's row is no reason: that it is a minor's is the only one."""
    if "minor" not in frame.columns:
        return frame
    other = pl.when(~pl.col("minor").fill_null(value=False))
    return frame.with_columns(reason=other.then("reason"), sentence=other.then("sentence"))


def _judged(frame: pl.DataFrame, declared: Iterable[Rule]) -> pl.DataFrame:
    """`frame` with the reason and sentence of the first rule each row breaks; a reason it has already stays."""
    reasons, sentences = [pl.col("reason")], [pl.col("sentence")]
    for rule in declared:
        reasons.append(pl.when(rule.broken).then(pl.lit(rule.code)))
        sentences.append(pl.when(rule.broken).then(pl.lit(rule.sentence)))
    return frame.with_columns(reason=pl.coalesce(reasons), sentence=pl.coalesce(sentences))


def _any(broken: Iterable[pl.Expr]) -> pl.Expr:
    return reduce(or_, (expression.fill_null(value=False) for expression in broken), pl.lit(value=False))


def _absent(name: str) -> pl.Expr:
    return pl.col(name).is_null()


def _blank(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name) == "")


def _has_nul(name: str) -> pl.Expr:
    return pl.col(name).str.contains("\0", literal=True)


def _unprefixed(name: str) -> pl.Expr:
    return ~pl.col(name).str.contains(r"^[^/]+/.")
