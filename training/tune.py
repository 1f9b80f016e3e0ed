"""Better parameters, searched on the rolling blocks alone: no outcome of the last block is looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import polars as pl
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, TrialState

from clout.data.lake import Lake
from clout.errors import CloutError
from clout.models import whole_file
from clout.training import metrics, scales, stores
from clout.training.config import Params, to_toml
from clout.training.dataset import Dataset, Step, build
from clout.training.fit import fit
from clout.training.heads import log_counts, stages

Floats = npt.NDArray[np.float64]
FILE, STUDIES = "tuned.toml", "tune.db"
RESAMPLES = 1000
OTHER_STEPS = 4  # three of making the dataset, one of comparing


class TuningError(CloutError):
    """There is nothing to tune, or another search is running."""

    code = "tuning"


@dataclass(frozen=True)
class Range:
    """The values of a setting that are tried, both ends among them; with `log`, a doubling is a step."""

    low: float
    high: float
    log: bool = False

    def around(self, value: float) -> Range:
        """The same with `value` inside."""
        low = min(self.low, value)
        return Range(low, max(self.high, value), self.log and low > 0)

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        """The value that a trial tries; whole where both ends are."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


# Trees stay small, since reasons cost what the trees cost. Words are not searched: each try would measure every post anew.
SPACE = {
    "num_leaves": Range(5, 63, log=True),
    "max_depth": Range(3, 8),
    "learning_rate": Range(0.02, 0.2, log=True),
    "min_data_in_leaf": Range(5, 200, log=True),
    "lambda_l2": Range(0.1, 100.0, log=True),
    "feature_fraction": Range(0.2, 1.0),
    "bagging_fraction": Range(0.4, 1.0),
}


@dataclass(frozen=True)
class Fold:
    """A rolling block: what teaches, `taught` (n, features) and `target` (n,), and the posts it judges, all (m, …)."""

    taught: Floats
    target: Floats
    judged: Floats
    truth: Floats
    accounts: npt.NDArray[np.str_]


@dataclass(frozen=True)
class Folds:
    """The rolling blocks, oldest first, with the names and directions of their features."""

    parts: tuple[Fold, ...]
    names: tuple[str, ...]
    directions: tuple[int, ...]

    @classmethod
    def of(cls, dataset: Dataset) -> Folds:
        """The rolling blocks of a dataset, without a post whose outcome was not known when the last block began."""
        early = dataset.frame.filter(pl.col("ripe_at") < dataset.plan.final.start)
        parts = []
        for block in dataset.plan.rolling:
            taught, judged = early.filter(block.taught()), early.filter(block.judged())
            matrices = dataset.contract.matrix(taught), dataset.contract.matrix(judged)
            accounts = judged["account"].to_numpy().astype(np.str_)
            parts.append(Fold(matrices[0], log_counts(taught), matrices[1], log_counts(judged), accounts))
        return cls(tuple(parts), dataset.contract.names, dataset.contract.directions)

    def errors(self, params: Params) -> Iterator[Floats]:
        """After each block in turn, the squared errors of its posts by a main head taught before it: (stages, m)."""
        for part in self.parts:
            booster = fit(part.taught, part.target, params, self.names, self.directions)
            said = [np.asarray(booster.predict(part.judged, num_iteration=n)) for n in stages(params.fit.trees)]
            yield (np.array(said) - part.truth) ** 2


@dataclass(frozen=True)
class Tuned:
    """What a search found, `params`, against the parameters it `began` with.

    `error` has the mean squared error of log1p(outcome) of both, a mean over the rolling blocks; `gain` is the share by
    which it fell, with a 95 % interval from drawing accounts, with all their posts, again.
    """

    study: str
    file: Path
    trials: Mapping[str, int]
    began: Params
    params: Params
    error: Mapping[str, float]
    gain: Mapping[str, float]

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        settings = {
            f"fit.{name}": {"began": getattr(self.began.fit, name), "best": getattr(self.params.fit, name)}
            for name in SPACE
        }
        search = {"study": self.study, "file": str(self.file), "trials": dict(self.trials)}
        return search | {"settings": settings, "error": dict(self.error), "gain": dict(self.gain)}


def tune(
    lake: Lake, params: Params, home: Path, trials: int, step: Step, enough: Callable[[], bool] = lambda: False
) -> Tuned:
    """The best parameters after `trials` more of them, or until it is `enough`; they are written to tuned.toml in `home`.

    The first trial is `params`. All trials of the same data, parameters and search space are one study, kept in
    `home`, so a search that was broken off goes on where it was: n trials in one go or in several are the same. Ctrl-C
    ends it and keeps what was finished.
    """
    with stores.opened(lake, params, home, step) as store:
        dataset = build(store, params, step, scales.read(home, params).curves)
        folds, space = Folds.of(dataset), _space(params)
    with _alone(home), _study(home, _name(lake, dataset, params, space)) as study:
        before = len(_finished(study))
        with suppress(KeyboardInterrupt):
            _search(study, folds, params, space, trials, step, enough)
        finished = _finished(study)
        if not any(trial.state is TrialState.COMPLETE for trial in finished):
            raise TuningError("no trial was finished; expected one at least: give `clout tune` more time")
        best = _with(params, study.best_trial.params)
        step("comparing the best with what it began with")
        error, gain = _compared(folds, params, best)
        counts = {"finished": len(finished), "pruned": sum(t.state is TrialState.PRUNED for t in finished)}
        counts |= {"added": len(finished) - before, "best": study.best_trial.number}
        file = home / FILE
        whole_file.write(file, to_toml(best))
        return Tuned(study.study_name, file, counts, params, best, error, gain)


def _search(
    study: optuna.Study,
    folds: Folds,
    params: Params,
    space: Mapping[str, Range],
    trials: int,
    step: Step,
    enough: Callable[[], bool],
) -> None:
    """Nothing; up to `trials` more are in the study. Those that were broken off are tried again."""
    for broken_off in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(broken_off.number, state=TrialState.FAIL)
    first = len(_finished(study))
    for number in range(first, first + trials):
        if enough():
            return
        step(f"trial {number + 1}")
        # A sampler of its own for each trial: what it draws depends on the trials before it, not on who ran them.
        study.sampler = optuna.samplers.TPESampler(seed=_seed(params, number))
        if number == 0 and not study.get_trials(states=(TrialState.WAITING,)):
            study.enqueue_trial({name: getattr(params.fit, name) for name in space})
        trial = study.ask()
        try:
            study.tell(trial, _try(trial, folds, params, space))
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)


def _try(trial: optuna.Trial, folds: Folds, params: Params, space: Mapping[str, Range]) -> float:
    """The error of what the trial suggests; raises `TrialPruned` once earlier trials were better after as many blocks."""
    tried = _with(params, {name: values.suggest(trial, name) for name, values in space.items()})
    blocks: list[Floats] = []
    for number, errors in enumerate(folds.errors(tried)):
        blocks.append(errors.mean(axis=1))
        trial.report(_best(blocks), number)
        if number + 1 < len(folds.parts) and trial.should_prune():
            raise optuna.TrialPruned
    return _best(blocks)


def _best(blocks: list[Floats]) -> float:
    """The mean over blocks of each one's mean error, with as many trees as do best."""
    return float(np.mean(blocks, axis=0).min())


def _compared(folds: Folds, began: Params, best: Params) -> tuple[dict[str, float], dict[str, float]]:
    """The errors of both, and the share by which the second's is lower, with its interval."""
    first, second = _squares(folds, began), _squares(folds, best)
    block = np.repeat(np.arange(len(folds.parts)), [len(part.truth) for part in folds.parts])
    size = len(folds.parts)

    def figures(rows: metrics.Rows) -> dict[str, float]:
        posts = np.bincount(block[rows], minlength=size)
        a, b = (np.bincount(block[rows], values[rows], size)[posts > 0] for values in (first, second))
        means = [float((total / posts[posts > 0]).mean()) for total in (a, b)]
        return {"began": means[0], "best": means[1], "gain": 1 - means[1] / means[0] if means[0] > 0 else 0.0}

    said = figures(np.arange(len(block)))
    accounts = np.concatenate([part.accounts for part in folds.parts])
    low, high = metrics.bootstrap(figures, accounts, began.seed, RESAMPLES)["gain"]
    return {name: said[name] for name in ("began", "best")}, {"value": said["gain"], "low": low, "high": high}


def _squares(folds: Folds, params: Params) -> Floats:
    """The squared error of every judged post, with the number of trees that does best."""
    blocks = list(folds.errors(params))
    stage = int(np.argmin(np.mean([errors.mean(axis=1) for errors in blocks], axis=0)))
    return np.concatenate([errors[stage] for errors in blocks])


def _space(params: Params) -> dict[str, Range]:
    return {name: values.around(getattr(params.fit, name)) for name, values in SPACE.items()}


def _with(params: Params, settings: Mapping[str, Any]) -> Params:
    return params.model_copy(update={"fit": params.fit.model_copy(update=dict(settings))})


def _seed(params: Params, number: int) -> int:
    return int(np.random.SeedSequence([params.seed, number]).generate_state(1)[0])


def _name(lake: Lake, dataset: Dataset, params: Params, space: Mapping[str, Range]) -> str:
    """The study of these data, features, parameters and ranges."""
    ranges = {name: asdict(values) for name, values in space.items()}
    facts = [lake.fingerprint(), dataset.contract.fingerprint, params.model_dump(mode="json"), ranges]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


@contextmanager
def _study(home: Path, name: str) -> Iterator[optuna.Study]:
    """The study of a home, its file closed afterwards."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{home / STUDIES}")
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    try:
        yield optuna.create_study(storage=storage, study_name=name, pruner=pruner, load_if_exists=True)
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """A block that no other search of this home runs at the same time."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / ".tune.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TuningError(
            f"another `clout tune` is searching in {home}; expected none: wait for it, or give another CLOUT_HOME"
        ) from error
    try:
        yield
    finally:
        lock.release()
