"""One lead on its way from samples to scored candidates, in as many chunks as come."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beats._candidates import N_COLUMNS, Column, find_candidates
from cardioflow.analysis.beats._design import BLOCK, LAG, LONGEST_SHAPE, Design
from cardioflow.analysis.beats._evidence import (
    N_FIRST,
    N_LEVELS,
    N_SECOND,
    first_pass,
    keep_largest,
    levels,
    second_pass,
)
from cardioflow.analysis.beats._filtering import filter_blocks, lower_rate
from cardioflow.analysis.beats._quiet import Quiet
from cardioflow.analysis.beats._scoring import networks, score
from cardioflow.core.compiled import read_only

__all__ = ["LOOK_AHEAD_S", "Lead", "Scored"]

LOOK_AHEAD_S: Final = 15.0
"""Seconds of signal that must be known behind a candidate before its last score: 7 for each pass, and some."""

_FIRST_S: Final = 7.0
_FLAGS_S: Final = 7.25
_KEPT: Final = 256
"""Samples at the lower rate that the windows reach back."""
_APART_S: Final = 0.2

_NOTHING: Final = np.empty((0, 0), np.float32)


class Scored(NamedTuple):
    """Candidates of one lead in order of time."""

    table: NDArray[np.float64]
    """Rows of ``Column``."""
    scores: NDArray[np.float64]
    """Log-odds of a beat."""
    trust: NDArray[np.float64]
    """How far the lead can be trusted around each candidate, from 0.001 to 1."""


class Lead:
    """The state of one lead: windows of the filters, levels per second, and candidates that wait for what follows."""

    def __init__(self, design: Design, least_mv: float) -> None:
        self._design = design
        self._least = least_mv
        self._carry = np.empty(0, np.float32)
        self._level = np.array([0.0, 0.0, 1.0])
        # Zeros stand before the signal, so that every window is whole.
        self._tails = [np.zeros(_KEPT, np.float32) for _ in range(6)]
        self._gap_tail = np.zeros(_KEPT, np.uint8)
        self._n = 0
        self.bins = np.zeros((64, 4 + N_LEVELS))
        self._n_leveled = 0
        self.rows = _Rows()
        self.quiet = Quiet(design.rate)

    def push(self, x: NDArray[np.float32]) -> Scored:
        """Add the samples ``x``, and return the candidates that are scored now."""
        self.find(x)
        return self._score(self._n - LAG, None)

    def finish(self) -> Scored:
        """Take what was added as the end of the signal, and return the candidates that were not scored yet."""
        last = self.find_last()
        return self._score(last, last)

    def find(self, x: NDArray[np.float32]) -> None:
        """Add the samples ``x``, and find candidates in whole blocks."""
        size = BLOCK * self._design.step
        n_blocks = (self._carry.size + x.size) // size
        whole = np.concatenate([self._carry, x]) if self._carry.size else x
        self._carry = whole[n_blocks * size :].copy()
        if n_blocks:
            self._filter(whole[: n_blocks * size], n_blocks * BLOCK)

    def find_last(self) -> int:
        """Find the candidates at the end of the signal, and return its length at the lower rate."""
        n = self._carry.size // self._design.step
        last = self._n + n
        padded = np.full(-(-(n + LAG) // BLOCK) * BLOCK * self._design.step, np.nan, np.float32)
        padded[: n * self._design.step] = self._carry[: n * self._design.step]
        self._carry = np.empty(0, np.float32)
        self._filter(padded, n)
        self.quiet.finish()
        return last

    def _filter(self, x: NDArray[np.float32], n_own: int) -> None:
        """Filter whole blocks, of which the first ``n_own`` samples at the lower rate belong to the signal."""
        design, n_new = self._design, x.size // self._design.step
        samples = [np.concatenate([tail, np.empty(n_new, np.float32)]) for tail in self._tails]
        gaps = np.concatenate([self._gap_tail, np.empty(n_new, np.uint8)])
        y, lows, slopes, highs, envelope, upper = samples
        lower_rate(read_only(x), design.step, self._level, y[_KEPT:], gaps[_KEPT:])
        self.quiet.push(y[_KEPT : _KEPT + n_own], gaps[_KEPT : _KEPT + n_own])
        # Behind the end the last height goes on, and nothing is missing.
        gaps[_KEPT + n_own :] = 0
        half = int(design.windows[0])
        filter_blocks(
            *(y, lows, slopes, highs, envelope, upper, _KEPT, n_new // BLOCK, BLOCK),
            *(read_only(design.band), read_only(design.upper), half, design.rate),
        )
        self._make_room(n_new)
        end = _KEPT + min(n_new - LAG, n_own)
        rows = self.rows
        rows.n = find_candidates(
            *(lows, envelope, upper, gaps, _KEPT - LAG, end, self._n - _KEPT, self._least),
            *(read_only(design.windows), rows.table, rows.shapes, rows.n, self.bins),
        )
        self._tails = [array[-_KEPT:].copy() for array in samples]
        self._gap_tail = gaps[-_KEPT:].copy()
        self._n += n_new

    def _make_room(self, n_new: int) -> None:
        # Two maxima are further apart than half the window in which each is the highest.
        self.rows.make_room(n_new // int(self._design.windows[1]) + 2)
        n_bins = (self._n + n_new) // int(self._design.windows[5]) + 2
        if n_bins > len(self.bins):
            self.bins = np.concatenate([self.bins, np.zeros((max(n_bins, 2 * len(self.bins)), self.bins.shape[1]))])

    def _score(self, known: int, last: int | None) -> Scored:
        """Score what may be scored with all candidates before ``known``; ``last`` is the signal's length at its end."""
        rows, rate, width = self.rows, self._design.rate, int(self._design.windows[5])
        n_bins = len(self.bins) if last is None else max(last // width, 1)
        n_leveled = max(known // width - 5, self._n_leveled) if last is None else n_bins
        levels(rows.table, rows.n_leveled, rows.n, self.bins, self._n_leveled, n_leveled, n_bins, width)
        self._n_leveled, rows.n_leveled = n_leveled, rows.n

        times = rows.table[: rows.n, Column.TIME]
        ends = [
            rows.n if last is not None else int(np.searchsorted(times, known - seconds * rate, "right"))
            for seconds in (_FIRST_S, _FLAGS_S, LOOK_AHEAD_S)
        ]
        first, second = networks()
        begin, end = rows.n_first, max(ends[0], rows.n_first)
        refused = rows.refused[: rows.n]
        refused[begin:end] = rows.table[begin:end, Column.IN_GAP]
        first_pass(rows.table, rows.shapes, rows.n, begin, end, self.bins, n_bins, rate, rows.first)
        score(rows.first, _NOTHING, refused, begin, end, *first, rows.scores, rows.certainty)
        rows.n_first = end

        begin, end = rows.n_flagged, max(ends[1], rows.n_flagged)
        rows.times[: rows.n] = times
        keep_largest(rows.times, rows.scores, rows.n_first, begin, end, _APART_S * rate, rows.flags)
        rows.n_flagged = end

        begin, end = rows.n_second, max(ends[2], rows.n_second)
        second_pass(
            *(rows.table, rows.shapes, rows.n, begin, end, rate),
            *(rows.first, rows.scores, rows.certainty, rows.flags, rows.second, rows.trust),
            refused,
        )
        score(rows.second, rows.first, refused, begin, end, *second, rows.final, rows.unused)
        rows.n_second = end
        done = Scored(*(a[begin:end].copy() for a in (rows.table, rows.final, rows.trust)))
        rows.forget(float(LOOK_AHEAD_S * rate))
        return done


class _Rows:
    """The candidates that later ones are still compared with, as one array per quantity, and how far each pass is."""

    def __init__(self) -> None:
        self.n = self.n_leveled = self.n_first = self.n_flagged = self.n_second = 0
        self._allocate(256)

    def _allocate(self, size: int) -> None:
        self.table = np.zeros((size, N_COLUMNS))
        self.shapes = np.zeros((size, LONGEST_SHAPE), np.float32)
        self.first = np.zeros((size, N_FIRST), np.float32)
        self.second = np.zeros((size, N_SECOND), np.float32)
        self.flags = np.zeros(size, np.int64)
        self.times, self.refused, self.scores = np.zeros(size), np.zeros(size), np.zeros(size)
        self.certainty, self.trust = np.zeros(size), np.zeros(size)
        self.final, self.unused = np.zeros(size), np.zeros(size)

    def make_room(self, more: int) -> None:
        if self.n + more > len(self.table):
            self._keep(0, max(self.n + more, 2 * len(self.table)))

    def forget(self, behind: float) -> None:
        """Drop candidates that lie further than ``behind`` before the first that is not scored, once they are many."""
        done = self.n_second
        if done > 4096:
            oldest = self.table[done - 1, Column.TIME] - behind
            self._keep(int(np.searchsorted(self.table[:done, Column.TIME], oldest)), len(self.table))

    def _keep(self, first: int, size: int) -> None:
        """Allocate ``size`` rows and keep those from ``first`` on."""
        before, n = dict(self.__dict__), self.n
        self._allocate(size)
        for name, old in before.items():
            if isinstance(old, np.ndarray):
                getattr(self, name)[: n - first] = old[first:n]
            else:
                setattr(self, name, old - first)
