"""Losses of PyTorch by name, with the meaning of the outputs that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cardioflow import registry
from cardioflow.errors import ModelError, nearest
from cardioflow.models._default_loss import DEFAULT_LOSSES
from cardioflow.models.dump_header import Output
from cardioflow.models.losses._torch import TorchOps
from cardioflow.models.losses.base import Loss, named_loss

__all__ = ["LOSSES", "TorchLoss", "resolve_loss"]

RowLoss = Callable[[Tensor, Tensor], Tensor]
"""Of the output and the target; returns a loss per row."""


class TorchLoss(NamedTuple):
    """A loss, and what turns an output of the module into a prediction."""

    rows: RowLoss | None
    """The loss of each row; ``None`` for a loss that gives only the mean."""
    mean: Callable[[Tensor, Tensor], Tensor]
    predict: Callable[[Tensor], Tensor]
    takes_logits: bool = False
    """Whether the outputs are those before a softmax over axis 1."""

    def weighted(self, output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean loss, each row multiplied by its weight.

        Raises:
            ModelError: when there are weights and the loss gives only a mean.
        """
        if weight is None:
            return self.mean(output, target)
        if self.rows is None:
            raise ModelError(
                "The loss is a function of its own, which gives one number for the whole batch, so that records cannot "
                f"be weighted. Use a loss by name ({', '.join(LOSSES)}), or weight the records in the loss."
            )
        return (self.rows(output, target) * weight).mean()


def resolve_loss(loss: Any, output: Output) -> TorchLoss:
    """Return the loss that ``loss`` names or is; for ``None`` the usual one for what the model learns.

    Raises:
        ModelError: for an unknown name, or what cannot be called.
    """
    if loss is None:
        loss = DEFAULT_LOSSES[output]
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]
    if isinstance(loss, str):
        if loss not in registry.losses:
            raise ModelError(
                f"There is no loss {loss!r} for PyTorch. {nearest(loss, {*LOSSES, *registry.losses.names()})}"
            )
        loss = named_loss(loss)
    if isinstance(loss, Loss):
        return _of_drawer(loss, output)
    if not callable(loss):
        raise ModelError(
            f"The loss is a {type(loss).__name__}. Set self.loss to a name ({', '.join(LOSSES)}) or to a function of "
            "(output, target), such as a loss of torch.nn."
        )
    return TorchLoss(None, loss, _PREDICTIONS.get(type(loss), _same))


@cache
def _of_drawer(loss: Loss, output: Output) -> TorchLoss:
    """Return a loss that is written for every backend."""
    kind, ops = loss.kind_of(output), TorchOps()

    def rows(z: Tensor, target: Tensor) -> Tensor:
        y = functional.one_hot(target, z.shape[1]).to(z.dtype) if output == "states" else target
        z = _states_last(z)
        if kind != "value":
            _check_shapes(z, y)
        return _over_rows(loss.units(ops, z, y, kind))

    def predict(z: Tensor) -> Tensor:
        found: Tensor = loss.probabilities(ops, _states_last(z), kind)
        return found

    return TorchLoss(
        rows if loss.by_row else None, lambda z, y: rows(z, y).mean(), predict, takes_logits=kind == "exclusive"
    )


def _same(output: Tensor) -> Tensor:
    return output


def _states_last(p: Tensor) -> Tensor:
    """Return (record, state, time) in the order (record, time, state), and a table as it is."""
    return p.transpose(1, 2) if p.ndim == 3 else p


def _softmax(output: Tensor) -> Tensor:
    return _states_last(torch.softmax(output, dim=1))


def _over_rows(loss: Tensor) -> Tensor:
    return loss.reshape(len(loss), -1).mean(dim=1)


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    if target.ndim == output.ndim:
        _check_shapes(output, target)
    return _over_rows(functional.cross_entropy(output, target, reduction="none"))


def _check_shapes(output: Tensor, target: Tensor) -> None:
    """Refuse an output of (record,) for targets of (record, 1), which would be broadcast to each with each."""
    if output.shape != target.shape:
        raise ValueError("Let the module return as many numbers per record as the targets have.")


def _binary(output: Tensor, target: Tensor) -> Tensor:
    _check_shapes(output, target)
    return _over_rows(functional.binary_cross_entropy_with_logits(output, target, reduction="none"))


def _squared(output: Tensor, target: Tensor) -> Tensor:
    _check_shapes(output, target)
    return _over_rows(functional.mse_loss(output, target, reduction="none"))


def _absolute(output: Tensor, target: Tensor) -> Tensor:
    _check_shapes(output, target)
    return _over_rows(functional.l1_loss(output, target, reduction="none"))


def _huber(output: Tensor, target: Tensor) -> Tensor:
    _check_shapes(output, target)
    return _over_rows(functional.huber_loss(output, target, reduction="none"))


def _by_rows(rows: RowLoss, predict: Callable[[Tensor], Tensor]) -> TorchLoss:
    return TorchLoss(rows, lambda output, target: rows(output, target).mean(), predict)


LOSSES = {
    "cross_entropy": _by_rows(_cross_entropy, _softmax)._replace(takes_logits=True),
    "binary_cross_entropy": _by_rows(_binary, torch.sigmoid),
    "mse": _by_rows(_squared, _same),
    "mae": _by_rows(_absolute, _same),
    "huber": _by_rows(_huber, _same),
}
"""The first two take logits: outputs before a softmax or a sigmoid."""

_PREDICTIONS: dict[type, Callable[[Tensor], Tensor]] = {
    nn.CrossEntropyLoss: _softmax,
    nn.BCEWithLogitsLoss: torch.sigmoid,
    nn.NLLLoss: lambda output: _states_last(output.exp()),
}
"""What the losses of torch.nn take that are not given probabilities."""
