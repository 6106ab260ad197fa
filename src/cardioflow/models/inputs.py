"""What a model takes from a batch: the signals, or a table of features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.models._refuse import refuse

__all__ = ["Features", "InputEncoding", "InputShape", "Signals"]

InputShape = tuple[int | None, ...]
"""The shape of one row of the input; ``None`` where any size will do."""

_REMEDIES = (
    "Keep the same leads of each first, with keep_channels.",
    "Cut them to one length first, with split_signals or random_split_signals.",
)
"""Where records differ in leads, and where in samples."""


class InputEncoding(ABC):
    """How an unstacked batch becomes the array that a model computes with."""

    by_lead: ClassVar[bool] = False
    """Whether a row is made of the leads in their order, so that names and units of leads are compared."""

    @abstractmethod
    def encode(self, batch: EcgBatch, expected: InputShape | None, trained: InputShape | None) -> NDArray[np.float32]:
        """Return the input as float32, one row per row of ``batch``.

        Args:
            batch: An unstacked batch.
            expected: The shape that the model was built for, ``None`` if unknown.
            trained: The shape of the first batch that the model was trained on, ``None`` before it.

        Raises:
            InputError: when a model cannot take it; it names the record.
            BadRecordsError: when a model cannot take several of the records.
        """


@final
@dataclass(frozen=True)
class Signals(InputEncoding):
    """The signals, as float32 of shape (record, lead, time)."""

    by_lead = True

    def encode(self, batch: EcgBatch, expected: InputShape | None, trained: InputShape | None) -> NDArray[np.float32]:
        signal = batch.component("signal")
        _refuse_empty(batch)
        if signal.dtype.kind == "c":
            raise InputError("The signal is complex, and models take real numbers. Take its magnitude first.")
        _refuse_other_shapes(batch, signal.shapes, expected)
        _refuse_mixed_shapes(batch, signal.shapes, trained)
        x: NDArray[np.float32] = np.ascontiguousarray(signal.dense(), dtype=np.float32)
        _refuse_not_finite(batch, x, "signal", "samples")
        return x


@final
@dataclass(frozen=True)
class Features(InputEncoding):
    """A component with a row of numbers per record, as float32 of shape (record, feature)."""

    component: str = "features"
    missing: bool = False
    """Whether the model takes NaN, for a feature that a record does not give."""

    def encode(self, batch: EcgBatch, expected: InputShape | None, trained: InputShape | None) -> NDArray[np.float32]:
        _refuse_empty(batch)
        table = np.asarray(batch.component(self.component))
        if table.dtype.kind not in "fiub" or table.ndim not in (1, 2):
            raise InputError(
                f"The component {self.component!r} is {table.dtype} of shape {table.shape}, and the model takes "
                "numbers of shape (record, feature). Save the features with save_to=B(…) as one row per record."
            )
        x = np.ascontiguousarray(table.reshape(len(table), -1), dtype=np.float32)
        shape = expected or trained
        if shape is not None and shape[0] not in (None, x.shape[1]):
            raise InputError(
                f"The model takes {shape[0]} features per record, and the component {self.component!r} has "
                f"{x.shape[1]}. Compute the same features as in training."
            )
        _refuse_not_finite(batch, x, f"component {self.component!r}", "features", missing=self.missing)
        return x


def _refuse_empty(batch: EcgBatch) -> None:
    if not len(batch):
        raise InputError("The batch has no records left for the model. Skip empty batches.")


def _refuse_other_shapes(batch: EcgBatch, shapes: NDArray[np.int64], expected: InputShape | None) -> None:
    """Refuse every record whose (lead, time) is not what the model was built for."""
    if expected is None:
        return
    bad = np.zeros(len(shapes), bool)
    for axis, size in enumerate(expected):
        if size is not None:
            bad |= shapes[:, axis] != size
    leads, samples = ("any" if size is None else size for size in expected)

    def reason(row: int) -> InputError:
        own = shapes[row]
        return InputError(
            f"The model takes signals of shape ({leads}, {samples}), (lead, time), and record {batch.ids[row]!r} has "
            f"({own[0]}, {own[1]}). {_REMEDIES[int(expected[0] in (None, own[0]))]}"
        )

    refuse(batch, bad, reason)


def _refuse_mixed_shapes(batch: EcgBatch, shapes: NDArray[np.int64], trained: InputShape | None) -> None:
    """Refuse signals of different shape: those unlike the training's, or, where none is like them, the batch."""
    if not (shapes != shapes[0]).any():
        return
    like_trained = np.zeros(len(shapes), bool) if trained is None else (shapes == np.array(trained)).all(axis=1)
    if like_trained.any():
        first = int(np.flatnonzero(like_trained)[0])
        refuse(batch, ~like_trained, lambda row: _mixed(batch, shapes, first, row))
    raise _mixed(batch, shapes, 0, int(np.flatnonzero((shapes != shapes[0]).any(axis=1))[0]))


def _mixed(batch: EcgBatch, shapes: NDArray[np.int64], first: int, other: int) -> InputError:
    axis = int(shapes[other][1] != shapes[first][1])
    return InputError(
        f"Record {batch.ids[first]!r} has {shapes[first][axis]} {('leads', 'samples')[axis]} and record "
        f"{batch.ids[other]!r} {shapes[other][axis]}, but a model takes signals of one shape. {_REMEDIES[axis]}"
    )


def _refuse_not_finite(batch: EcgBatch, x: NDArray[Any], what: str, unit: str, *, missing: bool = False) -> None:
    finite = ~np.isinf(x) if missing else np.isfinite(x)
    if finite.all():
        return

    def reason(row: int) -> InputError:
        n_bad = int((~finite[row]).sum())
        return InputError(
            f"The {what} of record {batch.ids[row]!r} is NaN or infinite in {n_bad} of {x[row].size} {unit}, and one "
            'of them would spoil every weight. Drop the record (on_error="skip"), or fill the gaps first.'
        )

    refuse(batch, ~finite.reshape(len(x), -1).all(axis=1), reason)
