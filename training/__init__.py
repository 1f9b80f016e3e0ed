"""From the past to a bundle; and the same from a notebook: `from clout.training import dataset, train, …`."""

# Three of these are named after their modules. The modules are loaded first, so that the names stay with the callables.
import clout.training.compare
import clout.training.dataset
import clout.training.evaluate  # noqa: F401
from clout.training.config import Params
from clout.training.notebook import compare, dataset, evaluate, train
from clout.training.regressor import CloutRegressor
from clout.training.shap_explanation import shap_explanation

__all__ = ["CloutRegressor", "Params", "compare", "dataset", "evaluate", "shap_explanation", "train"]
