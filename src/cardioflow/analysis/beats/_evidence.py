"""Numbers that tell a QRS from noise and T waves, per candidate; the first of two passes and the second.

The first pass compares a candidate with its surroundings: heights of other
candidates within 5 s, shoulders, sharpness, shape (as Hamilton 2002 and Pan and Tompkins 1985
do in rules). The second compares it with the beats that the first
found: intervals, shape and height of their neighbours, which is a search-back in both directions.
All are ratios, correlations or times in seconds, so that gain and sampling rate do not matter.
"""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beats._candidates import Column
from cardioflow.core.compiled import helper, kernel

__all__ = ["N_FIRST", "N_LEVELS", "N_SECOND", "first_pass", "keep_largest", "levels", "second_pass"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

N_FIRST: Final = 18
N_SECOND: Final = 22
N_LEVELS: Final = 7
_TIME, _HEIGHT, _SHARPNESS, _PEAK = int(Column.TIME), int(Column.HEIGHT), int(Column.SHARPNESS), int(Column.PEAK)
_LOW, _HIGH, _FOCUS = int(Column.LOW_SHOULDER), int(Column.HIGH_SHOULDER), int(Column.FOCUS)

_QT_S = 0.65
"""Longer than any QT interval but those of a long QT syndrome."""
_STEEPER = 1.3
_SAME_SHAPE = 0.95
_SEVERAL = {"reassoc", "contract", "nsz"}
_NEIGHBOURS = 6
"""Candidates or beats on each side whose shape is compared."""


@helper()
def _log(value: float) -> float:
    return float(np.log(max(value, 1e-6)))


@helper()
def _sorted_in(values: Doubles, n: int, value: float) -> None:
    """Insert ``value`` into the ``n`` sorted ``values``."""
    while n > 0 and values[n - 1] > value:
        values[n] = values[n - 1]
        n -= 1
    values[n] = value


@helper(fastmath=_SEVERAL)
def _alike(a: Floats, b: Floats) -> float:
    """Return the correlation of two shapes, which have the norm 1."""
    total = np.float32(0.0)
    for k in range(a.size):
        total += a[k] * b[k]
    return float(total)


@helper()
def _best_three(best: Doubles, value: float) -> None:
    if value > best[0]:
        best[2], best[1], best[0] = best[1], best[0], value
    elif value > best[1]:
        best[2], best[1] = best[1], value
    elif value > best[2]:
        best[2] = value


@kernel(error_model="numpy")
def levels(table: Doubles, first: int, n: int, bins: Doubles, begin: int, end: int, n_bins: int, width: int) -> None:
    """Write the levels around each second in [begin, end) to ``bins[:, 4:]``.

    ``bins`` has the sums of both envelopes in columns 0 and 1. Columns 2 and 3
    receive the height and the sharpness of each second's highest candidate; 4 to 10 the quartiles and
    the maximum of these heights within ±5 s, and the medians of both mean envelopes and of the sharpness.
    ``n_bins`` is how many seconds there are; candidates are read from row ``first`` on.
    """
    for i in range(first, n):
        b = min(int(table[i, _TIME]) // width, n_bins - 1)
        if table[i, _HEIGHT] > bins[b, 2]:
            bins[b, 2] = table[i, _HEIGHT]
            bins[b, 3] = table[i, _SHARPNESS]
    values = np.empty(11)
    for b in range(begin, end):
        low, high = max(b - 5, 0), min(b + 6, n_bins)
        m = high - low
        for column in range(4):
            for k in range(m):
                _sorted_in(values, k, bins[low + k, column])
            if column == 0:
                bins[b, 7] = values[m // 2] / width
            elif column == 1:
                bins[b, 8] = values[m // 2] / width
            elif column == 2:
                for q in range(3):
                    bins[b, 4 + q] = values[int(0.25 * (q + 1) * (m - 1) + 0.5)]
                bins[b, 10] = values[m - 1]
            else:
                bins[b, 9] = values[m // 2]


@kernel(error_model="numpy")
def first_pass(
    table: Doubles, shapes: Floats, n: int, begin: int, end: int, bins: Doubles, n_bins: int, rate: float, out: Floats
) -> None:
    """Write the evidence of the candidates [begin, end) of ``n``, each against its surroundings, to their rows."""
    width = int(np.round(rate))
    near, far, apart = 0.40 * rate, 5.5 * rate, 0.2 * rate
    best = np.empty(3)
    for i in range(begin, end):
        t, height = table[i, _TIME], table[i, _HEIGHT]
        level = bins[min(int(t) // width, n_bins - 1), 4:]
        row = out[i]
        row[0] = _log(height / (level[1] + 1e-9))
        row[1] = _log(height / (level[0] + 1e-9))
        row[2] = _log(height / (level[2] + 1e-9))
        row[3] = _log(level[1] / (level[3] + 1e-9))
        row[4] = _log(max(table[i, _LOW], 1e-3))
        row[5] = _log(max(table[i, _HIGH], 1e-3))
        row[6] = _log(table[i, _SHARPNESS] / (level[5] + 1e-9))
        row[7] = _log(level[4] / (level[1] + 1e-9))
        row[17] = _log(height / (level[6] + 1e-9))
        strong = 0.4 * level[1]
        best[0], best[1], best[2] = -1.0, -1.0, -1.0
        for side in range(2):
            step = 1 if side else -1
            largest, when = 0.0, 0.0
            compared = 0
            j = i + step
            while 0 <= j < n:
                away = abs(table[j, _TIME] - t)
                if away > far or compared == _NEIGHBOURS:
                    break
                other = table[j, _HEIGHT]
                if away <= near and other > largest:
                    largest, when = other, away / rate
                if away > apart and other > strong:
                    _best_three(best, _alike(shapes[i], shapes[j]))
                    compared += 1
                j += step
            row[8 + 2 * side] = _log(max(largest / height, 0.05))
            row[9 + 2 * side] = when
        row[12], row[13], row[14] = best[0], best[1], best[2]
        row[15] = table[i, _FOCUS]
        row[16] = _log(table[i, _PEAK] / height * 20)


@kernel()
def keep_largest(times: Doubles, scores: Doubles, n: int, begin: int, end: int, apart: float, flags: Ints) -> None:
    """Flag those of [begin, end) that score above 0 and more than all others within ``apart``; the first of equals."""
    for i in range(begin, end):
        flags[i] = 0
        if scores[i] <= 0.0:
            continue
        largest = True
        j = i - 1
        while j >= 0 and times[i] - times[j] <= apart:
            if scores[j] >= scores[i]:
                largest = False
                break
            j -= 1
        j = i + 1
        while largest and j < n and times[j] - times[i] <= apart:
            if scores[j] > scores[i]:
                largest = False
            j += 1
        if largest:
            flags[i] = 1


@helper()
def _neighbours(table: Doubles, flags: Ints, n: int, i: int, far: float, out: Ints) -> int:
    """Write up to six beats before ``i`` and six after it to ``out`` in order of time; return how many are before."""
    before = 0
    j = i - 1
    while j >= 0 and before < _NEIGHBOURS and table[i, _TIME] - table[j, _TIME] <= far:
        if flags[j]:
            before += 1
            out[_NEIGHBOURS - before] = j
        j -= 1
    for k in range(before):
        out[k] = out[_NEIGHBOURS - before + k]
    m = before
    j = i + 1
    while j < n and m - before < _NEIGHBOURS and table[j, _TIME] - table[i, _TIME] <= far:
        if flags[j]:
            out[m] = j
            m += 1
        j += 1
    out[2 * _NEIGHBOURS] = m
    return before


@kernel(error_model="numpy")
def second_pass(
    table: Doubles,
    shapes: Floats,
    n: int,
    begin: int,
    end: int,
    rate: float,
    first: Floats,
    scores: Doubles,
    certainty: Doubles,
    flags: Ints,
    out: Floats,
    trust: Doubles,
    refused: Doubles,
) -> None:
    """Write the evidence of the candidates [begin, end), each against the beats of the first pass, to their rows.

    ``scores`` are the first pass's, ``flags`` mark its beats. ``trust`` receives how far the lead can be
    trusted at that time, from 0.001 to 1: the fourth power of the mean ``certainty`` within ±5 s,
    less where the lead has fewer than four beats around. A lead of noise alone is decided, too.
    ``refused`` becomes 1 for the P or T wave of a lone beat.
    """
    around = np.empty(2 * _NEIGHBOURS + 1, np.int64)
    gaps = np.empty(2 * _NEIGHBOURS)
    best = np.empty(3)
    for i in range(begin, end):
        t, row = table[i, _TIME], out[i]
        before = _neighbours(table, flags, n, i, 7.0 * rate, around)
        m = around[2 * _NEIGHBOURS]
        if _of_a_lone_beat(table, shapes, i, around[:m], rate):
            refused[i] = 1.0
        usual, spread = _rhythm(table, around[:m], before, rate, gaps)
        last = min((t - table[around[before - 1], _TIME]) / rate, 3.0) if before > 0 else 3.0
        following = min((table[around[before], _TIME] - t) / rate, 3.0) if m > before else 3.0
        row[0] = scores[i]
        row[1], row[2], row[3] = last / usual, following / usual, (last + following) / usual
        row[4], row[5] = min(last, 1.0), min(following, 1.0)
        row[6], row[7] = usual, spread
        row[8] = _decided(table, scores, certainty, n, i, rate, row)
        trust[i] = max(row[8] ** 4 * min(0.25 * m, 1.0), 0.001)
        _compared(shapes, first, i, around[:m], best, row)
        row[18], row[19], row[20] = 0.0, 0.0, 0.0
        if before > 0 and last < 0.5:
            j = around[before - 1]
            row[18] = _log(table[i, _HEIGHT] / table[j, _HEIGHT])
            row[19] = first[i, 16] - first[j, 16]
        if m > before and following < 0.5:
            row[20] = _log(table[i, _HEIGHT] / table[around[before], _HEIGHT])
        row[21] = m / 12.0


@helper()
def _of_a_lone_beat(table: Doubles, shapes: Floats, i: int, around: Ints, rate: float) -> bool:
    """Return whether all beats ``around`` lie within a second, and one within a QT interval is steeper and looks other.

    In a lead that is flat but for one beat, P and T stand as high above their surroundings as a QRS does, and there
    are no other beats to compare them with. The second beat of a couplet looks like the first.
    """
    t, height = table[i, _TIME], table[i, _HEIGHT]
    steeper = False
    for q in range(around.size):
        j = around[q]
        away = abs(table[j, _TIME] - t)
        if away > rate:
            return False
        if away <= _QT_S * rate and table[j, _HEIGHT] > _STEEPER * height:
            steeper = steeper or _alike(shapes[i], shapes[j]) < _SAME_SHAPE
    return steeper


@helper(error_model="numpy")
def _decided(table: Doubles, scores: Doubles, certainty: Doubles, n: int, i: int, rate: float, row: Floats) -> float:
    """Return the mean certainty of others within ±5 s, and write the best score within 0.35 s on each side."""
    total, count = 0.0, 0
    for side in range(2):
        step = 1 if side else -1
        best = -20.0
        j = i + step
        while 0 <= j < n:
            away = abs(table[j, _TIME] - table[i, _TIME])
            if away > 5.0 * rate:
                break
            total += certainty[j]
            count += 1
            if away <= 0.35 * rate and scores[j] > best:
                best = scores[j]
            j += step
        row[9 + side] = best
    return total / count if count > 0 else 0.0


@helper(error_model="numpy")
def _compared(shapes: Floats, first: Floats, i: int, around: Ints, best: Doubles, row: Floats) -> None:
    """Write how candidate ``i`` differs in shape, height, sharpness and slowness from the beats ``around`` it."""
    m = around.size
    best[0], best[1], best[2] = -1.0, -1.0, -1.0
    height, sharpness, slowness, alike = 0.0, 0.0, 0.0, 0.0
    for q in range(m):
        j = around[q]
        c = _alike(shapes[i], shapes[j])
        _best_three(best, c)
        alike += c
        height += first[j, 0]
        sharpness += first[j, 6]
        slowness += first[j, 16]
    row[11], row[12], row[13] = best[0], best[1], best[2]
    some = m > 0
    row[14] = first[i, 0] - height / m if some else 0.0
    row[15] = first[i, 6] - sharpness / m if some else 0.0
    row[16] = first[i, 16] - slowness / m if some else 0.0
    row[17] = alike / m if some else 0.0


@helper(error_model="numpy")
def _rhythm(table: Doubles, around: Ints, before: int, rate: float, gaps: Doubles) -> tuple[float, float]:
    """Return the median interval in seconds of the beats ``around`` a candidate, and the relative spread.

    The interval in which the candidate itself lies, after the first ``before`` beats, does not count.
    """
    k = 0
    for q in range(1, around.size):
        if q != before:
            _sorted_in(gaps, k, (table[around[q], _TIME] - table[around[q - 1], _TIME]) / rate)
            k += 1
    usual = gaps[k // 2] if k > 0 else 0.8
    spread = (gaps[3 * k // 4] - gaps[k // 4]) / usual if k > 2 else 0.3
    return float(usual), float(spread)
