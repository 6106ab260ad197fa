"""Measure rate, intervals, amplitudes, ST levels and axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

from cardioflow.analysis.measure.measure import measure
from cardioflow.analysis.measure.results import Measurements
from cardioflow.batch import EcgBatch
from cardioflow.transforms._inputs import lead_units, rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst, with_measured
from cardioflow.transforms.base import Transform

__all__ = ["Measure"]


@final
@dataclass(frozen=True)
class Measure(Transform):
    """Measure each record, and write what was found to ``dst``.

    Each record has a mapping of names: ``batch.measurements[0]["qt"]``. ``heart_rate`` (1/min), ``rr``, ``p``, ``pr``,
    ``qrs``, ``qt``, ``t``, ``qtc_bazett``, ``qtc_fridericia``, ``qtc_framingham``, ``qtc_hodges`` (s) and ``p_axis``,
    ``qrs_axis``, ``t_axis`` (degrees) are those of the median beat over all leads, NaN where there is none; ``reasons``
    says why. ``by_lead`` maps each lead to its amplitudes and ST levels in millivolts; a second lead II is
    ``"II (2)"``. ``cardioflow.analysis.measure`` tells how, and gives the values of each beat.

    Args:
        dst: the component to write; ``"meta"`` adds the values to the metadata.

    Raises:
        InputError: when the signals are cut already, or a record has no sampling rate.
    """

    dst: str = "measurements"

    def __post_init__(self) -> None:
        check_dst(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs, names = rates(batch, self.action_name), batch.component("meta")["leads"]
        units = lead_units(batch)

        def run(x: Any, i: int) -> Measurements:
            return measure(x, float(fs[i]), leads=names[i], units=units[i])

        found = map_records(batch, self.action_name, signal, run)
        columns: dict[str, list[Any]] = {
            name: [own[name] for own in found] for name in (found[0].whole if found else ())
        }
        plain = [own.as_dict() for own in found]
        columns["by_lead"] = [own["leads"] for own in plain]
        columns["reasons"] = [own["reasons"] for own in plain]
        return with_measured(batch, self.dst, columns)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("measured")
