"""What a model learns from a batch: labels, numbers, a state per sample, or nothing but its input.

Each class says how the targets of a batch become an array, what the model's
output means, and what a metric is given. A model declares one as
``self.targets``; otherwise the batches show which it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError, LabelError, ModelError
from cardioflow.models._refuse import refuse
from cardioflow.models._target_arrays import numeric_rows, single_number
from cardioflow.models.dump_header import Output

__all__ = [
    "LabelPerSample",
    "NoTarget",
    "Number",
    "OneLabel",
    "Response",
    "SeveralLabels",
    "TargetEncoding",
    "Vector",
]

Array = NDArray[Any]

Response = Literal["predict", "predict_proba"]
"""Whether a metric is given labels or probabilities."""

_TOLERANCE = 1e-4
"""Mixed labels, 0.3 and 0.7, do not add up to one exactly in float32."""


class TargetEncoding(ABC):
    """What a model learns, and what its output means."""

    output: ClassVar[Output]
    usual_loss: ClassVar[str | None] = None
    """The loss that PyTorch and JAX models take if they set none; ``None``: the usual one for ``output``."""

    @abstractmethod
    def encode(self, batch: EcgBatch, x: Array) -> Array:
        """Return the targets of an unstacked ``batch``, one row per row of ``x``, its encoded input.

        Raises:
            LabelError: when the batch has no such targets; it names the record where it is one record's.
        """

    @abstractmethod
    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Return what the metric ``name`` is given for ``y_true`` and ``y_pred``.

        Raises:
            ModelError: when the predictions do not fit the targets, or are not probabilities where it needs them.
        """

    def check_classes(self, known: tuple[str, ...] | None, given: tuple[str, ...] | None, y: Array) -> None:  # noqa: B027 -- only labels have classes
        """Refuse targets of other labels than the ``known`` ones, which the model was trained on.

        Raises:
            LabelError: naming both sets of labels.
        """


class _Labels(TargetEncoding):
    """Targets of shape (record, class) between 0 and 1."""

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- some encodings need the input
        y = numeric_rows(batch)
        refuse(batch, ((y < 0) | (y > 1)).any(axis=1), lambda row: _outside(batch.ids[row]))
        return y

    def check_classes(self, known: tuple[str, ...] | None, given: tuple[str, ...] | None, y: Array) -> None:
        if known is None:
            return
        if given is not None and tuple(given) != known:
            raise LabelError(
                f"The model knows the labels {list(known)}, and this batch has {list(given)}. "
                "Drop or rename labels as in training (drop_labels, rename_labels) before binarize_labels."
            )
        if y.shape[1] != len(known):
            raise LabelError(
                f"The model knows {len(known)} labels, {list(known)}, and this batch's targets have {y.shape[1]} "
                "columns. Binarize the same labels as in training."
            )


@final
@dataclass(frozen=True)
class OneLabel(_Labels):
    """One label of many: rows of (record, class) that add up to one; the output is their probabilities."""

    output: ClassVar[Output] = "exclusive"

    def encode(self, batch: EcgBatch, x: Array) -> Array:
        y = super().encode(batch, x)
        total = y.sum(axis=1)
        refuse(batch, np.abs(total - 1) > _TOLERANCE, lambda row: _not_one(batch.ids[row], float(total[row])))
        return y

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        _check_shapes(name, y_true, y_pred)
        if response == "predict":
            return y_true.argmax(axis=1), y_pred.argmax(axis=1)
        _check_probabilities(name, y_pred)
        # As scikit-learn has it: of two classes, the probability of the second.
        return y_true.argmax(axis=1), y_pred[:, 1] if y_pred.shape[1] == 2 else y_pred


@final
@dataclass(frozen=True)
class SeveralLabels(_Labels):
    """Any number of labels at once: rows of 0 and 1 of (record, class); the output is a probability of each."""

    output: ClassVar[Output] = "independent"

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        _check_shapes(name, y_true, y_pred)
        _check_probabilities(name, y_pred)
        truth = (y_true > 0.5).astype(np.int64)
        answer = (y_pred > 0.5).astype(np.int64) if response == "predict" else y_pred
        return (truth[:, 0], answer[:, 0]) if y_true.shape[1] == 1 else (truth, answer)


@final
@dataclass(frozen=True)
class Number(TargetEncoding):
    """One number per record, such as the age: (record, 1); the output is an estimate of it."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- some encodings need the input
        return single_number(batch)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- numbers have no probabilities
        _check_shapes(name, y_true, y_pred)
        return y_true[:, 0], y_pred[:, 0]


@final
@dataclass(frozen=True)
class Vector(TargetEncoding):
    """Several numbers per record, (record, number); the output is an estimate of each."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- some encodings need the input
        return numeric_rows(batch, numbers=True)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- numbers have no probabilities
        _check_shapes(name, y_true, y_pred)
        return y_true, y_pred


@final
@dataclass(frozen=True)
class LabelPerSample(TargetEncoding):
    """A state per sample: whole numbers of (record, time) in the component ``component``.

    The output is (record, time, state), the probabilities of the states. A
    metric is given states; ``response="predict_proba"`` the probabilities.
    """

    component: str = "target"
    output: ClassVar[Output] = "states"

    def encode(self, batch: EcgBatch, x: Array) -> Array:
        states = batch.component(self.component)
        if isinstance(states, Ragged):
            shapes, n_samples = states.shapes, x.shape[-1]
            bad = (shapes[:, :-1] != 1).any(axis=1) | (shapes[:, -1] != n_samples)
            refuse(batch, bad, lambda row: _other_length(batch.ids[row], shapes[row], n_samples))
            states = states.dense()
        states = np.asarray(states)
        if states.dtype.kind not in "fiub" or states.size != len(x) * x.shape[-1]:
            raise LabelError(
                f"The component {self.component!r} is {states.dtype} of shape {states.shape}, and the model takes a "
                f"state for each of the {x.shape[-1]} samples of {len(x)} records."
            )
        # Signals are float32, and so are states that were kept as signals.
        bad = ((states != np.rint(states)) | (states < 0)).reshape(len(x), -1).any(axis=1)
        refuse(batch, bad, lambda row: _not_states(batch.ids[row], self.component))
        return np.ascontiguousarray(states.reshape(len(x), x.shape[-1]), dtype=np.int64)

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        if y_pred.shape[:2] != y_true.shape or y_pred.ndim != 3:
            raise ModelError(
                f"The model gives {y_pred.shape[1:]} per record, and {name!r} needs (time, state) for "
                f"{y_true.shape[1]} samples. Let the model end in one probability per sample and state."
            )
        if response == "predict":
            return y_true.ravel(), y_pred.argmax(axis=-1).ravel()
        _check_probabilities(name, y_pred)
        return y_true.ravel(), y_pred.reshape(-1, y_pred.shape[-1])


@final
@dataclass(frozen=True)
class NoTarget(TargetEncoding):
    """Nothing but the input: the targets are the input itself, as for an auto-encoder."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- the others need the batch
        return x

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- numbers have no probabilities
        _check_shapes(name, y_true, y_pred)
        return y_true.reshape(len(y_true), -1), y_pred.reshape(len(y_pred), -1)


def _not_one(name: str, total: float) -> LabelError:
    return LabelError(
        f"The labels of record {name!r} add up to {total:g}, and the model takes exactly one label per record. "
        "Keep one label of each, or let the model take several (multilabel=True in the zoo, or "
        "self.targets = SeveralLabels())."
    )


def _outside(name: str) -> LabelError:
    return LabelError(
        f"The target of record {name!r} is not between 0 and 1, as labels are. Call binarize_labels() on labels; for "
        "numbers, let the model declare self.targets = Number() or Vector()."
    )


def _other_length(name: str, shape: Array, n_samples: int) -> InputError:
    return InputError(
        f"The states of record {name!r} have the shape {tuple(map(int, shape))}, and its signal has {n_samples} "
        "samples. Give one state per sample, in one row."
    )


def _not_states(name: str, component: str) -> LabelError:
    return LabelError(
        f"The component {component!r} of record {name!r} has values that are not whole numbers from 0, as states "
        "are. Round them, number them from 0, or drop the record."
    )


def _check_shapes(name: str, y_true: Array, y_pred: Array) -> None:
    if y_pred.shape != y_true.shape:
        raise ModelError(
            f"The model gives {y_pred.shape[1:]} per record and the targets are {y_true.shape[1:]}, "
            f"so that {name!r} cannot be computed. Let the model end in as many numbers as the targets have."
        )


def _check_probabilities(name: str, y_pred: Array) -> None:
    low, high = float(y_pred.min()), float(y_pred.max())
    if low < -1e-6 or high > 1 + 1e-6:
        raise ModelError(
            f"{name!r} needs probabilities, and the model gives numbers from {low:.3g} to {high:.3g}. "
            "Let the model end in a softmax or a sigmoid."
        )
