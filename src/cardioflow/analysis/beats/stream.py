"""Beats of a signal that comes in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beats._candidates import Column
from cardioflow.analysis.beats._design import LAG, design
from cardioflow.analysis.beats._evidence import keep_largest
from cardioflow.analysis.beats._fusion import TOGETHER_S, add_up
from cardioflow.analysis.beats._lead import LOOK_AHEAD_S, Lead, Scored
from cardioflow.analysis.beats._quiet import NO_QRS, TOO_SHORT, TOO_SHORT_S
from cardioflow.analysis.beats.beats import Beats, Unmeasured
from cardioflow.errors import InputError

__all__ = ["BeatStream"]

_APART_S: Final = 0.2
_RECENTLY_S: Final = 5.0


@final
class BeatStream:
    """Detect beats in chunks of any size: together they give the same beats, bit for bit, as the whole signal.

    A beat is returned 17 to 20 s after it, when all that its score depends on is known. The memory does
    not grow with the signal, apart from 11 numbers per second and lead.

    Args:
        fs: the sampling rate in Hz, at least 80.
        n_leads: the number of leads of each chunk.
        threshold: how much evidence a beat needs, as log-odds; less gives more beats, and more false ones.
        least_mv: beats whose QRS is lower than this, in mV between 3.5 and 25 Hz, are not detected.

    Raises:
        InputError: when the rate is too low, or a number is out of range.

    >>> stream = BeatStream(fs=360.0)
    >>> found = [stream.push(np.zeros(3600, np.float32)), stream.finish()]
    >>> sum(len(beats) for beats in found)
    0
    """

    def __init__(self, fs: float, n_leads: int = 1, *, threshold: float = -0.3, least_mv: float = 0.02) -> None:
        if n_leads < 1:
            raise InputError(f"BeatStream(n_leads={n_leads!r}) is not at least 1. Pass the number of leads of a chunk.")
        if not least_mv >= 0:
            raise InputError(f"BeatStream(least_mv={least_mv!r}) is not a number of millivolts from 0 on.")
        if not np.isfinite(threshold):
            raise InputError(f"BeatStream(threshold={threshold!r}) is not a finite number. The default is -0.3.")
        self._fs = float(fs)
        self._design = design(self._fs)
        self._threshold = threshold
        self._leads = [Lead(self._design, max(least_mv, 1e-9)) for _ in range(n_leads)]
        self._scored: list[Scored] = [_NOTHING] * n_leads
        self._done = -np.inf
        self._n = 0
        self._any = False
        self._quiet: list[Unmeasured] = []
        """The stretches that were reported before the first beat."""
        self._finished = False

    def push(self, chunk: ArrayLike) -> Beats:
        """Add the samples ``chunk`` of shape (lead, time), or (time,) for one lead, and return beats that are certain.

        Missing samples are NaN. The unit is the millivolt.

        Raises:
            InputError: when the chunk has another number of leads, or ``finish`` was called.
        """
        x = np.atleast_2d(np.asarray(chunk, np.float32))
        if self._finished:
            raise InputError("BeatStream.push() was called after finish(). Make a new BeatStream for another signal.")
        if x.ndim != 2 or len(x) != len(self._leads):
            raise InputError(
                f"BeatStream.push() got a chunk of shape {np.shape(chunk)}, but the stream has {len(self._leads)} "
                "leads. Pass (lead, time) with as many leads, or make the stream with n_leads=…."
            )
        self._n += x.shape[1]
        found = [lead.push(np.ascontiguousarray(row)) for lead, row in zip(self._leads, x, strict=True)]
        blocks = self._n // self._design.step
        rate = self._design.rate
        return self._fuse(found, blocks - blocks % 256 - LAG - LOOK_AHEAD_S * rate - 0.5 * rate)

    def finish(self) -> Beats:
        """Return the beats at the end of the signal."""
        if self._finished:
            return Beats.none(self._fs)
        self._finished = True
        return self._fuse([lead.finish() for lead in self._leads], np.inf, self._n)

    def _fuse(self, found: Sequence[Scored], until: float, length: int | None = None) -> Beats:
        """Return the beats later than those of the last call, up to ``until`` in samples at the lower rate."""
        rate = self._design.rate
        leads = [
            Scored(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))
            for old, new in zip(self._scored, found, strict=True)
        ]
        merged = Scored(*(np.concatenate(arrays) for arrays in zip(*leads, strict=True)))
        starts = np.cumsum([0, *(len(lead.scores) for lead in leads)])
        n = len(merged.scores)
        times = merged.table[:, Column.TIME].copy()
        sums, means, place = np.empty(n), np.empty(n), np.empty(n, np.int64)
        add_up(
            *(times, merged.scores - self._threshold, merged.trust, starts, TOGETHER_S * rate, _RECENTLY_S * rate),
            *(sums, means, place),
        )
        order = np.argsort(times, kind="stable")
        flags = np.zeros(n, np.int64)
        keep_largest(times[order], sums[order], n, 0, n, _APART_S * rate, flags)
        now = (times[order] > self._done) & (times[order] <= until)
        own = order[(flags > 0) & now]
        beats = self._beats(
            merged.table[place[own]], means[own], np.searchsorted(starts, place[own], "right") - 1, length
        )
        self._done = max(self._done, until)
        self._scored = [
            Scored(*(array[lead.table[:, Column.TIME] > until - 2 * _RECENTLY_S * rate] for array in lead))
            for lead in leads
        ]
        return beats

    def _beats(
        self, rows: NDArray[np.float64], score: NDArray[np.float64], lead: NDArray[np.intp], length: int | None
    ) -> Beats:
        """Return the candidates in the rows of ``Column`` as beats."""
        # A sample at the lower rate lies in the middle of those whose mean it is.
        middle = (self._design.step - 1) / 2
        self._any = self._any or bool(len(rows))
        sample = np.rint(rows[:, Column.FIDUCIAL] * self._design.step + middle).astype(np.int64)
        return Beats(
            np.clip(sample, 0, max(self._n - 1, 0)),
            1 / (1 + np.exp(-(score + self._threshold))),
            lead.astype(np.int64),
            rows[:, Column.DEFLECTION],
            self._fs,
            tuple(self._unmeasured(length)),
        )

    def _unmeasured(self, length: int | None) -> list[Unmeasured]:
        """Return the stretches that ended since the last call; at the end of the signal, it has ``length`` samples."""
        spans, step = [], self._design.step
        for number, lead in enumerate(self._leads):
            for begin, end, reason in lead.quiet.found:
                stop = end * step
                if length is not None and length - stop < step:
                    stop = length
                spans.append(Unmeasured(begin * step, stop, number, reason))
            lead.quiet.found.clear()
        if self._any:
            self._quiet.clear()
            return spans
        self._quiet += spans
        return spans if not length else sorted([*spans, *self._without_beats(length)], key=lambda span: span.lead)

    def _without_beats(self, length: int) -> list[Unmeasured]:
        """Return the stretches of a signal without any beat that nothing was said about."""
        reason = TOO_SHORT if length < TOO_SHORT_S * self._fs else NO_QRS
        found = []
        for number in range(len(self._leads)):
            at = 0
            for start, stop in [*((s.start, s.stop) for s in self._quiet if s.lead == number), (length, length)]:
                if start > at:
                    found.append(Unmeasured(at, start, number, reason))
                at = max(at, stop)
        return found


_NOTHING = Scored(np.empty((0, len(Column))), np.empty(0), np.empty(0))
