"""Add the probabilities of P, QRS and T to the signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.prepare import FS, prepare
from cardioflow.batch import EcgBatch
from cardioflow.transforms._inputs import finite, lead_units, rates, uncut
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["AppendWaveProbabilities"]

_WAVES = ("P", "QRS", "T")


@final
@dataclass(frozen=True)
class AppendWaveProbabilities(Transform):
    """Append three channels for each lead: how probable P, QRS and T are at each sample, from 0 to 1.

    They come after all leads, in the order of the leads: ``I P``, ``I QRS``, ``I T``, with the unit ``1``. A model
    then sees where the network of ``delineate`` finds waves. The network judges each lead alone at 250 Hz, whatever
    the scale of the signal; its probabilities are interpolated linearly to the record's rate.

    Raises:
        InputError: for a record without a sampling rate, with samples that are not finite, or cut into segments.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        longer = map_records(batch, self.action_name, signal, lambda x, i: _with_waves(x, float(fs[i])))
        shapes = signal.shapes[:, -2].tolist()
        sources = [(*range(n), *[-1] * (len(_WAVES) * n)) for n in shapes]
        names = batch.component("meta")["leads"]
        columns = {"leads": [_named(own) for own in names]}
        units = lead_units(batch)
        if any(own is not None for own in units):
            columns["units"] = [None if own is None else (*own, *["1"] * (len(_WAVES) * len(own))) for own in units]
        return _leads.with_events_of_leads(batch, sources).replace(
            signal=gathered(longer, signal.ndim), meta=batch.component("meta").with_columns(**columns)
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)


def _with_waves(x: NDArray[Any], fs: float) -> NDArray[np.float32]:
    # It loads ONNX Runtime.
    from cardioflow.analysis.waves.network import probabilities

    n = x.shape[-1]
    if not x.size:
        return np.empty((len(x) * (1 + len(_WAVES)), n), np.float32)
    found = probabilities(prepare(x, fs).x)
    at, known = np.arange(n) / fs, np.arange(found.shape[1]) / FS
    waves = [np.interp(at, known, lead[:, 1 + k]) for lead in found for k in range(len(_WAVES))]
    return np.concatenate([x, np.array(waves)]).astype(np.float32)


def _named(leads: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if leads is None else (*leads, *(f"{lead} {wave}" for lead in leads for wave in _WAVES))
