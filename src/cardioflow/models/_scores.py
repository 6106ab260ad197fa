"""Metrics of a model's own predictions: which one is meant, and whether it takes labels or probabilities."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.errors import ConfigError, ModelError, UnknownNameError, nearest
from cardioflow.models.targets import Response, TargetEncoding

__all__ = ["RequestedMetric", "Response", "keys", "resolve", "score"]


@dataclass(frozen=True)
class RequestedMetric:
    """A metric that the caller asked for."""

    name: str
    function: Callable[..., Any]
    """Takes (y_true, y_pred); all other arguments are bound."""
    response: Response
    """Whether ``y_pred`` is labels or probabilities."""


def resolve(metrics: Any, response: Response | None, kwargs: Mapping[str, Any]) -> tuple[RequestedMetric, ...]:
    """Return the metrics that a callable, a name, or several of them stand for.

    Each gets those of ``kwargs`` that it has parameters for.

    Raises:
        UnknownNameError: when there is no metric of that name.
        ConfigError: when an argument belongs to none of the metrics, or two metrics have the same name.
    """
    if response not in (None, "predict", "predict_proba"):
        raise ConfigError(f"response={response!r} is neither 'predict' (labels) nor 'predict_proba' (probabilities).")
    several = isinstance(metrics, Sequence) and not isinstance(metrics, str)
    asked = () if metrics is None else tuple(metrics) if several else (metrics,)
    found = [_find(metric) for metric in asked]
    unused = [key for key in kwargs if not any(_takes(function, key) for _, function, _ in found)]
    if unused:
        known = {p for _, function, _ in found for p in _parameters(function) or ()}
        hint = nearest(unused[0], known) if found else "Pass metrics= as well, or leave it out."
        raise ConfigError(f"{unused[0]!r} is not an argument of the metrics {[n for n, _, _ in found]}. {hint}")
    wanted = []
    for name, function, kind in found:
        own = {key: value for key, value in kwargs.items() if _takes(function, key)}
        # A class is one of our metrics; its parameters are the metric's arguments.
        called = function(**own) if isinstance(function, type) else partial(function, **own) if own else function
        wanted.append(RequestedMetric(name, called, response or kind))
    names = [w.name for w in wanted]
    if len(set(names)) < len(names):
        raise ConfigError(f"Two metrics have the same name in {names}, and one would hide the other. Pass only one.")
    return tuple(wanted)


def _find(metric: Any) -> tuple[str, Callable[..., Any], Response]:
    if isinstance(metric, str):
        return _find_name(metric)
    if isinstance(metric, partial):
        name, _, response = _find(metric.func)
        return name, metric, response
    if not callable(metric):
        raise ConfigError(
            f"metrics={metric!r} is not a metric. Pass a function such as sklearn.metrics.f1_score, or a name."
        )
    name = getattr(metric, "__name__", type(metric).__name__)
    # An instance of one of our own metrics declares what it takes.
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
    """Return whether scikit-learn's scorers give a metric labels or probabilities, by the metric's name."""
    from sklearn.metrics import get_scorer, get_scorer_names

    found: dict[str, Response] = {}
    for name in get_scorer_names():
        scorer = get_scorer(name)
        method = scorer._response_method
        methods = (method,) if isinstance(method, str) else method
        found[scorer._score_func.__name__] = "predict_proba" if "predict_proba" in methods else "predict"
    return found


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters of ``function``, ``None`` if it has no signature."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None


def _takes(function: Callable[..., Any], key: str) -> bool:
    parameters = _parameters(function)
    return parameters is None or key in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def score(
    wanted: Sequence[RequestedMetric], y_true: NDArray[Any], y_pred: NDArray[Any], encoding: TargetEncoding
) -> dict[str, float]:
    """Return each metric's value, by its name; of a single metric under ``"metric"``.

    Raises:
        ModelError: when the predictions do not fit the targets, or when a metric raises; never for one record.
        ConfigError: when a metric is not one number.
    """
    return {key: _value(metric, y_true, y_pred, encoding) for key, metric in zip(keys(wanted), wanted, strict=True)}


def keys(wanted: Sequence[RequestedMetric]) -> list[str]:
    """Return the names under which the metrics are returned: their own, or ``"metric"`` if there is one only."""
    return ["metric"] if len(wanted) == 1 else [metric.name for metric in wanted]


def _value(metric: RequestedMetric, y_true: NDArray[Any], y_pred: NDArray[Any], encoding: TargetEncoding) -> float:
    given = encoding.metric_arguments(metric.name, metric.response, y_true, y_pred)
    try:
        value = np.asarray(metric.function(*given))
        if value.size == 1:
            return float(value.reshape(()))
    except Exception as error:
        # Whatever it is, the batch is at fault and not one record: nothing is to be tried again without it.
        raise ModelError(
            f"The metric {metric.name!r} failed on targets of shape {given[0].shape} and predictions of shape "
            f"{given[1].shape}: {type(error).__name__}: {error}. Pass another metric, or correct this one."
        ) from error
    raise ConfigError(
        f"{metric.name!r} gave an array of shape {value.shape}; a metric is one number. "
        'Give it an average, for instance average="macro".'
    )
