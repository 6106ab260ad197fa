"""What the network for waves sees: 250 Hz, without baseline wander, in units of the local QRS amplitude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.iir import butterworth, filtfilt
from cardioflow.dsp.resampling import resampled

__all__ = ["FS", "SHORT_GAP_S", "Prepared", "bridged", "centre", "known", "local_range", "prepare"]

Floats = NDArray[np.float32]

FS: Final = 250.0
"""Samples per second at which the network runs."""

SHORT_GAP_S: Final = 0.02
"""Shorter gaps are bridged by a straight line, and waves across them are kept."""
_HIGH_PASS_HZ: Final = 0.5
_BLOCK: Final = int(2 * FS)
"""Samples of a block, of which the range is taken: 2 s hold a beat at 30 beats per minute."""
_BLOCKS: Final = 5
"""Blocks around each, of which the median counts, so that one artefact does not shrink the beats beside it."""
_LARGEST: Final = 1e12
"""Larger numbers are not samples of an ECG in any unit; their squares do not fit into float32."""
_FOR_CENTRE: Final = 1 << 20
_SMALLEST_MV: Final = 0.02
"""No QRS is smaller; a smaller range is that of noise, and is not raised to a full scale."""


class Prepared(NamedTuple):
    """Leads as the network sees them."""

    x: Floats
    """Scaled leads at 250 Hz, (lead, time)."""
    millivolts: Floats
    """The same before scaling."""
    missing: NDArray[np.bool_]
    """Where the lead has no sample, or one that cannot be, (lead, time); there ``x`` is a straight line."""


def prepare(signal: NDArray[Any], fs: float, centres: Sequence[float] | None = None) -> Prepared:
    """Return the leads of ``signal``, (lead, time) in millivolts at ``fs`` Hz, as the network sees them.

    ``centres`` are what ``centre`` says of the leads of a record of which ``signal`` is a part.
    """
    signal = np.asarray(signal, np.float32)
    there = known(signal)
    middles = [centre(x) for x in signal] if centres is None else centres
    filled = np.stack([_filled(*own) for own in zip(signal, there, middles, strict=True)])
    n_leads, n = filled.shape
    ones = np.ones(n_leads)
    if fs != FS:
        starts = np.arange(n_leads, dtype=np.int64) * n
        flat, counts = resampled(filled.reshape(-1), starts, np.full(n_leads, n, np.int64), ones * fs, ones * FS)
        filled = flat.reshape(n_leads, int(counts[0]))
    n_out = filled.shape[1]
    at = np.minimum(np.rint(np.arange(n_out) * (fs / FS)).astype(np.int64), n - 1)
    starts = np.arange(n_leads, dtype=np.int64) * n_out
    high_pass = butterworth(2, _HIGH_PASS_HZ, None, FS)
    lengths, which = np.full(n_leads, n_out, np.int64), np.zeros(n_leads, np.intp)
    millivolts = filtfilt(filled.reshape(-1), starts, lengths, [high_pass], which).reshape(n_leads, n_out)
    scale = np.stack([np.maximum(local_range(x, own), _SMALLEST_MV) for x, own in zip(millivolts, filled, strict=True)])
    return Prepared((millivolts / scale).astype(np.float32), millivolts, ~there[:, at])


def known(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which samples are there, and can be: NaN and numbers of no ECG in any unit are not."""
    return np.asarray(np.abs(samples.astype(np.float32)) < _LARGEST)


def bridged(signal: NDArray[Any], fs: float, longest_s: float) -> Floats:
    """Return the signal with straight lines across gaps of at most ``longest_s`` seconds; longer gaps are NaN."""
    out = np.array(signal, np.float32)
    out[~(np.abs(out) < _LARGEST)] = np.nan
    for lead in out:
        known = np.isfinite(lead)
        if known.all() or not known.any():
            continue
        at = np.flatnonzero(known)
        steps = np.diff(at)
        for k in np.flatnonzero((steps > 1) & (steps - 1 <= longest_s * fs)):
            a, b = at[k], at[k + 1]
            lead[a : b + 1] = np.linspace(lead[a], lead[b], b - a + 1)
    return out


def local_range(x: Floats, unfiltered: Floats | None = None) -> Floats:
    """Return the range (largest less smallest) of ``x`` over blocks of 2 s, as a median of 5 blocks, at each sample.

    Blocks in which ``unfiltered`` changes by less than any QRS do not count, unless all do: a lead that is off, or a
    long pause, does not say how large the beats are.
    """
    n = x.size
    if n < 2 * _BLOCK:
        return np.full(n, np.ptp(x) if n else 0.0, np.float32)
    n_blocks = n // _BLOCK
    ranges = np.ptp(x[: n_blocks * _BLOCK].reshape(n_blocks, _BLOCK), axis=1)
    padded = _padded(ranges)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _BLOCKS)
    medians = np.median(windows, axis=1)
    if unfiltered is not None:
        still = np.ptp(unfiltered[: n_blocks * _BLOCK].reshape(n_blocks, _BLOCK), axis=1) < _SMALLEST_MV
        resting = np.lib.stride_tricks.sliding_window_view(_padded(still), _BLOCKS)
        mixed = resting.any(axis=1) & ~resting.all(axis=1)
        medians[mixed] = np.nanmedian(np.where(resting, np.nan, windows)[mixed], axis=1)
    centres = (np.arange(n_blocks) + 0.5) * _BLOCK
    result: Floats = np.interp(np.arange(n), centres, medians).astype(np.float32)
    return result


def _padded(blocks: NDArray[Any]) -> NDArray[Any]:
    return np.pad(blocks, _BLOCKS // 2, mode="reflect" if len(blocks) > _BLOCKS // 2 else "edge")


def centre(lead: NDArray[Any]) -> float:
    """Return the median of a lead; of a very long one, that of samples at equal distances. 0 where there are none."""
    own = lead[:: -(-lead.size // _FOR_CENTRE) or 1].astype(np.float32)
    own = own[known(own)]
    return float(np.median(own)) if own.size else 0.0


def _filled(x: Floats, there: NDArray[np.bool_], middle: float) -> Floats:
    """Return ``x`` less ``middle``, with straight lines across the samples that are not there."""
    if not there.any():
        return np.zeros_like(x)
    centred = x - np.float32(middle)
    if there.all():
        return centred
    at = np.flatnonzero(there)
    result: Floats = np.interp(np.arange(x.size), at, centred[at]).astype(np.float32)
    return result
