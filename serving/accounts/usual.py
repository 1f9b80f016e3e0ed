"""What is usual among the accounts of a network, and among those of one size there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from clout.models.explain import MARKS, Quantiles
from clout.serving.accounts.kept import FEWEST
from clout.serving.store.rows import Record, Run, Usual
from clout.serving.store.scores import Store

# Of more, as many are asked.
MOST = 500


def usual(store: Store, run: Run) -> Iterator[Usual]:
    """The quantiles of every network and size group with enough scored accounts in the run."""
    groups: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
    for account, network, size_group in store.scored(run):
        groups[network, None].append(account)
        if size_group is not None:
            groups[network, size_group].append(account)
    for (network, size_group), accounts in groups.items():
        if len(accounts) >= FEWEST:
            asked = store.records_of(run, _evenly(accounts))
            yield Usual(network, size_group, len(accounts), quantiles(asked))


def quantiles(records: Sequence[Record]) -> Quantiles:
    """The marks of each feature over the accounts of `records`; None where none of them has a value."""
    known: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        for name, value in record.detail["values"].items():
            known[name].extend([] if value is None else [value])
    return {name: np.quantile(values, MARKS).tolist() if values else None for name, values in known.items()}


def _evenly(accounts: Sequence[str]) -> list[str]:
    count = min(len(accounts), MOST)
    return [accounts[place * len(accounts) // count] for place in range(count)]
