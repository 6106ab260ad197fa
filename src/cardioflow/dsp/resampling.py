"""Resampling, with a filter against aliasing."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["resampled"]

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

LARGEST: Final = 4096
"""Ratios of whole numbers up to this use the polyphase filter, others the windowed sinc."""

_ZEROS: Final = 10
"""Zero crossings of the sinc on each side, as in ``scipy.signal.resample_poly``."""
_STEPS: Final = 1024
"""Entries of the sinc's table from one zero crossing to the next: linear interpolation errs by less than 5e-7."""


class _Plan(NamedTuple):
    up: int
    """0 where the ratio is not one of small whole numbers."""
    down: int
    taps: Floats
    """(phase, tap), each phase reversed."""


@lru_cache(maxsize=1024)
def _ratio(old: float, new: float) -> Fraction:
    return Fraction(new).limit_denominator(10**6) / Fraction(old).limit_denominator(10**6)


def resampled(data: NDArray[Any], starts: Ints, lengths: Ints, old: Doubles, new: Doubles) -> tuple[Floats, Ints]:
    """Return the runs of the flat buffer, each brought from ``old[i]`` to ``new[i]`` Hz, and the samples of each.

    Where the rates' ratio is one of whole numbers up to 4096, this equals
    ``scipy.signal.resample_poly`` with its defaults (FIR, Kaiser window of beta
    5.0, zeros outside the signal). Other ratios take the same filter as a
    continuous function, a windowed sinc read from a table; it differs from the
    exact function by less than 1e-5 of the signal's largest value.
    """
    data = read_only(data)
    pairs, which = _pairs(old, new)
    plans = [_plan(a, b) for a, b in pairs]
    counts = np.empty(lengths.size, np.int64)
    for k, (a, b) in enumerate(pairs):
        own = which == k
        counts[own] = _counts(lengths[own], _ratio(a, b))
    ends = np.cumsum(counts)
    out = empty(int(counts.sum()), np.float32)
    for k, plan in enumerate(plans):
        own = np.flatnonzero(which == k)
        at = (ends - counts)[own]
        if plan.up == plan.down:
            for i, to in zip(own, at, strict=True):
                out[to : to + counts[i]] = data[starts[i] : starts[i] + lengths[i]]
        elif plan.up:
            _whole_ratio(data, starts[own], lengths[own], plan, at, counts[own], out)
        else:
            gain = pairs[k][1] / pairs[k][0]
            _sinc(data, starts[own], lengths[own], gain, _sinc_taps(gain), at, counts[own], out)
    return out, counts


def _pairs(old: Doubles, new: Doubles) -> tuple[list[tuple[float, float]], Ints]:
    """Return the different pairs of rates, and which of them each run has."""
    if old.size and (old == old[0]).all() and (new == new[0]).all():
        # Most data sets have one rate; sorting takes longer than all else here.
        return [(float(old[0]), float(new[0]))], np.zeros(old.size, np.int64)
    pairs, which = np.unique(np.column_stack([old, new]), axis=0, return_inverse=True)
    return [(float(a), float(b)) for a, b in pairs], which.reshape(-1)


def _counts(lengths: Ints, ratio: Fraction) -> Ints:
    """Return ⌈n·new/old⌉ of each length n, exactly."""
    up, down = ratio.numerator, ratio.denominator
    if up < 2**31 and lengths.size and int(lengths.max()) < 2**31:
        found: Ints = -(-lengths * up // down)
        return found
    # In Python's integers, because these products leave 64 bits.
    return np.array([-(-n * up // down) for n in lengths.tolist()], np.int64)


def _whole_ratio(
    data: NDArray[Any], starts: Ints, lengths: Ints, plan: _Plan, at: Ints, counts: Ints, out: Floats
) -> None:
    """Write the runs at ``starts``, resampled by ``plan``, to ``out`` from ``at`` on."""
    up, down, taps = plan
    n_taps = taps.shape[1]
    room = (int(lengths.max()) + (n_taps // down + 1) * down + n_taps) // down + 2
    dealt, sums = np.empty(down * room, np.float32), np.empty(int(counts.max()) // up + 1, np.float32)
    _polyphase(data, starts, lengths, up, down, taps, at, counts, out, dealt, sums)


@lru_cache(maxsize=64)
def _plan(old: float, new: float) -> _Plan:
    ratio = _ratio(old, new)
    up, down = ratio.numerator, ratio.denominator
    if up == down or max(up, down) > LARGEST:
        return _Plan(up if up == down else 0, 1, np.empty((0, 0), np.float32))
    half = _ZEROS * max(up, down)
    # Imported here: it takes 0.4 s, and every reader imports this file for records that have several rates.
    from scipy.signal import firwin

    # scipy.signal.resample_poly's own filter, cut into one phase per output position between two inputs.
    h = firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0)) * up
    # Four taps are added at a time.
    n_taps = 4 * -(-h.size // (4 * up))
    taps = np.zeros((up, n_taps))
    for phase in range(up):
        own = h[phase::up]
        taps[phase, n_taps - own.size :] = own[::-1]
    return _Plan(up, down, np.ascontiguousarray(taps, np.float32))


def _sinc_taps(ratio: float) -> Floats:
    # Going down, the filter is wider and flatter by the ratio of the rates, and needs fewer steps.
    scale = min(1.0, ratio)
    taps = np.empty((max(round(512 * scale), 32) + 1, 2 * int(np.ceil(_ZEROS / scale))), np.float32)
    _phases(_table(), scale, taps)
    return taps


@lru_cache(maxsize=1)
def _table() -> Doubles:
    """Return the windowed sinc from its centre to its last zero crossing, and one entry more."""
    x = np.arange(_ZEROS * _STEPS + 2) / _STEPS
    window = np.i0(5.0 * np.sqrt(np.clip(1 - (x / _ZEROS) ** 2, 0, None))) / np.i0(5.0)
    h = np.sinc(x) * window * (x <= _ZEROS)
    # Unit gain at 0 Hz, as firwin scales its own.
    return np.asarray(h / ((2 * h.sum() - h[0]) / _STEPS))


@kernel()
def _polyphase(
    data: NDArray[Any],
    starts: Ints,
    lengths: Ints,
    up: int,
    down: int,
    taps: Floats,
    at: Ints,
    counts: Ints,
    out: Floats,
    dealt: Floats,
    sums: Floats,
) -> None:
    """Compute the outputs of one phase side by side: they share their taps, and read inputs ``down`` apart.

    The inputs are dealt into ``down`` streams first, so that the side-by-side
    reads are of neighbours. Zeros stand in front and behind. ``dealt`` and
    ``sums`` have room for the streams and for one phase of the longest run.
    """
    n_taps = taps.shape[1]
    half = _ZEROS * (up if up > down else down)
    front = (n_taps // down + 1) * down
    for r in range(starts.size):
        size = (lengths[r] + front + n_taps) // down + 2
        _deal(data, starts[r], lengths[r], down, front, dealt, size)
        for phase in range(up):
            position = phase * down + half
            first = position // up - n_taps + 1 + front
            n = (counts[r] - phase + up - 1) // up
            for q in range(n):
                sums[q] = 0
            for i in range(0, n_taps, 4):
                _add(sums, n, dealt, first + i, size, down, taps, position % up, i)
            to = at[r] + phase
            for q in range(n):
                out[to + q * up] = sums[q]


@helper()
def _deal(data: NDArray[Any], start: int, length: int, step: int, front: int, to: Floats, size: int) -> None:
    """Write ``step`` streams of ``size``, of every ``step``-th sample, after ``front`` zeros; zeros fill the rest."""
    for stream in range(step):
        first = stream - front
        before = (-first + step - 1) // step
        until = (length - first + step - 1) // step
        base, source = stream * size, start + first
        for q in range(before):
            to[base + q] = 0
        # Unsigned, as in _add.
        target, place, stride = np.uint64(base + before), np.uint64(source + before * step), np.uint64(step)
        for q in range(np.uint64(until - before)):
            to[target + q] = data[place + q * stride]
        for q in range(until, size):
            to[base + q] = 0


@helper(fastmath={"contract"})
def _add(
    sums: Floats, n: int, dealt: Floats, first: int, size: int, down: int, taps: Floats, phase: int, i: int
) -> None:
    g, h, k, m = taps[phase, i], taps[phase, i + 1], taps[phase, i + 2], taps[phase, i + 3]
    # Unsigned, so that no index can mean "from the end": with that check inside, the loop does not vectorise.
    a = np.uint64(first % down * size + first // down)
    b = np.uint64((first + 1) % down * size + (first + 1) // down)
    c = np.uint64((first + 2) % down * size + (first + 2) // down)
    d = np.uint64((first + 3) % down * size + (first + 3) // down)
    for q in range(np.uint64(n)):
        sums[q] += (g * dealt[a + q] + h * dealt[b + q]) + (k * dealt[c + q] + m * dealt[d + q])


@kernel()
def _phases(table: Doubles, scale: float, taps: Floats) -> None:
    """Fill ``taps`` (phase, tap) with the filter at even steps from one sample to the next, both included."""
    n_phases, n_taps = taps.shape
    for phase in range(n_phases):
        for i in range(n_taps):
            x = abs(phase / (n_phases - 1) - (i - n_taps // 2 + 1)) * scale * 1024
            k = int(x)
            taps[phase, i] = (table[k] + (x - k) * (table[k + 1] - table[k])) * scale if k < table.size - 1 else 0.0


@kernel()
def _sinc(
    data: NDArray[Any], starts: Ints, lengths: Ints, ratio: float, taps: Floats, at: Ints, counts: Ints, out: Floats
) -> None:
    n_taps = taps.shape[1]
    steps = taps.shape[0] - 1
    for r in range(starts.size):
        for m in range(counts[r]):
            centre = m / ratio
            base = int(centre)
            place = (centre - base) * steps
            phase = int(place)
            first = base - n_taps // 2 + 1
            skip = max(0, -first)
            until = max(min(n_taps, lengths[r] - first), skip)
            start = starts[r] + first
            out[at[r] + m] = _between(
                taps[phase, skip:until],
                taps[phase + 1, skip:until],
                data[start + skip : start + until],
                np.float32(place - phase),
            )


@helper(fastmath={"reassoc", "contract", "nsz"})
def _between(a: Floats, b: Floats, x: NDArray[Any], share: np.float32) -> Any:
    """Return the filter's output ``share`` of the way from phase ``a`` to phase ``b``."""
    low = np.float32(0)
    high = np.float32(0)
    for k in range(x.size):
        low += a[k] * x[k]
        high += b[k] * x[k]
    return low + share * (high - low)
