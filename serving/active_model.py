"""The model that answers now, with the history it needs: loaded whole and verified, or not ready for a reason.

A running service follows its home: it takes the champion that comes, and what is new in the lake, while the one before
goes on answering.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.data.published import Published
from clout.data.ties import Ties
from clout.errors import CloutError
from clout.features import warm
from clout.features.catalogue import CONTRACT
from clout.features.heard import Heard
from clout.features.request import Past
from clout.features.wording import Wording
from clout.models import golden, registry
from clout.models.score_model import ScoreModel
from clout.serving.written import WrittenReasons

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger("clout.serving")
LOOK_SECONDS = 1.0
# Looking at a lake costs a listing, over the network perhaps, and taking its news in costs seconds of a core.
LAKE_SECONDS = 10.0
LAKE_SHARE = 10.0
RETRY_SECONDS = 30.0
LOADING = "the model is being loaded; expected it in a few seconds: try again"
NO_MODEL = "no model could be loaded; expected a champion that verifies and a lake to read: see the log of the service"


class NotReadyError(CloutError):
    """No model can answer now."""

    code = "not_ready"


@dataclass(frozen=True)
class Loaded:
    """One model and one state of the lake, which belong together in every answer.

    `accounts` are those that can be asked for: who is registered or has posted, not who only acted on others;
    `handles` are their keys by network and handle as it is looked up, `written` the handles that are written otherwise, by
    account; `example` is the account whose posts have drawn most, or any once that is erased;
    `batches` name what the lake held, `published` are its posts; `ties` are who acts on whom among `accounts`; `persons`
    are all accounts of the person who declared an account, by each of them.
    """

    model: ScoreModel
    wording: Wording | None
    past: Past
    accounts: frozenset[str]
    handles: Mapping[tuple[str, str], tuple[str, ...]]
    example: str
    batches: frozenset[str]
    ties: Ties
    published: Published
    persons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def reasons(self) -> WrittenReasons:
        """What writes the reasons of the model."""
        return WrittenReasons(self.model.phrasebook)

    @classmethod
    def of(cls, model: ScoreModel, heard: Heard, lake: Lake, batches: frozenset[str]) -> Loaded:
        """The model beside what was heard of the `batches` of a lake."""
        past = heard.past(timedelta(days=model.data["horizon_days"]), model.data["action_values"])
        accounts, handles = frozenset(heard.ties.names), _handles(heard.handles)
        declared, published = persons(heard.identities.iter_rows()), Published(lake, heard.outcomes)
        known = (accounts, handles, heard.example, batches, heard.ties, published, declared, _written(heard.handles))
        return cls(model, _wording(model), past, *known)

    def under(self, model: ScoreModel) -> Loaded:
        """The same history with another model, for which it means the same."""
        return replace(self, model=model, wording=_wording(model))

    def without(self, account: str) -> Loaded:
        """The same, but the account cannot be asked for."""
        handles = {key: tuple(other for other in of if other != account) for key, of in self.handles.items()}
        declared = {key: tuple(other for other in of if other != account) for key, of in self.persons.items()}
        written = {key: handle for key, handle in self.written.items() if key != account}
        accounts = self.accounts - {account}
        example = min(accounts, default="network/id") if self.example == account else self.example
        return replace(self, accounts=accounts, handles=handles, persons=declared, written=written, example=example)


def _wording(model: ScoreModel) -> Wording | None:
    return None if model.wording_path is None else Wording.read(model.wording_path)


def _handles(accounts: pl.DataFrame) -> dict[tuple[str, str], tuple[str, ...]]:
    known = defaultdict(list)
    for account, network, handle in accounts.iter_rows():
        if handle is not None:
            known[network, plain_handle(handle)].append(account)
    return {key: tuple(accounts) for key, accounts in known.items()}


def _written(accounts: pl.DataFrame) -> dict[str, str]:
    rows = accounts.select("account", "handle").drop_nulls().iter_rows()
    return {account: handle for account, handle in rows if handle != plain_handle(handle)}


def persons(identities: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """All accounts of its person for each account, from pairs of person and account.

    >>> persons([("amy", "a/1"), ("amy", "b/2")])["b/2"]
    ('a/1', 'b/2')
    """
    declared: dict[str, list[str]] = defaultdict(list)
    for person, account in sorted(identities):
        declared[person].append(account)
    return {account: tuple(accounts) for accounts in declared.values() for account in accounts}


def plain_handle(handle: str) -> str:
    """A handle as it is looked up.

    >>> plain_handle("@Klout")
    'klout'
    """
    return handle.removeprefix("@").casefold()


def read_active(home: Path, lake: Lake, before: Loaded | None = None, *, keep: bool = True) -> Loaded:
    """The champion of `home`, verified, beside the history of `lake`, which `before` may have read already.

    What is measured of the lake is kept in `home` for the next start, unless not to `keep` it.
    """
    model = read_champion(home)
    values, horizon, batches = model.data["action_values"], timedelta(days=model.data["horizon_days"]), lake.batches()
    if before and (before.batches, before.past.horizon, before.past.action_values) == (batches, horizon, values):
        return before.under(model)
    if lake.is_empty():
        raise NotReadyError(
            f"the lake {lake.url} is empty; expected the posts that scores are told from: ingest them, or set CLOUT_LAKE"
        )
    return Loaded.of(model, _hear(home, lake, batches, horizon, values, keep=keep), lake, batches)


def _hear(
    home: Path,
    lake: Lake,
    batches: frozenset[str],
    horizon: timedelta,
    action_values: Mapping[str, float],
    *,
    keep: bool,
) -> Heard:
    """What there is to hear of a lake: what an earlier start kept of it, else all measured anew."""
    key = warm.key_of(batches, horizon, action_values)
    heard = warm.read(home, key)
    if heard is None:
        tables = read_tables(lake)
        heard = Heard.of(load(tables, horizon, action_values), tables["identities"])
        if keep:
            warm.write(home, key, heard)
    return heard


def read_champion(home: Path) -> ScoreModel:
    """The champion of `home`, verified, whose features this version of clout measures."""
    model = ScoreModel.load(registry.champion(home))
    if not CONTRACT.covers(model.contract):
        raise NotReadyError(
            f"the champion {model.version} was trained on other features than this version of clout measures; "
            "expected the same: train again, or serve it with the version that trained it"
        )
    differences = golden.check(model, tolerance=golden.ACROSS_MACHINES)
    if differences:
        raise NotReadyError(
            f"the champion {model.version} gives other answers than its golden rows ({differences[0]}); "
            "expected the same: install the libraries it was trained with, or train again"
        )
    return model


@dataclass(frozen=True)
class Refusal:
    """A champion, or news of the lake, that could not be taken in; what answered before still does."""

    version: str | None
    reason: str

    def what(self, answering: str) -> str:
        """What could not be taken in, while the model of the version `answering` goes on."""
        return "champion or newer data" if self.version in {None, answering} else f"newer champion {self.version}"


class ActiveModel:
    """What answers now. One answer uses one `current()`, so that it is all of one model and one history."""

    def __init__(self) -> None:
        self._current: Loaded | None = None
        self._refused: Refusal | None = None
        self._loading = Lock()
        self._home: Path | None = None
        self._taken: tuple[bytes | None, frozenset[str]] | None = None

    def load(self, home: Path, lake: str, *, keep: bool = True) -> None:
        """Loads the champion of `home` and the history of `lake`; when that fails, what answered before stays.

        `refused` and the log then say why, the log once. `keep` as in `read_active`.
        """
        with self._loading:
            self._load(home, lake, keep=keep)

    def _load(self, home: Path, lake: str, *, keep: bool) -> None:
        began, before, self._home = monotonic(), self._current, home
        pointer = _pointer(home)
        try:
            loaded = read_active(home, Lake(lake), before, keep=keep)
        except CloutError as error:
            if self._refuse(home, str(error)):
                log.error("%s: %s", self._failed(), error)  # noqa: TRY400 (the message says all)
            return
        except Exception as error:  # whatever broke, the service stays up and says so
            if self._refuse(home, f"could not load the model or the lake: {error!r}; see the log of the service"):
                log.exception("%s, from %s and %s", self._failed(), home, lake)
            return
        self._current, self._refused, self._taken = loaded, None, (pointer, loaded.batches)
        after = f", after {before.model.version}" if before else ""
        log.info("model %s is ready%s; loaded in %.1f s", loaded.model.version, after, monotonic() - began)

    def forget(self, account: str) -> None:
        """Nothing; the account, erased from the lake already, cannot be asked for from now on."""
        with self._loading:
            self._current = self._current and self._current.without(account)

    def follow(self, home: Path, lake: str, stop: Event) -> None:
        """Nothing, once `stop` is set; until then it takes in each new champion of `home` and what is new in `lake`."""
        seen, tried, looked, cost, batches = self._taken, 0.0, -LAKE_SECONDS, 0.0, frozenset[str]()
        while not stop.is_set():
            now = monotonic()
            if now - looked >= max(LAKE_SECONDS, LAKE_SHARE * cost):
                looked, batches = now, _batches(lake, batches)
            found = (_pointer(home), batches)
            if found != seen or (self._refused and now - tried >= RETRY_SECONDS):
                seen, tried = found, now
                self.load(home, lake)
                cost = monotonic() - now
                if self._is_behind(home):
                    seen = None
            stop.wait(LOOK_SECONDS)

    def _is_behind(self, home: Path) -> bool:
        """Whether another champion was promoted while the one that answers was being read."""
        answering = self._current and self._current.model.version
        return self._refused is None and answering != registry.pointed(home, registry.CHAMPION)

    @property
    def home(self) -> Path | None:
        """Where models come from; None before one was looked for."""
        return self._home

    @property
    def is_ready(self) -> bool:
        """Whether there is a model that answers."""
        return self._current is not None

    @property
    def refused(self) -> Refusal | None:
        """What came after the model that answers and could not be taken in, if anything."""
        return self._refused

    def current(self) -> Loaded:
        """The model and history that answer now; raises `NotReadyError` when there are none.

        It says no more than everybody may hear: what names places and people is in `refused` and the log alone.
        """
        if self._current is None:
            raise NotReadyError(NO_MODEL if self._refused else LOADING)
        return self._current

    def _refuse(self, home: Path, reason: str) -> bool:
        """Whether this was not refused for the same reason before, as when it is tried again."""
        before, self._refused = self._refused, Refusal(registry.pointed(home, registry.CHAMPION), reason)
        return self._refused != before

    def _failed(self) -> str:
        """What was refused, and what answers in its place."""
        if self._current is None or self._refused is None:
            return "no model could be loaded"
        answering = self._current.model.version
        return f"the {self._refused.what(answering)} could not be taken in, model {answering} goes on"


def _batches(lake: str, known: frozenset[str]) -> frozenset[str]:
    """The batches of the lake; those that were `known` where it cannot be asked now."""
    try:
        return Lake(lake).batches()
    except Exception as error:  # a store out of reach is asked again later
        log.warning("the lake %s does not say what it holds: %s", lake, error)
        return known


def _pointer(home: Path) -> bytes | None:
    """What names the champion of a home; None where it cannot be read."""
    try:
        return registry.pointer_file(home, registry.CHAMPION).read_bytes()
    except OSError:
        return None
