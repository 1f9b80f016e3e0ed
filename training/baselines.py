"""What a score must beat: simple predictors of log1p(outcome), fitted on the same posts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clout.features.catalogue import CONTRACT, FEATURES
from clout.training.config import Params
from clout.training.feature_store import MEANS
from clout.training.fit import fit
from clout.training.heads import log_counts
from clout.training.matrix import SLICE, Floats, Part
from clout.training.metrics import residual_quantiles

Predictor = Callable[[pl.DataFrame], Floats]
SHRINKAGE = (1.0, 2.0, 5.0, 10.0, 20.0)
RECORD = "track_record"
MOST_OF_POISSON = 200_000


def fit_baselines(taught: Part, params: Params) -> dict[str, Predictor]:
    """Predictors of log1p(outcome) by name, fitted on `taught`, posts as `feature_store.measured` gives them.

    - mean: one number
    - followers: isotonic in the followers known before the post; absent where none are
    - account_mean: the account's mean log1p outcome shrunken to everyone's; window and shrinkage are those that fit
      the taught posts best
    - account_mean_90d: the same over 90 days
    - poisson: a Poisson regression on the account's history, of at most 200,000 posts evenly spaced in time
    - no_history: LightGBM without the track record
    """
    target = log_counts(taught.select("outcome"))
    center = float(target.mean())
    predictors: dict[str, Predictor] = {
        "mean": lambda frame: np.full(frame.height, center),
        "account_mean": account_mean(taught),
        "account_mean_90d": account_mean(taught, ("90d",)),
        "poisson": _poisson(taught, center),
        "no_history": _no_history(taught, target, params),
    }
    if taught["followers"].count() > len(target) // 2:
        predictors["followers"] = _followers(taught, target, center)
    return predictors


def judge_baselines(
    taught: Part, judged: pl.DataFrame, params: Params
) -> tuple[dict[str, Floats], dict[str, list[float]]]:
    """Each baseline's predictions for `judged` (n,), and the quantiles of its errors on what it was taught."""
    predictors, target = fit_baselines(taught, params), log_counts(taught.select("outcome"))
    ones = np.ones(len(target))
    residuals = {
        name: residual_quantiles(said, ones, target) for name, said in _said(predictors, taught.slices()).items()
    }
    return _said(predictors, judged.iter_slices(SLICE)), residuals


def _said(predictors: Mapping[str, Predictor], slices: Iterable[pl.DataFrame]) -> dict[str, Floats]:
    """What each predictor says of all rows of some slices."""
    said = [{name: predict(some) for name, predict in predictors.items()} for some in slices]
    return {name: np.concatenate([np.empty(0), *(some[name] for some in said)]) for name in predictors}


def _shrunken(frame: pl.DataFrame, window: str, prior: float, center: float) -> Floats:
    n, total = frame[f"own_n_{window}"], frame[f"own_sum_{window}"]
    return ((total + prior * center) / (n + prior)).to_numpy()


def account_mean(taught: Part, windows: tuple[str, ...] = MEANS) -> Predictor:
    """The account's shrunken mean, its window and shrinkage those that fit `taught` best."""
    own = taught.select("outcome", *(f"own_{what}_{window}" for what in ("n", "sum") for window in windows))
    target = log_counts(own)
    center = float(target.mean())
    choices = [(window, prior) for window in windows for prior in SHRINKAGE]
    errors = [float(np.mean((_shrunken(own, *choice, center) - target) ** 2)) for choice in choices]
    window, prior = choices[int(np.argmin(errors))]
    return lambda frame: _shrunken(frame, window, prior, center)


def _followers(taught: Part, target: Floats, center: float) -> Predictor:
    followers = taught["followers"]
    known = followers.is_not_null()
    curve = IsotonicRegression(out_of_bounds="clip")
    curve.fit(followers.filter(known).to_numpy(), target[known.to_numpy()])

    def predict(frame: pl.DataFrame) -> Floats:
        followers = frame["followers"].fill_null(np.nan).to_numpy()
        seen = ~np.isnan(followers)
        values = np.full(frame.height, center)
        if seen.any():
            values[seen] = curve.predict(followers[seen])
        return values

    return predict


def _poisson(taught: Part, center: float) -> Predictor:
    some = taught.thinned(MOST_OF_POISSON)
    columns = [f.name for f in FEATURES if f.group == RECORD and some[f.name].count() > 0]
    if not columns:
        return lambda frame: np.full(frame.height, center)
    model = make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=1.0, max_iter=500))
    model.fit(some.select(*columns).to_numpy(), some["outcome"].to_numpy())
    return lambda frame: np.log1p(model.predict(frame.select(columns).to_numpy()))


def _no_history(taught: Part, target: Floats, params: Params) -> Predictor:
    contract = CONTRACT.without({RECORD})
    booster = fit(taught.features(contract), target, params, contract.names, contract.directions)
    return lambda frame: np.asarray(booster.predict(contract.matrix(frame)))
