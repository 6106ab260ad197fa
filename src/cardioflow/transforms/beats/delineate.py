"""Find onset, peak and end of P, QRS and T."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np

from cardioflow.analysis.waves.delineate import Method, delineate
from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.batch import Annotation, EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import lead_units, rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms.base import Transform

__all__ = ["Delineate"]

# PhysioNet's symbols of the peaks, and the numbers that brackets carry in ``num``.
_KINDS = (("p", "p", 0), ("qrs", "N", 1), ("t", "t", 2))


@final
@dataclass(frozen=True)
class Delineate(Transform):
    """Mark onset, peak and end of P, QRS and T, as the set of events ``dst``; the file's own annotation stays.

    Each wave is ``(``, its peak (``p``, ``N`` or ``t``) and ``)``, as in the QT Database; a wave of two phases has two
    peaks, and a bracket's ``num`` is 0, 1 or 2 for P, QRS and T. ``channel`` is the lead, counted from 1, or 0 for the
    waves of all leads together, from the earliest onset to the latest end. ``confidence`` is that of the wave.
    ``meta["waves_not_measured"]`` holds, per record, ``(channel, start, stop, reason)`` of the stretches without waves,
    and what was left out and why. ``cardioflow.analysis.waves.delineate`` tells how.

    Args:
        method: ``"network"``, or ``"hmm"`` for CardIO's hidden Markov model, which is less accurate.
        per: whose waves to mark: of each ``"lead"``, of the ``"record"``, or ``"both"``.
        dst: the name of the set of events.

    Raises:
        InputError: when the signals are cut already, or a record has no sampling rate.
    """

    method: Method = "network"
    per: Literal["both", "lead", "record"] = "both"
    dst: str = "waves"

    def __post_init__(self) -> None:
        _parameters.choice(self, "per", ("both", "lead", "record"))
        _parameters.choice(self, "method", ("network", "hmm"))
        if self.dst in ("signal", "annotation", "meta", "target"):
            raise InputError(
                f"delineate(dst={self.dst!r}) would write over the {self.dst}. Choose another name, such as 'waves'."
            )

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs, names = rates(batch, self.action_name), batch.component("meta")["leads"]
        units = lead_units(batch)

        def run(x: Any, i: int) -> Delineation:
            return delineate(x, float(fs[i]), leads=names[i], units=units[i], method=self.method)

        found = map_records(batch, self.action_name, signal, run)
        events = tuple(_annotation(self._chosen(own)) for own in found)
        told = [_reasons(self._chosen(own)) for own in found]
        meta = batch.component("meta").with_columns(waves_not_measured=told)
        return batch.replace(meta=meta).with_component(self.dst, events, "events")

    def _chosen(self, found: Delineation) -> dict[int, LeadWaves]:
        leads = dict(enumerate(found.by_lead, 1)) if self.per != "record" else {}
        return {**({0: found.whole} if self.per != "lead" else {}), **leads}

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(dst="p_qrs_t", per="record"), cls(method="hmm")


def _annotation(chosen: dict[int, LeadWaves]) -> Annotation:
    rows: list[tuple[int, int, str, int, float]] = []
    for channel, waves in chosen.items():
        for field, symbol, num in _KINDS:
            marks: WaveMarks = getattr(waves, field)
            for k in range(len(marks)):
                peaks = [int(marks.peak[k])]
                if marks.second_peak[k] >= 0:
                    peaks = sorted([*peaks, int(marks.second_peak[k])])
                times = [(int(marks.onset[k]), "("), *((at, symbol) for at in peaks), (int(marks.end[k]), ")")]
                rows += [(at, channel, code, num, float(marks.confidence[k])) for at, code in times]
    # Marks of one sample keep the order of their wave.
    rows.sort(key=lambda row: row[0])
    return Annotation(
        sample=np.array([row[0] for row in rows], np.int64),
        channel=np.array([row[1] for row in rows], np.int64),
        symbol=np.array([row[2] for row in rows], "<U1"),
        num=np.array([row[3] for row in rows], np.int64),
        confidence=np.array([row[4] for row in rows], np.float64),
    )


def _reasons(chosen: dict[int, LeadWaves]) -> tuple[tuple[int, int, int, str], ...]:
    return tuple(
        (channel, part.start, part.stop, part.reason)
        for channel, waves in chosen.items()
        for part in (*waves.not_measured, *waves.notes)
    )
