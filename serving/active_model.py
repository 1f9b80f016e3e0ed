"""The model that answers now, with the history it needs: loaded whole and verified, or not ready for a reason."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from clout.data.history import History, load, read_tables
from clout.data.lake import Lake
from clout.errors import CloutError
from clout.features.catalogue import CONTRACT
from clout.features.request import Past
from clout.features.wording import Wording
from clout.models import golden, registry
from clout.models.score_model import ScoreModel

log = logging.getLogger("clout.serving")


class NotReadyError(CloutError):
    """No model can answer now."""

    code = "not_ready"


@dataclass(frozen=True)
class Loaded:
    """One model and one state of the lake, which belong together in every answer.

    `accounts` are all that the lake knows anything of; `handles` are their keys by network and lower-case handle;
    `example` is the account whose posts have drawn most.
    """

    model: ScoreModel
    wording: Wording | None
    past: Past
    accounts: frozenset[str]
    handles: Mapping[tuple[str, str], tuple[str, ...]]
    example: str

    @classmethod
    def of(cls, model: ScoreModel, history: History, action_values: Mapping[str, float]) -> Loaded:
        """The model beside what `history` tells."""
        wording = None if model.wording_path is None else Wording.read(model.wording_path)
        frames = (history.accounts, history.posts, history.profiles, history.actions)
        accounts = frozenset(account for frame in frames for account in frame["account"].unique())
        past = Past.of(history, action_values)
        return cls(model, wording, past, accounts, _handles(history), _example(history))


def _example(history: History) -> str:
    totals = history.outcomes.select("account", "outcome").group_by("account").sum()
    return next(iter(totals.sort("outcome", "account", descending=True)["account"]), "network/id")


def _handles(history: History) -> dict[tuple[str, str], tuple[str, ...]]:
    known = defaultdict(list)
    for account, network, handle in history.accounts.select("account", "network", "handle").iter_rows():
        if handle is not None:
            known[network, plain_handle(handle)].append(account)
    return {key: tuple(accounts) for key, accounts in known.items()}


def plain_handle(handle: str) -> str:
    """A handle as it is looked up.

    >>> plain_handle("@Klout")
    'klout'
    """
    return handle.removeprefix("@").casefold()


def read_active(home: Path, lake: Lake) -> Loaded:
    """The champion of `home`, verified, beside the history of `lake`."""
    model = ScoreModel.load(registry.champion(home))
    if model.contract.fingerprint != CONTRACT.fingerprint:
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
    if lake.is_empty():
        raise NotReadyError(
            f"the lake {lake.url} is empty; expected the posts that scores are told from: ingest them, or set CLOUT_LAKE"
        )
    values, horizon = model.data["action_values"], timedelta(days=model.data["horizon_days"])
    return Loaded.of(model, load(read_tables(lake), horizon, values), values)


class ActiveModel:
    """What answers now. One answer uses one `current()`, so that it is all of one model and one history."""

    def __init__(self) -> None:
        self._current: Loaded | None = None
        self._reason = "the model is being loaded; expected it in a few seconds: try again"

    def load(self, home: Path, lake: str) -> None:
        """Loads the champion of `home` and the history of `lake`; when that fails, what answered before stays.

        Where nothing answered before, `current` says what failed.
        """
        try:
            self._current = read_active(home, Lake(lake))
            log.info("model %s is ready", self._current.model.version)
        except CloutError as error:
            self._reason = str(error)
            log.error("no model could be loaded: %s", error)  # noqa: TRY400 (the message says all)
        except Exception as error:  # whatever broke, the service stays up and says so
            self._reason = f"could not load the model or the lake: {error!r}; see the log of the service"
            log.exception("no model could be loaded from %s and %s", home, lake)

    @property
    def is_ready(self) -> bool:
        """Whether there is a model that answers."""
        return self._current is not None

    def current(self) -> Loaded:
        """The model and history that answer now; raises `NotReadyError` with the reason when there are none."""
        if self._current is None:
            raise NotReadyError(self._reason)
        return self._current
