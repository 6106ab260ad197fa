"""How a model is trained, said in one way for every backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, LabelError
from cardioflow.models._refuse import refuse

__all__ = ["Precision", "TrainingOptions"]

Precision = Literal["float32", "bfloat16", "float16"]


@final
@dataclass(frozen=True)
class TrainingOptions:
    """Options of training that do not depend on the backend; ``build`` sets ``self.training = TrainingOptions(…)``.

    An adapter refuses an option that its backend cannot do, and says why.

    Raises:
        ConfigError: for a value that an option does not take.
    """

    device: str = "auto"
    """``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``"auto"``: the first accelerator that is there, or the CPU."""
    precision: Precision = "float32"
    """The type of the forward pass. Weights and updates stay in float32, and so do predictions."""
    accumulate: int = 1
    """Over how many batches gradients are averaged before an update."""
    clip_norm: float | None = None
    """The largest norm of all gradients together; larger ones are scaled down to it."""
    class_weights: Mapping[str, float] | None = None
    """The weight of the records of each label; with several labels, the mean weight of the record's labels counts."""
    sample_weights: str | None = None
    """The component of the batch with one weight per record. Weights multiply the loss of a record before the mean."""
    compile: bool = False
    """Whether the backend compiles the model, where that is a choice."""
    freeze: str | tuple[str, ...] | None = None
    """The parts of the network that are not trained, by name: ``"encoder"`` for all but the last one, which makes a
    linear probe; ``()`` for none. By default what the model itself says. A part is a block of a Keras model of the
    zoo (``model.blocks()``), a layer of another one, or a child of a PyTorch module."""
    layer_decay: float = 1.0
    """By how much the learning rate of each part is multiplied for the part before it: with 0.75, the last part
    learns at the full rate, the one before at 0.75 of it, then 0.5625, …"""

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise ConfigError(
                f"precision={self.precision!r} is not one of {', '.join(map(repr, get_args(Precision)))}."
            )
        if type(self.accumulate) is not int or self.accumulate < 1:
            raise ConfigError(f"accumulate={self.accumulate!r} is not a whole number of batches, at least 1.")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ConfigError(f"clip_norm={self.clip_norm!r} is not a positive number. Pass None not to clip.")
        if not 0 < self.layer_decay <= 1:
            raise ConfigError(f"layer_decay={self.layer_decay!r} is not above 0 and at most 1. Pass 1 for equal rates.")
        bad = {name: w for name, w in (self.class_weights or {}).items() if not w >= 0}
        if bad:
            raise ConfigError(f"The class weights {bad} are not numbers of at least 0.")

    def changed(self) -> tuple[str, ...]:
        """Return the names of the options that differ from the default."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != f.default)

    def row_weights(self, batch: EcgBatch, y: NDArray[Any]) -> NDArray[np.float32] | None:
        """Return the weight of each row of an unstacked ``batch``, ``None`` if all weigh the same.

        Args:
            batch: The records.
            y: Their encoded targets; class weights need labels, (record, class).

        Raises:
            LabelError: when there is a class without a weight, or there are no classes.
            InputError: when the component is not one finite weight of at least 0 per record.
        """
        weights = self._of_classes(batch, y)
        if self.sample_weights is None:
            return weights
        own = np.asarray(batch.component(self.sample_weights))
        if own.dtype.kind not in "fiub" or own.shape != (len(batch),):
            raise InputError(
                f"The component {self.sample_weights!r} is {own.dtype} of shape {own.shape}, and sample_weights are "
                f"one number for each of the {len(batch)} records. Save them with save_to=B({self.sample_weights!r})."
            )
        own = own.astype(np.float32)
        refuse(batch, ~(np.isfinite(own) & (own >= 0)), lambda row: _no_weight(batch.ids[row], own[row]))
        return own if weights is None else weights * own

    def _of_classes(self, batch: EcgBatch, y: NDArray[Any]) -> NDArray[np.float32] | None:
        if self.class_weights is None:
            return None
        classes = batch.classes
        if classes is None or y.ndim != 2 or y.shape[1] != len(classes):
            raise LabelError("class_weights need labels, and the batch has none. Call binarize_labels() first.")
        missing = [name for name in classes if name not in self.class_weights]
        if missing:
            raise LabelError(f"class_weights have no weight for {missing}. Pass one for each of {list(classes)}.")
        each = np.array([self.class_weights[name] for name in classes], np.float32)
        n_labels = y.sum(axis=1)
        # A record without any label of several weighs 1.
        return np.where(n_labels > 0, (y @ each) / np.maximum(n_labels, 1e-12), 1.0).astype(np.float32)


def _no_weight(name: str, value: Any) -> InputError:
    return InputError(
        f"The sample weight of record {name!r} is {value}, and a weight is a finite number of at least 0."
    )
