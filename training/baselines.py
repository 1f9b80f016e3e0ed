"""What a score must beat: simple predictors of log1p(outcome), fitted on the same posts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clout.data.history import History
from clout.data.windows import UNIT
from clout.features.catalogue import CONTRACT, FEATURES
from clout.features.compute import Streams, look_up
from clout.features.feature import past
from clout.training.config import Params
from clout.training.fit import fit
from clout.training.heads import log_counts
from clout.training.metrics import residual_quantiles

Floats = npt.NDArray[np.float64]
Predictor = Callable[[pl.DataFrame], Floats]
SHRINKAGE = (1.0, 2.0, 5.0, 10.0, 20.0)
MEANS = ("90d", "365d", "all")


def own_means(frame: pl.DataFrame, history: History, streams: Streams) -> pl.DataFrame:
    """`frame` plus `own_n_<w>` and `own_sum_<w>`: ripe posts of the account and their summed log1p outcomes, by window."""
    names = [f"outcomes|{column}|{window}" for column in ("n", "log") for window in MEANS]
    posts = frame.select("post").join(history.posts.drop("at"), on="post", maintain_order="left")
    found = look_up(posts, streams, names)
    columns = {f"own_n_{window}": past("outcomes", "n", window).cast(pl.Float64) for window in MEANS}
    columns |= {f"own_sum_{window}": past("outcomes", "log", window) / UNIT for window in MEANS}
    return frame.hstack(found.select(**columns))


def fit_baselines(taught: pl.DataFrame, params: Params) -> dict[str, Predictor]:
    """Predictors of log1p(outcome) by name, fitted on `taught`, a frame with the columns of `own_means`.

    - mean: one number
    - followers: isotonic in the followers known before the post; absent where none are
    - account_mean: the account's mean log1p outcome shrunken to everyone's; window and shrinkage are those that fit
      the taught posts best
    - account_mean_90d: the same over 90 days
    - poisson: a Poisson regression on the account's history
    - no_history: LightGBM without the track record
    """
    target = log_counts(taught)
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
    taught: pl.DataFrame, judged: pl.DataFrame, params: Params
) -> tuple[dict[str, Floats], dict[str, list[float]]]:
    """Each baseline's predictions for `judged` (n,), and the quantiles of its errors on what it was taught."""
    predictors, target = fit_baselines(taught, params), log_counts(taught)
    ones = np.ones(len(target))
    residuals = {name: residual_quantiles(predict(taught), ones, target) for name, predict in predictors.items()}
    return {name: predict(judged) for name, predict in predictors.items()}, residuals


def _shrunken(frame: pl.DataFrame, window: str, prior: float, center: float) -> Floats:
    n, total = frame[f"own_n_{window}"], frame[f"own_sum_{window}"]
    return ((total + prior * center) / (n + prior)).to_numpy()


def account_mean(taught: pl.DataFrame, windows: tuple[str, ...] = MEANS) -> Predictor:
    """The account's shrunken mean, its window and shrinkage those that fit `taught`, with `own_means`, best."""
    target = log_counts(taught)
    center = float(target.mean())
    choices = [(window, prior) for window in windows for prior in SHRINKAGE]
    errors = [float(np.mean((_shrunken(taught, *choice, center) - target) ** 2)) for choice in choices]
    window, prior = choices[int(np.argmin(errors))]
    return lambda frame: _shrunken(frame, window, prior, center)


def _followers(taught: pl.DataFrame, target: Floats, center: float) -> Predictor:
    known = taught["followers"].is_not_null()
    curve = IsotonicRegression(out_of_bounds="clip")
    curve.fit(taught.filter(known)["followers"].to_numpy(), target[known.to_numpy()])

    def predict(frame: pl.DataFrame) -> Floats:
        followers = frame["followers"].fill_null(np.nan).to_numpy()
        seen = ~np.isnan(followers)
        values = np.full(frame.height, center)
        if seen.any():
            values[seen] = curve.predict(followers[seen])
        return values

    return predict


def _poisson(taught: pl.DataFrame, center: float) -> Predictor:
    columns = [f.name for f in FEATURES if f.group == "track_record" and taught[f.name].count() > 0]
    if not columns:
        return lambda frame: np.full(frame.height, center)
    model = make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=1.0, max_iter=500))
    model.fit(taught.select(columns).to_numpy(), taught["outcome"].to_numpy())
    return lambda frame: np.log1p(model.predict(frame.select(columns).to_numpy()))


def _no_history(taught: pl.DataFrame, target: Floats, params: Params) -> Predictor:
    columns = [index for index, f in enumerate(CONTRACT.features) if f.group != "track_record"]
    names = [CONTRACT.names[index] for index in columns]
    directions = [CONTRACT.directions[index] for index in columns]
    booster = fit(CONTRACT.matrix(taught)[:, columns], target, params, names, directions)
    return lambda frame: np.asarray(booster.predict(CONTRACT.matrix(frame)[:, columns]))
