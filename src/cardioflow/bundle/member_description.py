"""One model of a bundle: how records are prepared for it, its files, and its weight among the others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Self, final

from cardioflow.bundle.schema import check, entries, is_name, is_number, is_text, optional
from cardioflow.errors import DumpError

__all__ = ["MemberDescription", "member_description"]

_AGGREGATES = ("mean", "median", "max")
_ACTIVATIONS = ("none", "softmax", "sigmoid")


@final
@dataclass(frozen=True, kw_only=True)
class MemberDescription:
    """A model and the steps before it.

    Raises:
        DumpError: for an entry of another type.
    """

    name: str
    preparation: str
    """The steps after reading, as the text of ``Pipeline.to_json()``; in ``bundle.json`` it is an object."""
    onnx: str | None = None
    """The file of the ONNX graph that predicts: its first input is float32 of (row, lead, time) or (row, feature), its
    first output (row, class)."""
    dump: str | None = None
    """The file of the model as ``save`` writes it: to train on, and to predict where there is no ONNX graph."""
    weight: float = 1.0
    """Its share in the weighted mean over the members; only the ratio to the others counts."""
    component: str = "signal"
    """What the graph takes from a batch."""
    activation: Literal["none", "softmax", "sigmoid"] = "none"
    """What makes probabilities of the graph's output."""
    aggregate: Literal["mean", "median", "max"] = "mean"
    """How the predictions of a record's segments become one."""

    @classmethod
    def of(cls, name: str, preparation: Any, **others: Any) -> Self:
        """Return a member whose ``preparation`` is a ``Pipeline``; a leading ``load`` is left out.

        Raises:
            DumpError: for an entry of another type.
        """
        raw = json.loads(preparation.to_json())
        while raw["steps"] and raw["steps"][0]["name"] == "load":
            del raw["steps"][0]
        return cls(name=name, preparation=json.dumps({**raw, "run": {}}), **others)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "name": (is_name, "a name of at most 64 letters, digits, dots, dashes and underscores"),
                "preparation": (lambda v: isinstance(v, str), "a pipeline"),
                "onnx": (optional(is_name), "the name of a file, or null"),
                "dump": (optional(is_name), "the name of a file, or null"),
                "weight": (lambda v: is_number(v) and v >= 0, "a number from 0 on"),
                "component": (is_text, "the name of a component"),
                "activation": (lambda v: v in _ACTIVATIONS, "'none', 'softmax' or 'sigmoid'"),
                "aggregate": (lambda v: v in _AGGREGATES, "'mean', 'median' or 'max'"),
            },
        )
        if self.onnx is None and self.dump is None:
            raise DumpError(f"Entry 'onnx' and entry 'dump' of member {self.name!r} are both missing; expected a file.")


def member_description(raw: Any, where: str) -> MemberDescription:
    """Return the member that a JSON text has at ``where``.

    Raises:
        DumpError: naming the entry that is not as expected.
    """

    def as_text(value: Any, place: str) -> str:
        if not isinstance(value, dict):
            raise DumpError(f"Entry {place!r} is a {type(value).__name__}; expected a pipeline as an object.")
        return json.dumps(value)

    found: MemberDescription = entries(MemberDescription, raw, where, {"preparation": as_text})
    return found
