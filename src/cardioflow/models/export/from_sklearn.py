"""The graph of a scikit-learn estimator whose prediction is a product with a matrix, alone or after scalers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from sklearn.pipeline import Pipeline

from cardioflow.errors import ModelError
from cardioflow.models.export.graph import Graph, Name
from cardioflow.models.inputs import InputShape
from cardioflow.models.sklearn import SklearnBaseModel

__all__ = ["write_graph"]

_CLASSIFIERS: Final = ("LinearDiscriminantAnalysis", "LogisticRegression", "SGDClassifier")
_REGRESSORS: Final = (
    "ARDRegression", "BayesianRidge", "ElasticNet", "HuberRegressor", "Lasso", "LinearRegression", "LinearSVR", "Ridge",
    "RidgeCV", "SGDRegressor",
)  # fmt: skip


def write_graph(model: SklearnBaseModel, shape: InputShape) -> bytes:
    """Return the graph for signals of ``shape``, (lead, time), or for features, (feature,).

    Raises:
        ModelError: for an estimator that is not linear, or that gives no probabilities.
    """
    if any(size is None for size in shape):
        raise ModelError("An estimator of scikit-learn takes rows of one length.")
    if model.output == "independent" and len(model.classes or ()) != 1:
        raise ModelError("An estimator for several labels at once cannot be exported yet. Export one for each label.")
    graph = Graph()
    n = int(np.prod([size or 0 for size in shape]))
    x: Name = graph.node("Reshape", "signal", graph.ints(-1, n)) if len(shape) > 1 else "signal"
    steps = [step for _, step in model.model.steps] if isinstance(model.model, Pipeline) else [model.model]
    for step in steps[:-1]:
        x = _transformed(graph, step, x)
    last = steps[-1]
    kind = type(last).__name__
    if kind in _REGRESSORS:
        n_outputs = 1 if np.ndim(last.coef_) == 1 else len(last.coef_)
        y = graph.node("Reshape", _linear(graph, last, x), graph.ints(-1, n_outputs))
    elif kind in _CLASSIFIERS and hasattr(last, "predict_proba"):
        y = _probabilities(graph, last, x, model)
    else:
        raise ModelError(
            f"{kind} cannot be exported to ONNX. Linear estimators with probabilities can, such as "
            f"{', '.join(_CLASSIFIERS)} and {', '.join(_REGRESSORS[5:8])}."
        )
    return graph.written(y, shape, 2)


def _transformed(graph: Graph, step: Any, x: Name) -> Name:
    convert = _TRANSFORMS.get(type(step).__name__) if not isinstance(step, str) else None
    if step in (None, "passthrough"):
        return x
    if convert is None:
        raise ModelError(
            f"{type(step).__name__} cannot be exported to ONNX. Of transformers, {', '.join(_TRANSFORMS)} can."
        )
    return convert(graph, step, x)


def _standard(graph: Graph, step: Any, x: Name) -> Name:
    if step.with_mean:
        x = graph.node("Sub", x, graph.constant(step.mean_))
    return graph.node("Div", x, graph.constant(step.scale_)) if step.with_std else x


def _robust(graph: Graph, step: Any, x: Name) -> Name:
    if step.with_centering:
        x = graph.node("Sub", x, graph.constant(step.center_))
    return graph.node("Div", x, graph.constant(step.scale_)) if step.with_scaling else x


def _min_max(graph: Graph, step: Any, x: Name) -> Name:
    if step.clip:
        raise ModelError("MinMaxScaler(clip=True) cannot be exported to ONNX. Use clip=False.")
    scaled = graph.node("Mul", x, graph.constant(step.scale_))
    found: Name = graph.node("Add", scaled, graph.constant(step.min_))
    return found


def _projected(graph: Graph, step: Any, x: Name) -> Name:
    y = graph.node("Sub", x, graph.constant(step.mean_)) if step.mean_ is not None else x
    y = graph.node("MatMul", y, graph.constant(step.components_.T))
    if step.whiten:
        y = graph.node("Div", y, graph.constant(np.sqrt(step.explained_variance_)))
    found: Name = y
    return found


_TRANSFORMS: Final[dict[str, Callable[[Graph, Any, Name], Name]]] = {
    "MinMaxScaler": _min_max,
    "PCA": _projected,
    "RobustScaler": _robust,
    "StandardScaler": _standard,
}


def _linear(graph: Graph, estimator: Any, x: Name) -> Name:
    coefficients = np.atleast_2d(estimator.coef_)
    product = graph.node("MatMul", x, graph.constant(coefficients.T))
    found: Name = graph.node("Add", product, graph.constant(np.atleast_1d(estimator.intercept_)))
    return found


def _probabilities(graph: Graph, estimator: Any, x: Name, model: SklearnBaseModel) -> Name:
    """Return a column for each class that the model knows; one that no record had gets 0, as in ``predict``."""
    scores = _linear(graph, estimator, x)
    known = [int(v) for v in estimator.classes_]
    if len(known) == 2:
        positive = graph.node("Sigmoid", scores)
        shares = graph.node("Concat", graph.node("Sub", graph.constant(1.0), positive), positive, axis=1)
    elif type(estimator).__name__ == "SGDClassifier" or getattr(estimator, "multi_class", "") == "ovr":
        # A sigmoid for each class, divided by their sum; by logarithms, because all can be too small for float32.
        logarithms = graph.node("Neg", graph.node("Softplus", graph.node("Neg", scores)))
        shares = graph.node("Softmax", logarithms, axis=1)
    else:
        shares = graph.node("Softmax", scores, axis=1)
    if model.output == "independent":
        found: Name = graph.node("Slice", shares, graph.ints(1), graph.ints(2), graph.ints(1))
        return found
    n = max(len(model.classes or ()), max(known) + 1)
    places = np.zeros((len(known), n), np.float32)
    places[np.arange(len(known)), known] = 1.0
    spread: Name = graph.node("MatMul", shares, graph.constant(places))
    return spread
