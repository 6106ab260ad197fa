"""The base class of losses: one formula for every backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from cardioflow import registry
from cardioflow.errors import ModelError, UnknownNameError, nearest
from cardioflow.models.dump_header import Output
from cardioflow.models.losses._ops import Ops

__all__ = ["Kind", "Loss", "named_loss"]

Kind = Literal["exclusive", "independent", "value"]
"""Whether each unit, a record or a sample, has exactly one of the classes, any number of them, or is not a class."""

_SMALLEST = 1e-7
"""Probabilities are float32, whose nearest number below 1 is 1 - 6e-8."""


@dataclass(frozen=True)
class Loss(ABC):
    """A loss whose parameters are the fields of a frozen dataclass.

    A subclass implements ``units``; ``registry.losses`` finds it by the name of its file.
    """

    takes: ClassVar[tuple[Kind, ...]] = ("exclusive", "independent")
    """What it can learn."""
    by_row: ClassVar[bool] = True
    """Whether each record has a loss of its own, so that records can be weighted and a batch padded."""

    @abstractmethod
    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:
        """Return the loss of each unit.

        Args:
            ops: The operations of the backend.
            z: Logits, (record, …, class).
            y: Targets of the same shape.
            kind: What the classes are.

        Returns:
            (record, …), without the axis of classes.
        """

    def probabilities(self, ops: Ops, z: Any, kind: Kind) -> Any:
        """Return what the logits ``z`` predict, of the same shape."""
        if kind == "exclusive":
            return ops.exp(ops.log_softmax(z))
        return ops.exp(-ops.softplus(-z)) if kind == "independent" else z

    def logits(self, ops: Ops, p: Any, kind: Kind) -> Any:
        """Return logits of what a model predicts that ends in probabilities, as Keras' and TensorFlow's do."""
        if kind == "value":
            return p
        p = ops.maximum(p, _SMALLEST)
        if kind == "exclusive":
            return ops.log(p)
        p = ops.minimum(p, 1 - _SMALLEST)
        return ops.log(p) - ops.log(1 - p)

    def kind_of(self, output: Output) -> Kind:
        """Return what a model learns whose output is of the kind ``output``.

        Raises:
            ModelError: when this loss cannot learn it.
        """
        kind: Kind = "exclusive" if output == "states" else output
        if kind not in self.takes:
            learned = {"exclusive": "one label of many", "independent": "several labels at once", "value": "numbers"}
            raise ModelError(
                f"The loss {self.__name__!r} is for {' or '.join(learned[own] for own in self.takes)}, and the model "
                f"learns {learned[kind]}. Choose another loss, or declare self.targets."
            )
        return kind

    @property
    def __name__(self) -> str:
        """The loss's name, which is the name of its file."""
        return type(self).__module__.rpartition(".")[2]


def named_loss(name: str, **parameters: Any) -> Loss:
    """Return the loss of that name.

    Raises:
        UnknownNameError: when there is none.
        ModelError: for a parameter that it does not have, or lacks.
    """
    if name not in registry.losses:
        raise UnknownNameError(f"There is no loss {name!r}. {nearest(name, registry.losses.names())}")
    kind = registry.losses.get(name)
    try:
        found: Loss = kind(**parameters)
    except TypeError as error:
        raise ModelError(
            f"The loss {name!r} cannot be made from {parameters!r}: {error}. Its parameters are "
            f"{', '.join(field.name for field in fields(kind)) or 'none'}."
        ) from error
    return found
