"""Metrics from a model's own predictions: which one is meant, and what it wants to be given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.errors import ConfigError, LabelError, ModelError, UnknownNameError, nearest

__all__ = ["RequestedMetric", "Response", "resolve", "score"]

Response = Literal["predict", "predict_proba"]


@dataclass(frozen=True)
class RequestedMetric:
    """A metric that was asked for."""

    name: str
    function: Callable[..., Any]
    """Of (y_true, y_pred), all other arguments given."""
    response: Response
    """Whether ``y_pred`` is labels or probabilities."""


def resolve(metrics: Any, response: Response | None, kwargs: Mapping[str, Any]) -> tuple[RequestedMetric, ...]:
    """Return the metrics that are meant by a callable, a name, or several of them.

    Of several, each gets those of ``kwargs`` that it has parameters for.

    Raises:
        UnknownNameError: when there is no metric of a name.
        ConfigError: when an argument belongs to none of the metrics, or two metrics have one name.
    """
    if response not in (None, "predict", "predict_proba"):
        raise ConfigError(f"response={response!r} is neither 'predict' (labels) nor 'predict_proba' (probabilities).")
    several = isinstance(metrics, Sequence) and not isinstance(metrics, str)
    asked = () if metrics is None else tuple(metrics) if several else (metrics,)
    found = [_find(metric) for metric in asked]
    unused = [key for key in kwargs if not any(_takes(function, key) for _, function, _ in found)]
    if unused:
        known = {p for _, function, _ in found for p in _parameters(function) or ()}
        hint = nearest(unused[0], known) if found else "Give metrics= as well, or leave it out."
        raise ConfigError(f"{unused[0]!r} is no argument of the metrics {[n for n, _, _ in found]}. {hint}")
    wanted = []
    for name, function, kind in found:
        own = {key: value for key, value in kwargs.items() if _takes(function, key)}
        # A class is one of our metrics: its parameters are the arguments.
        called = function(**own) if isinstance(function, type) else partial(function, **own) if own else function
        wanted.append(RequestedMetric(name, called, response or kind))
    names = [w.name for w in wanted]
    if len(set(names)) < len(names):
        raise ConfigError(f"Two metrics are named alike in {names}, so that one would hide the other. Give one only.")
    return tuple(wanted)


def _find(metric: Any) -> tuple[str, Callable[..., Any], Response]:
    if isinstance(metric, str):
        return _find_name(metric)
    if isinstance(metric, partial):
        name, _, response = _find(metric.func)
        return name, metric, response
    if not callable(metric):
        raise ConfigError(
            f"metrics={metric!r} is no metric. Give a function such as sklearn.metrics.f1_score, or a name."
        )
    name = getattr(metric, "__name__", type(metric).__name__)
    # One of our own metrics, made by hand, says itself what it wants.
    own: Response | None = getattr(metric, "response", None)
    return name, metric, own or _responses().get(name, "predict")


def _find_name(name: str) -> tuple[str, Callable[..., Any], Response]:
    import sklearn.metrics  # 1 s; needed only when a metric is asked for by name

    if name in registry.metrics:
        metric = registry.metrics.get(name)
        return name, metric, metric.response
    if name in sklearn.metrics.get_scorer_names():
        scorer = sklearn.metrics.get_scorer(name)
        return name, _Scorer(scorer), _responses().get(scorer._score_func.__name__, "predict")
    if name.endswith(("_score", "_loss")) and name in sklearn.metrics.__all__:
        return name, getattr(sklearn.metrics, name), _responses().get(name, "predict")
    known = {*registry.metrics.names(), *sklearn.metrics.get_scorer_names()}
    raise UnknownNameError(f"There is no metric {name!r}. {nearest(name, known)}")


class _Scorer:
    """A scikit-learn scorer, called on predictions instead of on an estimator."""

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer
        self.__signature__ = inspect.signature(scorer._score_func)

    def __call__(self, y_true: NDArray[Any], y_pred: NDArray[Any], **kwargs: Any) -> Any:
        return self.scorer._sign * self.scorer._score_func(y_true, y_pred, **{**self.scorer._kwargs, **kwargs})


@cache
def _responses() -> dict[str, Response]:
    """Return what scikit-learn's own scorers give each metric, by the metric's name."""
    from sklearn.metrics import get_scorer, get_scorer_names

    found: dict[str, Response] = {}
    for name in get_scorer_names():
        scorer = get_scorer(name)
        method = scorer._response_method
        methods = (method,) if isinstance(method, str) else method
        found[scorer._score_func.__name__] = "predict_proba" if "predict_proba" in methods else "predict"
    return found


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters of ``function``, ``None`` where it does not tell them."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None


def _takes(function: Callable[..., Any], key: str) -> bool:
    parameters = _parameters(function)
    return parameters is None or key in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def score(
    wanted: Sequence[RequestedMetric], y_true: NDArray[np.float32], y_pred: NDArray[Any], *, multilabel: bool
) -> dict[str, float]:
    """Return each metric's value, by its name; of a single metric under ``"metric"``."""
    if not wanted:
        return {}
    if y_pred.shape != y_true.shape:
        raise ModelError(
            f"The model gives {y_pred.shape[1:]} per record and the targets are {y_true.shape[1:]}, "
            f"so that {wanted[0].name!r} cannot be computed. Let the model end in one number per label."
        )
    values = {}
    for metric in wanted:
        given = _given(metric, y_true, y_pred, multilabel=multilabel)
        value = np.asarray(metric.function(*given))
        if value.size != 1:
            raise ConfigError(
                f"{metric.name!r} gave an array of shape {value.shape}; a metric is one number. "
                'Give it an average, for instance average="macro".'
            )
        values[metric.name if len(wanted) > 1 else "metric"] = float(value.reshape(()))
    return values


def _given(
    metric: RequestedMetric, y_true: NDArray[np.float32], y_pred: NDArray[Any], *, multilabel: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return ``y_true`` and ``y_pred`` as the metric wants them."""
    n_classes = y_true.shape[1]
    if n_classes == 1 and not np.isin(y_true, (0.0, 1.0)).all():
        return y_true[:, 0], y_pred[:, 0]  # a regression
    one_of_many = n_classes > 1 and not multilabel
    if metric.response == "predict" and one_of_many:
        return y_true.argmax(axis=1), y_pred.argmax(axis=1)
    low, high = float(y_pred.min()), float(y_pred.max())
    if low < -1e-6 or high > 1 + 1e-6:
        raise ModelError(
            f"{metric.name!r} needs probabilities, and the model gives numbers from {low:.3g} to {high:.3g}. "
            "Let the model end in a softmax or a sigmoid."
        )
    truth = y_true.argmax(axis=1) if one_of_many else (y_true > 0.5).astype(np.int64)
    answer = (y_pred > 0.5).astype(np.int64) if metric.response == "predict" else y_pred
    if one_of_many:
        # As scikit-learn has it: of two classes, the probability of the second.
        return truth, answer[:, 1] if n_classes == 2 else answer
    return (truth[:, 0], answer[:, 0]) if n_classes == 1 else (truth, answer)


def check_labels(known: tuple[str, ...] | None, given: tuple[str, ...] | None, n_columns: int) -> None:
    """Refuse targets that do not mean what the model learned.

    Raises:
        LabelError: naming both sets of labels.
    """
    if known is None:
        return
    if given is not None and tuple(given) != known:
        raise LabelError(
            f"The model knows the labels {list(known)}, and this batch has {list(given)}. "
            "Drop or rename labels as in training (drop_labels, rename_labels) before binarize_labels."
        )
    if n_columns != len(known):
        raise LabelError(
            f"The model knows {len(known)} labels, {list(known)}, and this batch's targets have {n_columns} columns. "
            "Binarize the same labels as in training."
        )
