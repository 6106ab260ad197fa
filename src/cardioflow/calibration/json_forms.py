"""Fitted objects as JSON, by the codec of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from cardioflow.calibration.calibrators.isotonic import Isotonic
from cardioflow.calibration.calibrators.temperature_scaling import TemperatureScaling
from cardioflow.calibration.calibrators.vector_scaling import VectorScaling
from cardioflow.calibration.conformal_sets import ConformalSets
from cardioflow.calibration.decision_thresholds import DecisionThresholds
from cardioflow.calibration.selective_prediction import SelectivePrediction
from cardioflow.core.json_values import Form, JsonCodec, Recurse
from cardioflow.errors import FormatError

__all__ = ["FORMS", "from_json", "to_json"]

_TYPES: Final = (
    TemperatureScaling,
    VectorScaling,
    Isotonic,
    ConformalSets,
    DecisionThresholds,
    SelectivePrediction,
)


def _form(kind: type[Any]) -> Form:
    name = kind.__module__.rpartition(".")[2]
    own = tuple(f.name for f in fields(kind))

    def encode(value: Any, recurse: Recurse) -> Mapping[str, Any]:
        return {f"${name}": 1, **{field: recurse(_lists(getattr(value, field))) for field in own}}

    def decode(form: Mapping[str, Any], recurse: Recurse) -> Any:
        if form[f"${name}"] != 1:
            raise ValueError(f"version {form[f'${name}']!r:.20} is not 1. Update CardioFlow")
        # The classes check their numbers.
        return kind(**{field: _tuples(recurse(form[field])) for field in own})

    return Form(f"${name}", (kind,), encode, decode, own)


def _lists(value: Any) -> Any:
    return [_lists(own) for own in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(own) for own in value) if isinstance(value, list) else value


FORMS: Final = tuple(_form(kind) for kind in _TYPES)
"""For a codec of texts that hold such objects among others: ``JsonCodec(FORMS)``."""

_CODEC: Final = JsonCodec(FORMS)


def to_json(fitted: Any) -> str:
    """Return a fitted object, or several in a list or a dictionary, as JSON text.

    Raises:
        InputError: when one has no JSON form.
    """
    return _CODEC.to_text(fitted)


def from_json(text: str | bytes) -> Any:
    """Return what ``to_json`` wrote.

    Raises:
        FormatError: when the text is not such JSON, or holds numbers that no fitted object has.
    """
    try:
        return _CODEC.from_text(text)
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"The text does not hold fitted objects. {error}") from error
