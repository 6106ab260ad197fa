"""Whether a loss can learn what the targets are: a backend computes many a wrong pair without a word."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import LabelError, ModelError
from cardioflow.models._refuse import refuse
from cardioflow.models.dump_header import Output

__all__ = ["check_loss"]

_SHARES: Final = ("crossentropy", "crossentropyloss", "categoricalcrossentropy", "categoricalfocalcrossentropy")
"""Of probabilities that add up to 1, in PyTorch, JAX and Keras, without underscores."""
_EACH: Final = ("binarycrossentropy", "binaryfocalcrossentropy", "bce", "bceloss", "bcewithlogitsloss")
"""Of a probability of each label."""
_NUMBERED: Final = ("sparsecategoricalcrossentropy",)
"""Of the number of a class."""


def check_loss(loss: Any, output: Output, y: NDArray[Any], batch: EcgBatch) -> None:
    """Refuse targets that the cross-entropy ``loss`` is not defined on; other losses are not looked at.

    The cross-entropy of a softmax over one number is 0 whatever the target, and
    that of an age of 60 years is a large number without a meaning.

    Args:
        loss: The name of a loss, a function or an object.
        output: What the model learns.
        y: The encoded targets, one row per row of ``batch``.
        batch: The records.

    Raises:
        ModelError: when the loss is for another kind of target.
        LabelError: for a target that is not between 0 and 1; it names the record.
    """
    shown = loss if isinstance(loss, str) else str(getattr(loss, "__name__", type(loss).__name__))
    name = shown.lower().replace("_", "")
    if name in _SHARES and output in ("independent", "value"):
        learned, instead = (
            ("several labels at once", "binary cross-entropy")
            if output == "independent"
            else ("numbers", "a loss of numbers such as 'mse'")
        )
        raise ModelError(
            f"The loss {shown!r} is for one label of many, and the model learns {learned}. Use {instead}, or declare "
            "self.targets if the targets are labels."
        )
    if name in _NUMBERED and output != "states":
        raise ModelError(
            f"The loss {shown!r} takes the number of a class, and the targets have the shape (record, class). Use "
            "'categorical_crossentropy'."
        )
    if name in _EACH and output == "value":
        outside = ((y < 0) | (y > 1)).reshape(len(y), -1)
        refuse(batch, outside.any(axis=1), lambda row: _outside(shown, batch.ids[row], y[row].ravel()[outside[row]]))


def _outside(loss: str, name: str, values: NDArray[np.float32]) -> LabelError:
    return LabelError(
        f"The loss {loss!r} is for targets between 0 and 1, and that of record {name!r} is {values[0]:g}. Use a loss "
        "of numbers such as 'mse'."
    )
