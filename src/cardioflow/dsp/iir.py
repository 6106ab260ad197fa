"""Recursive filters in second-order sections, forward and backward over a batch's flat buffer."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import helper, kernel, read_only
from cardioflow.dsp.simd import WIDTH, add_scaled, load, scaled, store

__all__ = ["Design", "butterworth", "design", "filtfilt", "notch"]

BLOCK: Final = 128
"""Rows that are filled and emptied at a time: 8 KiB, which fit the first-level cache."""

OFFSET: Final = 1e-30
"""Millivolts added to every sample. On a lead that stays zero the recursion would otherwise decay to
denormal numbers, with which it was measured to run seven times slower."""

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


class Design(NamedTuple):
    """A filter, ready to run: its sections, their steady states, and how far it extends a signal at each end."""

    sections: Doubles
    """Rows of (b0, b1, b2, 1, a1, a2), an even number of them."""
    steady: Doubles
    """The state of each section, as part of its pair, after a long run of ones: (section, 2)."""
    edge: int
    """Samples by which ``scipy.signal.sosfiltfilt`` extends a signal at each end."""


def design(sos: Doubles) -> Design:
    """Return the filter with the second-order sections ``sos`` of shape (section, 6)."""
    taps = 2 * len(sos) + 1 - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))
    # Sections run in pairs, whose recursions overlap in time. A section that passes everything completes the last pair.
    passing = np.array([[1.0, 0, 0, 1, 0, 0]])
    even = np.ascontiguousarray(np.vstack([sos, passing]) if len(sos) % 2 else sos, dtype=np.float64)
    pairs = [scipy.signal.sosfilt_zi(even[k : k + 2]) for k in range(0, len(even), 2)]
    return Design(even, np.ascontiguousarray(np.concatenate(pairs)), 3 * taps)


@lru_cache(maxsize=256)
def butterworth(order: int, low: float | None, high: float | None, fs: float) -> Design:
    """Return a Butterworth band-pass between ``low`` and ``high`` Hz, or a low- or high-pass where one is None."""
    kind = "lowpass" if low is None else "highpass" if high is None else "bandpass"
    edges = [e for e in (low, high) if e is not None]
    return design(scipy.signal.butter(order, edges if len(edges) > 1 else edges[0], kind, fs=fs, output="sos"))


@lru_cache(maxsize=256)
def notch(frequencies: tuple[float, ...], quality: float, fs: float) -> Design:
    """Return a filter that stops ``frequencies`` in Hz; each stop band is ``frequency / quality`` Hz wide at -3 dB."""
    sections = [np.concatenate(scipy.signal.iirnotch(f, quality, fs=fs)) for f in frequencies]
    return design(np.array(sections))


def filtfilt(
    data: NDArray[Any], starts: Ints, lengths: Ints, designs: Sequence[Design], which: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return every run of the flat buffer filtered forward and backward, as ``scipy.signal.sosfiltfilt`` does.

    The recursion runs in float64. A run shorter than the filter's edge is
    extended by one sample less than it has; one of a single sample by none.

    Args:
        data: the samples of all runs.
        starts: where each run begins.
        lengths: the samples of each run.
        designs: the filters.
        which: the index into ``designs`` for each run.
    """
    data, starts, lengths = read_only(data), read_only(starts), read_only(lengths)
    out = empty(data.size, np.float32)
    for k, chosen in enumerate(designs):
        own = np.flatnonzero((which == k) & (lengths > 0))
        if own.size:
            # Runs of similar length share a vector, so that few lanes idle.
            own = own[np.argsort(lengths[own], kind="stable")]
            pads = np.minimum(chosen.edge, lengths - 1)
            rows = np.empty((lengths[own[-1]] + 2 * pads[own[-1]]) * WIDTH)
            state = np.zeros((5, WIDTH))
            state[4] = OFFSET
            lanes = np.empty((2, WIDTH), np.int64)
            _filtfilt(data, starts, lengths, pads, own, chosen.sections, chosen.steady, out, rows, state, lanes)
    return out


@kernel()
def _filtfilt(
    data: NDArray[Any],
    starts: Ints,
    lengths: Ints,
    pads: Ints,
    own: Ints,
    sections: Doubles,
    steady: Doubles,
    out: NDArray[np.float32],
    rows: Doubles,
    state: Doubles,
    lanes: Ints,
) -> None:
    # Where the runs do not fill all vectors, the first vector, that of the shortest runs, has lanes to spare.
    for group in range(-(-own.size % WIDTH), own.size, WIDTH):
        last = own[group + WIDTH - 1]
        n = lengths[last] + 2 * pads[last]
        for j in range(lanes.shape[1]):
            # The shortest run fills them: the same numbers are written again.
            i = own[group + j if group + j > 0 else 0]
            lanes[0, j] = i
            lanes[1, j] = n - lengths[i] - 2 * pads[i]
        _gather(rows, n, data, starts, lengths, pads, lanes)
        _recur(rows, n, lanes, sections, steady, state)
        for block in range(0, n, BLOCK):
            for j in range(lanes.shape[1]):
                i = lanes[0, j]
                begin = lanes[1, j] + pads[i]
                end = begin + lengths[i]
                first = begin if begin > block else block
                shift = starts[i] - begin
                for t in range(first, end if end < block + BLOCK else block + BLOCK):
                    out[shift + t] = rows[t * WIDTH + j]


@helper()
def _gather(rows: Doubles, n: int, data: NDArray[Any], starts: Ints, lengths: Ints, pads: Ints, lanes: Ints) -> None:
    """Lay each run, extended oddly at both ends, into a lane so that all of them end in row ``n - 1``."""
    for j in range(lanes.shape[1]):
        i = lanes[0, j]
        pad = pads[i]
        begin = lanes[1, j] + pad
        first, final = starts[i], starts[i] + lengths[i] - 1
        for t in range(begin - pad):
            rows[t * WIDTH + j] = 0.0
        for t in range(pad):
            rows[(begin - 1 - t) * WIDTH + j] = 2 * np.float64(data[first]) - np.float64(data[first + 1 + t])
            rows[(n - pad + t) * WIDTH + j] = 2 * np.float64(data[final]) - np.float64(data[final - 1 - t])
    for block in range(0, n, BLOCK):
        for j in range(lanes.shape[1]):
            i = lanes[0, j]
            begin = lanes[1, j] + pads[i]
            end = begin + lengths[i]
            first = begin if begin > block else block
            shift = starts[i] - begin
            for t in range(first, end if end < block + BLOCK else block + BLOCK):
                rows[t * WIDTH + j] = data[shift + t]


@helper()
def _recur(rows: Doubles, n: int, lanes: Ints, sections: Doubles, steady: Doubles, state: Doubles) -> None:
    """Run all pairs of sections over the rows, first forward and then backward.

    Shorter runs begin in later rows. Each is settled in the row where it begins,
    so that not even its last bit depends on the runs beside it: lanes stand in the
    order of their lengths, the longest last.
    """
    pairs = sections.shape[0] // 2
    for turn in range(2 * pairs):
        forward = turn < pairs
        k = 2 * (turn if forward else turn - pairs)
        for j in range(lanes.shape[1]):
            _settle(state, j, 0.0 if forward else rows[(n - 1) * WIDTH + j], steady, k)
        for m in range(lanes.shape[1]):
            j = WIDTH - 1 - m if forward else m
            begin = lanes[1, j]
            until = n
            if j > 0:
                until = lanes[1, j - 1]
            if forward:
                _settle(state, j, rows[begin * WIDTH + j], steady, k)
            # One call, of one type: a second one with a constant step would be compiled for itself.
            _pass(rows, until - begin, begin if forward else until - 1, 1 if forward else -1, sections, k, state)
            if not forward:
                _settle(state, j, 0.0, steady, k)


@helper()
def _settle(state: Doubles, lane: int, x: float, steady: Doubles, k: int) -> None:
    """Set a lane's state to what a long run of ``x`` leaves behind."""
    state[0, lane] = steady[k, 0] * x
    state[1, lane] = steady[k, 1] * x
    state[2, lane] = steady[k + 1, 0] * x
    state[3, lane] = steady[k + 1, 1] * x


@helper()
def _pass(rows: Doubles, n: int, first: int, step: int, sections: Doubles, k: int, state: Doubles) -> None:
    """Run sections ``k`` and ``k + 1`` over ``n`` rows in place, from row ``first`` on (transposed direct form II)."""
    a0, a1, a2, a3, a4 = sections[k, 0], sections[k, 1], sections[k, 2], -sections[k, 4], -sections[k, 5]
    k += 1
    b0, b1, b2, b3, b4 = sections[k, 0], sections[k, 1], sections[k, 2], -sections[k, 4], -sections[k, 5]
    s1, s2, r1, r2, offset = load(state, 0), load(state, 1), load(state, 2), load(state, 3), load(state, 4)
    t = first
    for _ in range(n):
        x = add_scaled(1.0, offset, load(rows, t))
        y = add_scaled(a0, x, s1)
        s1 = add_scaled(a3, y, add_scaled(a1, x, s2))
        s2 = add_scaled(a2, x, scaled(a4, y))
        z = add_scaled(b0, y, r1)
        r1 = add_scaled(b3, z, add_scaled(b1, y, r2))
        r2 = add_scaled(b2, y, scaled(b4, z))
        store(rows, t, z)
        t += step
    store(state, 0, s1)
    store(state, 1, s2)
    store(state, 2, r1)
    store(state, 3, r2)
