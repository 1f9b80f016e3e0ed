"""The check that whoever was forgotten is not in what was learned from."""

from __future__ import annotations

from itertools import chain

import polars as pl

from clout.data.tables import SCHEMAS
from clout.data.tombstones import ACCOUNTS
from clout.training.checks.check import Check, Verdict, held
from clout.training.checks.evidence import Evidence


class NobodyForgotten(Check[Evidence]):
    """Erasing an account is proved where it would matter: in the data that teach a model."""

    code, title = "CLOUT014", "nobody who was forgotten is in the data"
    why = """
    The id of every account and of everybody who acted, in every table that was read, is hashed as the tombstones of
    the lake are, and so is every post. None of them may be one that was forgotten. On a finding an erasure was broken
    off, or a file was put into the lake by hand. Do not use the model. Run `clout forget` again for the accounts that
    asked for it, which finishes what is left, and train again.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when no account and no post in the data has a tombstone."""
        tombstones = evidence.tombstones
        people, posts = _ids(evidence, ACCOUNTS), _ids(evidence, ("post",))
        found = int(tombstones.accounts_in(people).sum()), int(tombstones.posts_in(posts).sum())
        return Verdict(
            held(not any(found)),
            f"{len(tombstones):,} forgotten accounts looked for among {people.len():,} accounts and engagers: "
            f"{found[0]:,} found, and {found[1]:,} of their posts",
        )


def _ids(evidence: Evidence, columns: tuple[str, ...]) -> pl.Series:
    """Every id in any of `columns` of any table and of the dataset, once."""
    there = {table: [name for name in columns if name in schema] for table, schema in SCHEMAS.items()}
    every = (rows for table, names in there.items() if names for rows in evidence.store.rows(table, *names))
    ids, more = pl.Series(dtype=pl.String), list[pl.Series]()
    for frame in chain(every, [evidence.dataset.frame]):
        more += [frame[name].unique() for name in columns if name in frame.columns]
        if sum(map(len, more)) > len(ids):
            ids, more = pl.concat([ids, *more]).unique(), []
    return pl.concat([ids, *more]).unique().drop_nulls()
