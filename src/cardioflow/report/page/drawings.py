"""Which parts of a record a report draws, and how."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from cardioflow.report.layouts import STANDARD, Printed, grid_sheet, layout_for
from cardioflow.report.page.examination import Examination
from cardioflow.report.page.texts import Texts
from cardioflow.report.rows import Rows, rows_sheet
from cardioflow.report.sheet import Scale, Sheet
from cardioflow.report.view import EcgView, as_marks, clock, wave_spans

__all__ = ["Drawing", "drawings_of", "view_of"]

_STRIP_S: Final = 10.0
_MOST_SAMPLES: Final = 60_000
"""Samples in rows, so that a page stays below 500 kB."""
_MOST_ROWS: Final = 24
_ROWS_PER_SHEET: Final = 6


class Drawing(NamedTuple):
    """A sheet with what it shows."""

    sheet: Sheet
    caption: str
    description: str
    scale: Scale


def view_of(seen: Examination) -> EcgView:
    """Return the record as it is drawn, with its waves, beats and saliency."""
    record, found = seen.record, seen.measured
    signal = np.asarray(record.signal)
    n = signal.shape[1]
    return EcgView(
        signal,
        record.fs,
        record.leads,
        seen.path.stem,
        record.units,
        wave_spans(found.delineation, len(record.leads), n, record.fs),
        as_marks(found.beats.r, "beats", n),
        (),
        seen.rhythm.saliency,
    )


def drawings_of(seen: Examination, texts: Texts) -> list[Drawing]:
    """Return the drawings: 3 × 4 and every lead for a 12-lead ECG; rows, or chosen strips of a long recording."""
    view, scale = view_of(seen), Scale()
    how = _Drawer(seen, view, scale, texts)
    if sum(lead in STANDARD for lead in view.leads) >= 6:
        return how.twelve()
    if len(view.leads) * view.n_samples <= _MOST_SAMPLES and layout_for(view, "auto") == "rows":
        return how.all_rows()
    return how.strips()


class _Drawer:
    def __init__(self, seen: Examination, view: EcgView, scale: Scale, texts: Texts) -> None:
        self.seen, self.view, self.scale, self.texts = seen, view, scale, texts
        self.told = texts("ecg.scale", speed=scale.mm_per_s, gain=scale.mm_per_mv)

    def twelve(self) -> list[Drawing]:
        caption = self.texts("ecg.twelve", layout="3 × 4", scale=self.told)
        found = [self._drawing(grid_sheet(self.view, Printed(), self.scale), caption, 0.0, 10.0)]
        full = grid_sheet(self.view, Printed("12x1"), self.scale)
        found.append(self._drawing(full, self.texts("ecg.full", scale=self.told), 0.0, 10.0))
        if self.view.duration_s > 2 * _STRIP_S:
            found += self._of_rhythm_lead().strips(first=False)
        return found

    def _of_rhythm_lead(self) -> _Drawer:
        """Return a drawer of lead II alone, or of the first that there is."""
        lead = next((self.view.leads.index(name) for name in ("II", "V1", "I") if name in self.view.leads), 0)
        view = replace(
            self.view,
            signal=self.view.signal[lead : lead + 1],
            leads=self.view.leads[lead : lead + 1],
            units=self.view.units[lead : lead + 1],
            waves=None if self.view.waves is None else self.view.waves[lead : lead + 1],
        )
        return _Drawer(self.seen, view, self.scale, self.texts)

    def all_rows(self) -> list[Drawing]:
        """Return sheets of six rows, which fit on A4."""
        caption = self.texts("ecg.rows", scale=self.told)
        each = max(1, _ROWS_PER_SHEET // len(self.view.leads)) * _STRIP_S
        found: list[Drawing] = []
        start = 0.0
        while start < self.view.duration_s - 0.05 and len(found) * _ROWS_PER_SHEET < _MOST_ROWS:
            stop = min(start + each, self.view.duration_s)
            found.append(
                self._drawing(rows_sheet(self.view, Rows(_STRIP_S, start, stop), self.scale), caption, start, stop)
            )
            start = stop
        return found

    def strips(self, *, first: bool = True) -> list[Drawing]:
        """Return ten seconds each of the beginning, the lowest and highest rate, and the longest RR interval."""
        leads = len(self.view.leads)
        most = max(1, int(_MOST_SAMPLES / (leads * _STRIP_S * self.view.fs)))
        chosen = [(name, start) for name, start in _places(self.seen) if first or name != "first"][:most]
        found = []
        for name, start in chosen:
            stop = min(start + _STRIP_S, self.view.duration_s)
            sheet = rows_sheet(self.view, Rows(_STRIP_S, start, stop), self.scale)
            what = self.texts(f"ecg.{name}")
            caption = self.texts("ecg.strip", what=what, start=clock(start), scale=self.told)
            found.append(self._drawing(sheet, caption, start, stop))
        return found

    def _drawing(self, sheet: Sheet, caption: str, start: float, stop: float) -> Drawing:
        fs, beats = self.view.fs, self.seen.measured.beats.r
        inside = int(np.count_nonzero((beats >= start * fs) & (beats < stop * fs)))
        # The page has the name above; on the sheet it would be there twice.
        sheet.texts = [text for text in sheet.texts if text.text and text.text != self.view.title]
        description = self.texts(
            "ecg.description",
            leads=", ".join(self.view.leads),
            start=clock(start),
            stop=clock(min(stop, self.view.duration_s)),
            beats=self.texts("ecg.beats", n=inside),
            waves=self.texts("ecg.waves"),
        )
        return Drawing(sheet, caption, description, self.scale)


def _places(seen: Examination) -> list[tuple[str, float]]:
    """Return where the strips of a recording start, in seconds, with what they show."""
    fs = seen.record.fs
    duration = np.asarray(seen.record.signal).shape[1] / fs
    times = seen.measured.beats.r / fs
    found = [("first", 0.0)]
    rr = seen.measured.beats.rr
    known = np.flatnonzero(np.isfinite(rr))
    last = max(0.0, duration - _STRIP_S)
    if known.size > 8:
        k = int(known[np.argmax(rr[known])])
        found.append(("pause", float(np.clip(times[k] - rr[k] / 2 - _STRIP_S / 2, 0.0, last))))
        half = 4
        mean = np.convolve(
            np.nan_to_num(rr[1:], nan=float(np.nanmedian(rr))), np.full(2 * half, 1 / (2 * half)), "valid"
        )
        for name, at in (("slowest", int(mean.argmax())), ("fastest", int(mean.argmin()))):
            found.append((name, float(np.clip(times[at + half] - _STRIP_S / 2, 0.0, last))))
    # Strips that lie over each other show the same.
    apart: list[tuple[str, float]] = []
    for name, exact in found:
        start = round(exact, 1)
        if all(abs(start - other) >= _STRIP_S for _, other in apart):
            apart.append((name, start))
    return apart
