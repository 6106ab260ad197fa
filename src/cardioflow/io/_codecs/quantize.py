"""Between float32 millivolts and the integers that a device wrote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel, read_only

__all__ = ["MISSING", "as_int16", "gather_int16", "source_integers"]

MISSING = -32768
"""The integer that stands for a missing sample, as in WFDB's format 16."""


def as_int16(
    signal: NDArray[np.float32], gain: Sequence[float] | None, baseline: Sequence[float] | None
) -> NDArray[np.int16] | None:
    """Return the integers that ``(n - baseline) / gain`` makes ``signal`` of, to the bit; ``None`` where none do.

    ``signal`` is (lead, time) in millivolts, ``gain`` is in units per millivolt, one per lead.
    """
    n_leads = signal.shape[0]
    if gain is None or baseline is None or len(gain) != n_leads or len(baseline) != n_leads:
        return None
    gains, baselines = np.asarray(gain, np.float64), np.asarray(baseline, np.float64)
    whole = np.empty(signal.shape, np.int16)
    return whole if _quantise(read_only(signal), read_only(gains), read_only(baselines), whole) else None


@kernel(error_model="numpy")
def _quantise(signal: Any, gains: Any, baselines: Any, out: Any) -> bool:
    for lead in range(signal.shape[0]):
        gain, baseline = gains[lead], baselines[lead]
        one, made = signal[lead], out[lead]
        # A count instead of an early end, so that the loop runs in vectors.
        n_wrong = 0
        for k in range(one.size):
            found = np.rint(one[k] * gain + baseline)
            # Where the sample or the gain is NaN, every comparison is false.
            fits = MISSING < found <= 32767
            step = found if fits else np.float64(MISSING)
            made[k] = np.int16(step)
            again = np.float32((step - baseline) / gain)
            n_wrong += 0 if (fits and again == one[k]) or one[k] != one[k] else 1
        if n_wrong:
            return False
    return True


# Formats compute a sample in ways that differ in float32's last bit; 2 ** -24 is half of one.
_RELATIVE: Final = 2.0**-22
# A step is the distance of neighbouring integers.
_OF_A_STEP: Final = 1e-6


def source_integers(row: NDArray[np.float32], gain: float, baseline: float) -> NDArray[np.int64] | None:
    """Return the integers n of which ``(n - baseline) / gain`` makes ``row``; ``None`` where a sample is not one.

    What a header says of a signal is true only of the samples that were read: once they are scaled, filtered or
    shifted, its gain would round them to steps that are not theirs.

    Args:
        row: Samples of shape (time,); NaN is a missing sample, whose integer is 0.
        gain: Integers per physical unit.
        baseline: The integer that stands for 0, which need not be whole.
    """
    if not (math.isfinite(gain) and gain and math.isfinite(baseline)):
        return None
    values = np.where(np.isnan(row), 0.0 if not baseline else -baseline / gain, row).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(values * gain + baseline)
        off = np.abs((whole - baseline) / gain - values)
        same = off <= _RELATIVE * np.abs(values) + _OF_A_STEP / abs(gain)
    if not same.all() or (np.abs(whole) >= 2.0**53).any():
        return None
    if (np.abs(whole - baseline) < 1).all() and values.any():
        # All are far below one step.
        return None
    return np.where(np.isnan(row), 0, whole).astype(np.int64)


@kernel(error_model="numpy")
def _gather(  # noqa: PLR0917 -- a kernel: arrays by position
    data: Any, starts: Any, n_leads: Any, n_samples: Any, gain: Any, baseline: Any, out: Any, places: Any
) -> None:
    lead = 0
    for i in range(starts.size):
        read = starts[i]
        at = places[i]
        n = n_samples[i]
        for _ in range(n_leads[i]):
            shift, scale = baseline[lead], gain[lead]
            one = data[read : read + n]
            made = out[at : at + n]
            # An integer below 2**24 and a gain that float32 holds: their quotient, rounded once, is what float64
            # would round to, and twice as many fit in a register.
            if shift == np.rint(shift) and abs(shift) < 2**22 and np.float64(np.float32(scale)) == scale:
                shift32, scale32 = np.float32(shift), np.float32(scale)
                for k in range(n):
                    made[k] = (np.float32(one[k]) - shift32) / scale32
            else:
                for k in range(n):
                    made[k] = np.float32((np.float64(one[k]) - shift) / scale)
            lost = False
            for k in range(n):
                lost |= one[k] == MISSING
            if lost:
                for k in range(n):
                    if one[k] == MISSING:
                        made[k] = np.nan
            at += n
            read += n
            lead += 1


def gather_int16(  # noqa: PLR0917 -- as the kernel
    data: NDArray[np.int16],
    starts: NDArray[np.int64],
    shapes: NDArray[np.int64],
    gain: NDArray[np.float64],
    baseline: NDArray[np.float64],
    out: NDArray[np.float32],
    places: NDArray[np.int64],
) -> None:
    """Write records of ``data``, each at its start and of its shape (lead, time), to ``places`` in ``out``.

    ``out`` is in millivolts; ``gain`` and ``baseline`` hold one number per lead, record by record.
    """
    _gather(data, starts, shapes[:, 0], shapes[:, 1], gain, baseline, out, places)
