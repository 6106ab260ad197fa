"""What all batches that a model was trained on had in common."""

from __future__ import annotations

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


@dataclass
class InputSignature:
    """The shape of the first batch of a training, and the sampling rate and leads of all its batches.

    Rate and leads are ``None`` if they are unknown or differ between records.
    """

    input_shape: tuple[int, ...] | None = None
    fs: float | None = None
    leads: tuple[str, ...] | None = None

    def add(self, batch: EcgBatch, x: NDArray[Any]) -> None:
        """Take note of a batch that the model was trained on, whose input is ``x``."""
        if self.input_shape is None:
            self.input_shape = tuple(int(v) for v in x.shape[1:])
            self.fs, self.leads = _common_rate(batch), _common_leads(batch)
            return
        if self.fs is not None and _column(batch, "fs") is not None and self._other_rates(batch).any():
            self.fs = None
        if self.leads is not None and _column(batch, "leads") is not None and _common_leads(batch) != self.leads:
            self.leads = None

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


def _common_rate(batch: EcgBatch) -> float | None:
    fs = _column(batch, "fs")
    rates = set() if fs is None else set(fs.tolist())
    return float(rates.pop()) if len(rates) == 1 and None not in rates else None


def _common_leads(batch: EcgBatch) -> tuple[str, ...] | None:
    leads = _column(batch, "leads")
    names = set() if leads is None else {None if v is None else tuple(v) for v in leads.tolist()}
    first = names.pop() if len(names) == 1 else None
    return None if first is None else tuple(str(lead) for lead in first)
