"""What all batches that a model was trained on had in common."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.models._refuse import refuse

__all__ = ["InputSignature"]

_RATE_TOLERANCE = 1e-3
"""Devices write 299.9 for 300 Hz; a relative difference of 0.001 does not matter to a model."""
_DRAWS_RATES = "random_resample_signals"
"""The action after which records have different rates on purpose."""


@dataclass
class InputSignature:
    """The shape of the first batch of a training, and the sampling rate of all its batches.

    The rate is ``None`` if it is unknown or differs between records.
    """

    input_shape: tuple[int, ...] | None = None
    fs: float | None = None

    def add(self, batch: EcgBatch, x: NDArray[Any]) -> None:
        """Take note of a batch that the model was trained on, whose input is ``x``."""
        if self.input_shape is None:
            self.input_shape = tuple(int(v) for v in x.shape[1:])
            self.fs = _common_rate(batch)
            _warn_of_rates(batch, _known_rates(batch))
            return
        if self.fs is not None and _column(batch, "fs") is not None and self._other_rates(batch).any():
            _warn_of_rates(batch, [self.fs, *_known_rates(batch)])
            self.fs = None

    def check_rate(self, batch: EcgBatch) -> None:
        """Refuse signals of another sampling rate than all those that the model was trained on.

        Raises:
            InputError: naming the record and both rates.
            BadRecordsError: when several records have another rate.
        """
        if self.fs is None or _column(batch, "fs") is None:
            return
        refuse(batch, self._other_rates(batch), lambda i: self._other_rate(batch, i))

    def _other_rates(self, batch: EcgBatch) -> NDArray[np.bool_]:
        fs = np.asarray(_column(batch, "fs"), dtype=np.float64)
        # An unknown rate is NaN here, and compares as equal.
        return np.abs(fs - (self.fs or 0.0)) > _RATE_TOLERANCE * (self.fs or 0.0)

    def _other_rate(self, batch: EcgBatch, row: int) -> InputError:
        return InputError(
            f"The model was trained on signals of {self.fs:g} Hz, and record {batch.ids[row]!r} has "
            f"{batch.fs[row]:g} Hz. Call resample_signals({self.fs:g}) first."
        )


def _column(batch: EcgBatch, name: str) -> NDArray[Any] | None:
    return batch.meta[name] if batch.meta is not None and name in batch.meta.columns else None


def _known_rates(batch: EcgBatch) -> list[float]:
    fs = _column(batch, "fs")
    return [] if fs is None else [rate for rate in np.asarray(fs, np.float64).tolist() if not np.isnan(rate)]


def _warn_of_rates(batch: EcgBatch, rates: Sequence[float]) -> None:
    """Warn of rates that differ and were not drawn on purpose: a model takes a rhythm at 500 Hz for a slower one."""
    if not rates or max(rates) - min(rates) <= _RATE_TOLERANCE * min(rates) or _DRAWS_RATES in batch.history:
        return
    shown = ", ".join(f"{rate:g}" for rate in sorted(set(rates))[:5])
    warnings.warn(
        f"The model learns from records of different sampling rates ({shown} Hz), which it cannot tell apart. "
        f"Call resample_signals({rates[0]:g}) before the model.",
        stacklevel=2,
    )


def _common_rate(batch: EcgBatch) -> float | None:
    fs = _column(batch, "fs")
    rates = set() if fs is None else set(fs.tolist())
    return float(rates.pop()) if len(rates) == 1 and None not in rates else None
