"""Measure heart rate variability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.analysis.hrv import Hrv, HrvSettings
from cardioflow.analysis.hrv import calc_hrv as hrv_of_intervals
from cardioflow.batch import Annotation, EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst, with_measured
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import beats_once

__all__ = ["CalcHrv"]


@final
@dataclass(frozen=True)
class CalcHrv(Transform):
    """Measure the heart rate variability of each record's beats, and write it to ``dst``.

    Each record has a mapping of all measures, by the names of ``cardioflow.analysis.hrv.calc_hrv``, and with them
    ``reasons`` for what is NaN, ``warnings``, ``n_intervals``, ``n_left_out`` and ``settings``:
    ``batch.hrv[0]["rmssd"]``. An interval counts where both of its beats have the symbol ``N``, which
    ``detect_beats`` gives to all; intervals next to ectopic beats are then left out by their length alone.
    A beat that is marked in several leads counts once.

    Args:
        src: the events: ``"beats"`` as ``detect_beats`` writes them, or ``"annotation"`` for the file's own.
        preset: ``"taskforce"`` or ``"kubios"``.
        settings: fields of ``HrvSettings`` that replace those of the preset.
        dst: the component to write.

    Raises:
        InputError: when the events are missing or cut into segments, or a setting is wrong.

    >>> pipeline.detect_beats().calc_hrv(settings={"spectrum": "lomb"})  # doctest: +SKIP
    """

    src: str = "beats"
    preset: str = "taskforce"
    settings: Mapping[str, Any] | None = None
    dst: str = "hrv"

    def __post_init__(self) -> None:
        check_dst(self)
        if not isinstance(self.settings, Mapping | None):
            raise InputError(f"calc_hrv(settings={self.settings!r}) is not a mapping, such as {{'spectrum': 'lomb'}}.")
        _parameters.set_fields(self, settings=_parameters.frozen(self.settings or {}))
        HrvSettings.preset(self.preset, **dict(self.settings or {}))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        fs = rates(batch, self.action_name)
        marks = batch.component(self.src)
        for own in marks:
            if not isinstance(own, Annotation):
                raise InputError(
                    f"calc_hrv(src={self.src!r}) needs the events of whole records, but found {type(own).__name__}. "
                    "Call unstack_signals first, or calc_hrv before cutting."
                )
        found = map_records(batch, self.action_name, marks, lambda own, i: self._of(own, float(fs[i])))
        rows = [
            {
                **one.values,
                "reasons": dict(one.reasons),
                "warnings": one.warnings,
                "n_intervals": one.n_intervals,
                "n_left_out": one.n_left_out,
                "settings": one.settings,
            }
            for one in found
        ]
        names = list(rows[0]) if rows else []
        return with_measured(batch, self.dst, {name: [row[name] for row in rows] for name in names})

    def _of(self, marks: Any, fs: float) -> Hrv:
        beats = beats_once(marks, fs)
        normal = beats.symbol == "N"
        ms = 1000 * np.diff(beats.sample) / fs
        apart = ms > 0
        both = (normal[1:] & normal[:-1])[apart]
        ends = beats.sample[1:][apart] / fs
        return hrv_of_intervals(ms[apart], ends, normal=both, preset=self.preset, **dict(self.settings or {}))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("annotation"), cls("annotation", "kubios", {"spectrum": "lomb"}, "variability")
