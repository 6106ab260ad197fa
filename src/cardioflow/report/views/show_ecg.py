"""One record of a batch on ECG paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.layout import Layout
from cardioflow.errors import InputError, nearest
from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.plot_ecg import plot_ecg
from cardioflow.report.views.base import View

__all__ = ["ShowEcg"]


@final
@dataclass(frozen=True)
class ShowEcg(View):
    """Return a figure of one record on ECG paper, with what earlier actions found in it.

    Waves of ``delineate`` are coloured and beats of ``detect_beats`` marked, where the batch has them. A notebook
    shows the figure; ``figure.savefig("ecg.pdf")`` writes it true to scale. ``plot_ecg`` tells the rest.

    Args:
        record: the row, or the id of the record.
        layout: ``"auto"``, ``"3x4"``, ``"6x2"``, ``"12x1"``, ``"rows"`` or ``"strips"``.
        waves: the events to colour; ``"annotation"`` for the file's own.
        beats: the events to mark.
        labels: events to write above, such as ``"annotation"``.
        start_s: where the drawing starts.
        stop_s: where it ends, for rows and strips.
        segment: which segment of a record that is cut.

    Raises:
        InputError: for a record, segment or component that does not exist.
    """

    record: int | str = 0
    layout: Layout = "auto"
    waves: str | None = "waves"
    beats: str | None = "beats"
    labels: str | None = None
    start_s: float = 0.0
    stop_s: float | None = None
    segment: int | None = None

    def __call__(self, batch: EcgBatch) -> EcgFigure:
        row = self._row(batch)
        signal, meta = batch.signal_and_meta
        x, events = np.asarray(signal[row]), {name: self._events(batch, name, row) for name in self._names(batch)}
        title = batch.ids[row]
        if batch.is_cut:
            segment = self._segment(len(x), batch.ids[row])
            x, title = x[segment], f"{title}, segment {segment}"
            events = {name: own[segment] if isinstance(own, tuple) else own for name, own in events.items()}
        elif self.segment is not None:
            raise InputError(f"show_ecg(segment={self.segment}): the records are not cut. Leave segment out.")
        facts = meta[row]
        return plot_ecg(
            x,
            float(facts["fs"]),
            facts["leads"],
            title=title,
            layout=self.layout,
            units=facts.get("units"),
            waves=events.get(self.waves or ""),
            beats=_without_brackets(events.get(self.beats or "")),
            labels=_without_brackets(events.get(self.labels or "")),
            start_s=self.start_s,
            stop_s=self.stop_s,
        )

    def _row(self, batch: EcgBatch) -> int:
        if not len(batch):
            raise InputError("show_ecg: the batch has no records. Show one that has.")
        if isinstance(self.record, str):
            if self.record not in batch.ids:
                raise InputError(f"show_ecg({self.record!r}) is not a record here. {nearest(self.record, batch.ids)}")
            return batch.ids.index(self.record)
        if not -len(batch) <= self.record < len(batch):
            raise InputError(f"show_ecg({self.record}): there are {len(batch)} records. Pass 0 to {len(batch) - 1}.")
        return self.record % len(batch)

    def _segment(self, n: int, record: str) -> int:
        segment = self.segment or 0
        if not 0 <= segment < n:
            raise InputError(f"show_ecg(segment={segment}): record {record!r} has {n} segments. Pass 0 to {n - 1}.")
        return segment

    def _names(self, batch: EcgBatch) -> tuple[str, ...]:
        """Return the events to draw: those by default where the batch has them, others always."""
        own = {*batch.columns, *(("annotation",) if batch.annotation is not None else ())}
        asked = [name for name in (self.waves, self.beats, self.labels) if name is not None]
        missing = [name for name in asked if name not in own and name not in ("waves", "beats")]
        if missing:
            raise InputError(f"show_ecg: the batch has no events {missing[0]!r}. {nearest(missing[0], sorted(own))}")
        return tuple(name for name in asked if name in own)

    @staticmethod
    def _events(batch: EcgBatch, name: str, row: int) -> Any:
        return batch.component(name)[row]


def _without_brackets(events: Any) -> Any:
    """Return the marks that are not onsets and ends of waves, which are coloured instead."""
    if not isinstance(events, Annotation):
        return events
    keep = ~np.isin(events.symbol, ["(", ")"])
    texts = [
        note or ("" if symbol == "N" else symbol)
        for note, symbol in zip(events.aux_note or ("",) * len(events), events.symbol, strict=True)
    ]
    return [(int(events.sample[k]), texts[k]) for k in np.flatnonzero(keep)]
