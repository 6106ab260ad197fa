"""Detect beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.analysis.beats import Beats
from cardioflow.analysis.pacing import LEAST_FS, paced_beats, pacing_spikes
from cardioflow.batch import Annotation, EcgBatch
from cardioflow.batch.units import is_unknown, millivolts_per
from cardioflow.errors import InputError
from cardioflow.registry import detectors
from cardioflow.transforms._inputs import lead_units, rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst
from cardioflow.transforms.base import Transform

__all__ = ["DetectBeats"]


@final
@dataclass(frozen=True)
class DetectBeats(Transform):
    """Detect beats in all leads together, and write them to the events ``dst``, beside the file's own annotations.

    Each record gets an ``Annotation``: ``sample`` is the main deflection of the QRS, ``confidence`` the
    detector's probability. The symbol is ``/`` for beats that follow a pacemaker's spike, which is looked for
    from 500 Hz on, and ``N`` for all others: nothing is said about their class.
    A record without beats gets an empty one. Missing samples (NaN) are passed over, and so are leads that are not
    voltages, such as blood pressure, unless the record has no others.

    Args:
        detector: the name of a file in ``analysis/detectors/``, or of a detector of another distribution.
        dst: the component to write.

    Raises:
        InputError: for a record of less than 80 Hz, or signals that are cut.
        UnknownNameError: when there is no such detector.

    >>> pipeline.detect_beats()  # doctest: +SKIP
    """

    detector: str = "two_pass"
    dst: str = "beats"

    def __post_init__(self) -> None:
        check_dst(self)
        if self.dst == "meta":
            raise InputError("detect_beats(dst='meta') cannot write events to the metadata. Choose another name.")
        detectors.get(self.detector)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        units = lead_units(batch)
        detect = detectors.get(self.detector)()

        def found(x: Any, row: int) -> Annotation:
            x = _voltages(x, units[row])
            return _marks(detect(x, float(fs[row])), x)

        return batch.with_component(self.dst, tuple(map_records(batch, self.action_name, signal, found)), "events")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(dst="found"), cls("curve_length", "found_by_length")


def _voltages(x: Any, units: tuple[str, ...] | None) -> Any:
    """Return the leads that may be voltages; all of them where none is."""
    if units is None:
        return x
    own = [unit is None or is_unknown(unit) or millivolts_per(unit) is not None for unit in units]
    return x[np.array(own)] if any(own) and not all(own) else x


def _marks(beats: Beats, x: Any) -> Annotation:
    symbol = np.full(len(beats), "N")
    if len(beats) and beats.fs >= LEAST_FS:
        symbol[paced_beats(beats.sample, pacing_spikes(x, beats.fs), beats.fs)] = "/"
    return Annotation(beats.sample, symbol, confidence=beats.confidence)
