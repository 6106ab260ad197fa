"""The description of a saved model: one frozen type, checked when it is made, and so when it is read or written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, final, get_args

from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import DumpError, FormatError

__all__ = ["FORMAT", "VERSION", "DumpHeader", "Output", "is_weights_name"]

FORMAT = "cardioflow-model"
VERSION = 2
"""Version 1 had ``multilabel`` (true or false) where version 2 has ``output``, and no thresholds."""

Output = Literal["exclusive", "independent", "value", "states"]
"""What a model's output means.

``"exclusive"``: probabilities of classes of which each record has one;
``"independent"``: a probability for each label, of which a record can have
several or none; ``"value"``: numbers, as of a regression; ``"states"``: a
prediction per sample.
"""

_MAX_BYTES = 64 * 2**20
_MAX_VALUES = 5_000_000
"""A history holds up to four numbers per batch."""
_MAX_DEPTH = 8
_MAX_TEXT = 4 * 2**20
_MAX_INPUT = 2**26
"""Samples of one input, in all leads: 12 leads of 3 hours at 500 Hz."""


def is_weights_name(name: object) -> bool:
    """Return whether a dump may hold weights under ``name``; saving and loading both ask."""
    return isinstance(name, str) and re.fullmatch(r"weights\.[a-z][a-z0-9]{0,30}", name) is not None


@final
@dataclass(frozen=True, kw_only=True)
class DumpHeader:
    """All that a dump holds beside its weights.

    Raises:
        DumpError: for an entry of another type or size, which the message names.
    """

    adapter: str = "keras"
    """The backend: which class of models can load the weights."""
    model: str = "KerasBaseModel"
    """The name of the class that was saved."""
    output: Output = "exclusive"
    classes: tuple[str, ...] | None = None
    """The labels, in the order of the model's outputs."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The probability from which a label is given, for labels whose threshold is not the default."""
    input_shape: tuple[int, ...] | None = None
    """(lead, time) of the signals that the model was trained on."""
    fs: float | None = None
    """Their sampling rate in Hz."""
    leads: tuple[str, ...] | Literal["any"] | None = None
    """The leads that the model takes, in order; ``"any"`` if they do not matter, ``None`` if they are not known."""
    units: tuple[str, ...] | Literal["any"] | None = None
    """The unit of each lead, ``"adu"`` for numbers without one; ``"any"`` and ``None`` as for leads."""
    hist: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Loss and metrics of every batch; NaN where one was not a finite number."""
    preprocessing: str | None = None
    """The pipeline that turns a file into what the model takes, as the text of ``Pipeline.to_json()``."""
    notes: str = ""
    seed: int = 0
    weights: str | None = None
    """The name of the weights in the dump; ``None`` for a plain ``.keras`` file, which is all weights."""

    def __post_init__(self) -> None:
        for name, (is_right, expected) in _RULES.items():
            value = getattr(self, name)
            if not is_right(value):
                raise DumpError(f"Entry {name!r} is {_short(value)}; expected {expected}.")
        unknown = sorted(set(self.thresholds) - set(self.classes or self.thresholds))
        if unknown:
            raise DumpError(f"Entry 'thresholds' has the label {unknown[0]!r}, which entry 'classes' does not list.")

    def to_json(self) -> str:
        """Return the header as the text of a dump's ``model.json``."""
        # JSON has no NaN.
        hist = {k: [v if math.isfinite(v) else None for v in values] for k, values in self.hist.items()}
        entries = {**{f.name: getattr(self, f.name) for f in fields(self)}, "hist": hist}
        entries["thresholds"] = dict(self.thresholds)
        return json.dumps({"format": FORMAT, "version": VERSION, **entries}, allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return the header that ``model.json`` holds, of this version or an earlier one.

        Entries that are missing have their defaults.

        Raises:
            DumpError: when the text is not such a header, or is of a later version.
        """
        try:
            found = parse_limited(text, max_bytes=_MAX_BYTES, max_values=_MAX_VALUES, max_depth=_MAX_DEPTH)
        except FormatError as error:
            raise DumpError(str(error)) from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise DumpError(f'The header is not CardioFlow\'s, whose entry "format" is "{FORMAT}".')
        version = found.get("version")
        if type(version) is not int or version < 1:
            raise DumpError(f"Entry 'version' is {_short(version)}; expected a whole number from 1 on.")
        if version > VERSION:
            raise DumpError(
                f"The header is of version {version}, and this CardioFlow reads versions up to {VERSION}. "
                "Update CardioFlow."
            )
        entries = _from_version_1(found) if version == 1 else found
        known = {f.name for f in fields(cls)}
        return cls(**{name: _as_tuples(name, value) for name, value in entries.items() if name in known})


def _from_version_1(found: dict[str, Any]) -> dict[str, Any]:
    entries = {name: value for name, value in found.items() if name not in ("multilabel", "output", "thresholds")}
    multilabel = found.get("multilabel", False)
    if not isinstance(multilabel, bool):
        raise DumpError(f"Entry 'multilabel' is {_short(multilabel)}; expected true or false.")
    preparation = entries.get("preprocessing")
    if isinstance(preparation, (list, dict)):
        # Version 1 kept any JSON here.
        entries["preprocessing"] = json.dumps(preparation)
    return {**entries, "output": "independent" if multilabel else "exclusive"}


def _as_tuples(name: str, value: Any) -> Any:
    if name in ("classes", "leads", "units", "input_shape") and isinstance(value, list):
        return tuple(value)
    if name == "hist" and isinstance(value, dict):
        return {k: tuple(map(_number, v)) if isinstance(v, list) else v for k, v in value.items()}
    return value


def _number(value: Any) -> Any:
    return math.nan if value is None else value


# -- what each entry may be ------------------------------------------------------


def _text(most: int, *, least: int = 0) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200 and value.isprintable()


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, tuple) and len(value) <= 100_000 and all(map(_text(1000), value)))


def _texts_or_any(value: Any) -> bool:
    return value == "any" or (_texts(value) and value != ())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_rate(value: Any) -> bool:
    return value is None or (_is_number(value) and math.isfinite(value) and value > 0)


def _is_shape(value: Any) -> bool:
    return value is None or (
        isinstance(value, tuple)
        and len(value) <= 8
        and all(type(v) is int and v > 0 for v in value)
        and math.prod(value) <= _MAX_INPUT
    )


def _is_history(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(numbers, tuple) and all(map(_is_number, numbers))
        for name, numbers in value.items()
    )


def _are_thresholds(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(label, str) and _is_number(share) and 0 <= share <= 1 for label, share in value.items()
    )


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "adapter": (_name, "a name of at most 200 printable characters"),
    "model": (_name, "a name of at most 200 printable characters"),
    "output": (lambda value: value in get_args(Output), f"one of {', '.join(map(repr, get_args(Output)))}"),
    "classes": (_texts, "a list of at most 100 000 texts, or null"),
    "thresholds": (_are_thresholds, "a number from 0 to 1 for each label"),
    "input_shape": (_is_shape, f"a list of positive whole numbers, at most {_MAX_INPUT} samples, or null"),
    "fs": (_is_rate, "a positive number of Hz, or null"),
    "leads": (_texts_or_any, "a list of at most 100 000 texts, 'any', or null"),
    "units": (_texts_or_any, "a list of at most 100 000 texts, 'any', or null"),
    "hist": (_is_history, "lists of numbers by name"),
    "preprocessing": (
        lambda value: value is None or _text(_MAX_TEXT)(value),
        f"the text of Pipeline.to_json(), of at most {_MAX_TEXT} characters, or null",
    ),
    "notes": (_text(_MAX_TEXT), f"a text of at most {_MAX_TEXT} characters"),
    "seed": (lambda value: type(value) is int, "a whole number"),
    "weights": (lambda value: value is None or is_weights_name(value), "a name such as 'weights.safetensors'"),
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"a {type(value).__name__} of {len(text)} characters"
