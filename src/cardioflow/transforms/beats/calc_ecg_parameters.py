"""Measure heart rate and intervals, by CardIO's name for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.analysis.measure.measure import measure
from cardioflow.analysis.measure.results import Measurements
from cardioflow.batch import EcgBatch
from cardioflow.dsp.intervals import P_STATES, QRS_STATES, T_STATES, intervals, runs
from cardioflow.errors import InputError
from cardioflow.transforms._inputs import lead_units, rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst, with_measured
from cardioflow.transforms.base import Transform

__all__ = ["CalcEcgParameters"]


@final
@dataclass(frozen=True)
class CalcEcgParameters(Transform):
    """Measure heart rate and intervals from the ECG or from the states of a model, and write them to ``dst``.

    ``hr`` is in beats per minute, ``pq``, ``qrs`` and ``qt`` in seconds, each
    the median over the beats and ``None`` where no beat gives one;
    ``qrs_segments``, ``p_segments`` and ``t_segments`` hold onsets and
    ends in samples. Each record has a mapping of these names:
    ``batch.ecg_parameters[0]["hr"]``. States are those of CardIO's model: 0–2
    QRS, 5–10 T, 14–16 P. CardIO wrote to ``meta``, wrote 0 where it found
    nothing, and paired waves of different beats after a missing one.

    Without ``src``, the values are those of the action ``measure``: medians over the beats of the common shape, from
    the waves of all leads together, and ``None`` where ``measure`` gives a reason. ``measure`` gives more values.

    Args:
        src: the component that holds the state of each sample, as a whole number; by default none, and the waves are
            found in the signal.
        dst: the component to write; ``"meta"`` adds the values to the metadata.

    Raises:
        InputError: when the component does not hold as many states as the signal has samples.
    """

    src: str | None = None
    dst: str = "ecg_parameters"

    def __post_init__(self) -> None:
        check_dst(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        columns: dict[str, list[Any]] = {
            n: [] for n in ("hr", "pq", "qrs", "qt", "qrs_segments", "p_segments", "t_segments")
        }
        if self.src is None:
            self._from_signal(batch, columns)
            return with_measured(batch, self.dst, columns)
        states = batch.component(self.src)
        for i, own in enumerate(map_records(batch, self.action_name, states, lambda s, _: np.asarray(s).reshape(-1))):
            x = signal[i][0]
            if own.size != x.size:
                raise InputError(
                    f"{self} found {own.size} states for the {x.size} samples of record {batch.ids[i]!r}. "
                    "Declare them by set_kind(…, 'time series') before time changes, or predict them again.",
                    record=batch.ids[i],
                )
            waves = [runs(own, members) for members in (QRS_STATES, P_STATES, T_STATES)]
            measured = intervals(x, float(fs[i]), *waves)
            for name, value in zip(columns, (*measured, *(tuple(map(tuple, w.tolist())) for w in waves)), strict=True):
                columns[name].append(value)
        return with_measured(batch, self.dst, columns)

    def _from_signal(self, batch: EcgBatch, columns: dict[str, list[Any]]) -> None:
        """Add what ``measure`` finds in each record; an end is the sample after the last, as with states."""
        fs, units = rates(batch, self.action_name), lead_units(batch)
        signal = batch.component("signal")

        def run(x: Any, i: int) -> Measurements:
            return measure(x, float(fs[i]), units=units[i])

        for found in map_records(batch, self.action_name, signal, run):
            for name, ours in (("hr", "heart_rate"), ("pq", "pr"), ("qrs", "qrs"), ("qt", "qt")):
                columns[name].append(found[ours] if found.whole[ours].known else None)
            waves = found.delineation.whole
            for name, marks in (("qrs_segments", waves.qrs), ("p_segments", waves.p), ("t_segments", waves.t)):
                columns[name].append((tuple(marks.onset.tolist()), tuple((marks.end + 1).tolist())))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("states"), cls("states", "meta"), cls()
