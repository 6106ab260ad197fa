"""What all batches that a model was trained on had in common."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.models._inputs import refuse
from cardioflow.models.dump_header import DumpHeader

__all__ = ["InputSignature"]

_RATE_TOLERANCE = 1e-3
"""Devices write 299.9 for 300 Hz; a model does not notice a thousandth."""


class InputSignature:
    """The shape, sampling rate and leads of a model's input; ``None`` where unknown, or not the same in all batches."""

    def __init__(self) -> None:
        self.input_shape: list[int] | None = None
        self.fs: float | None = None
        self.leads: list[str] | None = None

    @classmethod
    def of(cls, header: DumpHeader) -> Self:
        """Return what a dump's header says."""
        facts = cls()
        facts.input_shape = None if header.input_shape is None else list(header.input_shape)
        facts.fs = header.fs
        facts.leads = None if header.leads is None else list(header.leads)
        return facts

    def header(self) -> dict[str, Any]:
        """Return what a dump's header is to say."""
        return {
            "input_shape": None if self.input_shape is None else tuple(self.input_shape),
            "fs": self.fs,
            "leads": None if self.leads is None else tuple(self.leads),
        }

    def add(self, batch: EcgBatch, x: NDArray[Any]) -> None:
        """Take note of a batch that the model was trained on."""
        if self.input_shape is None:
            self.input_shape = [int(v) for v in x.shape[1:]]
            self.fs, self.leads = _common_rate(batch), _common_leads(batch)
            return
        if self.fs is not None and _column(batch, "fs") is not None and self._other_rates(batch).any():
            self.fs = None
        if self.leads is not None and _column(batch, "leads") is not None and _common_leads(batch) != self.leads:
            self.leads = None

    def check_rate(self, batch: EcgBatch) -> None:
        """Refuse signals at another rate than all those that the model was trained on.

        Raises:
            InputError: naming the record and both rates.
        """
        if self.fs is None or _column(batch, "fs") is None:
            return
        refuse(batch, self._other_rates(batch), lambda i: self._other_rate(batch, i))

    def _other_rates(self, batch: EcgBatch) -> NDArray[np.bool_]:
        fs = np.asarray(_column(batch, "fs"), dtype=np.float64)
        # A record without a rate is not known to have another.
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


def _common_leads(batch: EcgBatch) -> list[str] | None:
    leads = _column(batch, "leads")
    names = set() if leads is None else {None if v is None else tuple(v) for v in leads.tolist()}
    first = names.pop() if len(names) == 1 else None
    return None if first is None else [str(lead) for lead in first]
