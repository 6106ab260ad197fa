"""Tell the classes of beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.analysis.beat_classes.classify import classify_beats
from cardioflow.batch import Annotation, EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms._inputs import rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import beats_once

__all__ = ["ClassifyBeats"]


@final
@dataclass(frozen=True)
class ClassifyBeats(Transform):
    """Tell the AAMI class of each beat: ``N``, ``S``, ``V``, ``F``, or ``Q`` where nothing can be said.

    The events ``src`` say where the beats are, those of ``detect_beats`` or the file's own; of the file's,
    marks that are not beats are skipped, and the codes are ignored. ``dst`` gets an ``Annotation`` per record
    whose symbols are the classes and whose ``confidence`` is their probability. Beats that ``src`` marks as paced
    (``/``) stay ``Q``, because paced rhythms were not learnt. See ``cardioflow.analysis.beat_classes``.

    Args:
        src: the events with the beats.
        dst: the component to write.

    Raises:
        InputError: when the signals are cut, a record has no sampling rate, or ``src`` holds no events.

    >>> pipeline.detect_beats().classify_beats()  # doctest: +SKIP
    """

    src: str = "beats"
    dst: str = "beat_classes"

    def __post_init__(self) -> None:
        check_dst(self)
        if self.dst == "meta":
            raise InputError("classify_beats(dst='meta') cannot write events to the metadata. Choose another name.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        column = batch.column(self.src)
        if column.kind != "events":
            raise InputError(f"classify_beats(src={self.src!r}) holds no events. Call detect_beats first.")
        marks: Any = column.values

        def found(x: Any, row: int) -> Annotation:
            beats = beats_once(marks[row], float(fs[row]))
            own = classify_beats(x, float(fs[row]), beats.sample)
            symbol = np.where(beats.symbol == "/", "Q", own.symbol)
            best = own.probability[np.arange(len(symbol)), [max("NSVF".find(s), 0) for s in symbol]]
            return Annotation(beats.sample, symbol, confidence=np.where(symbol == "Q", np.nan, best))

        return batch.with_component(self.dst, tuple(map_records(batch, self.action_name, signal, found)), "events")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("annotation", "aami"), cls("annotation")
