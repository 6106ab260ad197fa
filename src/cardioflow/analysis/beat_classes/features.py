"""What tells a beat's class: when it comes, and how it differs from the beats that prevail in its record.

Intervals and shapes relative to the record itself carry over between patients; absolute ones do not (de Chazal,
O'Dwyer and Reilly, IEEE Trans Biomed Eng 51 (2004) 1196; Llamedo and Martínez, IEEE Trans Biomed Eng 58 (2011) 616).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

__all__ = ["FEATURES", "LEAST_BEATS", "before_qrs", "features", "windows"]

Doubles = NDArray[np.float64]

LEAST_BEATS: Final = 8
"""Fewer do not show which intervals and which shape prevail."""

_FS: Final = 250.0
_BEFORE_S: Final = 0.24
_AFTER_S: Final = 0.44
_TIMES: Final = np.arange(-_BEFORE_S, _AFTER_S, 1 / _FS)
_QRS: Final = (_TIMES >= -0.08) & (_TIMES <= 0.10)
_P: Final = (_TIMES >= -0.24) & (_TIMES <= -0.06)
_T: Final = (_TIMES >= 0.12) & (_TIMES <= 0.42)
_NEAR: Final = 10
"""Beats before and after one, over which intervals are compared."""
_WIDE: Final = 25
"""Beats before and after one that show the rhythm."""
_ALIKE: Final = 8
"""Beats of the most similar shape, whose intervals tell about the shape."""
_STRETCH: Final = 10_000
"""Beats that are searched for those of the most similar shape: about two hours."""

_INTERVALS: Final = (
    "rr_s", "next_rr_s", "rr_to_near", "next_rr_to_near", "rr_to_record", "rr_to_next", "rr_to_before",
    "two_rr_to_near", "next_to_second", "irregularity", "shortest_near", "near_to_record",
)  # fmt: skip
_SHAPES: Final = (
    "qrs_likeness", "qrs_distance", "qrs_height", "qrs_width", "qrs_width_s", "p_likeness", "p_distance", "p_height",
    "t_likeness", "t_distance", "local_likeness", "polarity", "slope",
)  # fmt: skip
FEATURES: Final = (
    *_INTERVALS,
    *(f"{name}_{how}" for name in _SHAPES for how in ("mean", "worst")),
    "alike_rr", "alike_next_rr", "alike_likeness", "alike_width",
    "rr_to_long", "next_rr_to_long", "irregularity_around", "share_of_odd_rr", "share_of_early", "p_likeness_around",
    "p_likeness_to_around", "qrs_likeness_around",
)  # fmt: skip
"""The names of the columns."""


def features(own: Doubles, fs: float, beats: NDArray[np.int64]) -> Doubles:
    """Return the features of each beat, of shape (beat, feature); NaN where a beat has no neighbour or no samples.

    Args:
        own: the signal around each beat, as ``windows`` gives it; all leads count alike.
        fs: the sampling rate in Hz.
        beats: the samples of the QRS' main deflection, in order, ``LEAST_BEATS`` or more.
    """
    timing = _intervals(beats / fs)
    shapes = np.stack([_shapes(lead) for lead in own])
    mean = _known(np.nanmean, shapes, 0)
    worst = np.where(_HIGH_IS_ALIKE, np.fmin.reduce(shapes), np.fmax.reduce(shapes))
    both = np.stack([mean, worst], axis=2).reshape(len(beats), -1)
    alike = _alike(own, timing, mean)
    return np.concatenate([timing, both, alike, _around(timing, mean)], axis=1)


_HIGH_IS_ALIKE: Final = np.array([name.endswith(("likeness", "polarity")) for name in _SHAPES])


def _intervals(times: Doubles) -> Doubles:
    rr = np.diff(times, prepend=np.nan)
    after = np.append(rr[1:], np.nan)
    second = np.append(after[1:], np.nan)
    before = np.insert(rr[:-1], 0, np.nan)
    near = _moving(rr, np.nanmedian)
    whole = float(np.nanmedian(rr))
    spread = _moving(np.abs(np.diff(rr, prepend=np.nan)), np.nanmedian)
    columns = (
        rr, after, rr / near, after / near, rr / whole, rr / after, rr / before,
        (rr + after) / (2 * near), after / second, spread / near, _moving(rr, np.nanmin) / near, near / whole,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _around(timing: Doubles, mean: Doubles) -> Doubles:
    """Return what the rhythm around each beat is like: in atrial fibrillation, early beats tell nothing."""
    rr, after = timing[:, _INTERVALS.index("rr_s")], timing[:, _INTERVALS.index("next_rr_s")]
    ratio = timing[:, _INTERVALS.index("rr_to_near")]
    p, qrs = mean[:, _SHAPES.index("p_likeness")], mean[:, _SHAPES.index("qrs_likeness")]
    # Where every second or third beat is early, the median is no longer that of the sinus node.
    long = _moving(rr, lambda rows, axis: np.nanquantile(rows, 0.75, axis=axis))
    change = np.abs(np.diff(rr, prepend=np.nan)) / rr
    odd = np.where(np.isfinite(ratio), np.abs(ratio - 1) > 0.1, np.nan)
    p_around = _moving(p, np.nanmedian, _WIDE)
    columns = (
        rr / long, after / long, _moving(change, np.nanmedian, _WIDE), _moving(odd, np.nanmean, _WIDE),
        _moving(np.where(np.isfinite(ratio), ratio < 0.9, np.nan), np.nanmean, _WIDE), p_around, p - p_around,
        _moving(qrs, np.nanmedian, _WIDE),
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _moving(x: Doubles, reduce: Any, n: int = 10) -> Doubles:
    padded = np.pad(x, n, constant_values=np.nan)
    return _known(reduce, np.lib.stride_tricks.sliding_window_view(padded, 2 * n + 1), 1)


def _known(reduce: Any, x: Doubles, axis: int) -> Doubles:
    """Return ``reduce`` over what is not NaN, and NaN where all is, without NumPy's warning."""
    empty = np.isnan(x).all(axis=axis)
    found = np.asarray(reduce(np.where(np.expand_dims(empty, axis), 0.0, x), axis=axis))
    found[empty] = np.nan
    return found


def windows(signal: NDArray[Any], fs: float, beats: NDArray[np.int64]) -> Doubles:
    """Return each lead around each beat, at 250 Hz, from 0.5 to 40 Hz: (lead, beat, time), NaN outside the record."""
    x = np.asarray(signal, np.float64)
    missing = ~np.isfinite(x)
    if missing.any():
        x = np.stack([_filled(lead, lost) for lead, lost in zip(x, missing, strict=True)])
    sos = scipy.signal.butter(2, [0.5, min(40.0, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    x = scipy.signal.sosfiltfilt(sos, x, axis=-1)
    places = beats[:, None] + _TIMES * fs
    outside = (places < 0) | (places > x.shape[1] - 1)
    found = np.empty((len(x), len(beats), len(_TIMES)))
    for own, lost, out in zip(x, missing, found, strict=True):
        out[:] = scipy.ndimage.map_coordinates(own, places[None], order=1, mode="nearest")
        gone = lost[np.clip(np.round(places).astype(np.int64), 0, len(lost) - 1)]
        out[outside | gone] = np.nan
    return found


def _filled(lead: Doubles, lost: NDArray[np.bool_]) -> Doubles:
    """Return the lead with straight lines across gaps: from an electrode's offset to 0, a filter would ring."""
    if lost.all():
        return np.zeros_like(lead)
    return np.interp(np.arange(lead.size), np.flatnonzero(~lost), lead[~lost])


def before_qrs(own: Doubles) -> Doubles:
    """Return of ``windows`` the part from 0.24 to 0.05 s before each beat, where P lies."""
    return own[:, :, _TIMES < -0.05]


def _shapes(own: Doubles) -> Doubles:
    """Return the features of one lead's beats, by comparison with those that prevail."""
    whole = _prevailing(own)
    height = float(np.ptp(whole[_QRS])) or 1.0
    width = _width(own)
    usual_width = float(_known(np.nanmedian, width[None], 1)[0]) or 1.0
    p = own[:, _P] - own[:, _P].mean(axis=1, keepdims=True)
    usual_p = whole[_P] - whole[_P].mean()
    qrs = own[:, _QRS]
    complete = np.asarray(np.isfinite(own).all(axis=1))
    local = np.stack([_likeness(qrs[i][None], _near_template(qrs, complete, i))[0] for i in range(len(own))])
    top, bottom = qrs.max(axis=1), -qrs.min(axis=1)
    usual_top, usual_bottom = whole[_QRS].max(), -whole[_QRS].min()
    tilt = (top - bottom) / (top + bottom + 1e-9) * np.sign(usual_top - usual_bottom or 1.0)
    slope = np.abs(np.diff(qrs, axis=1)).max(axis=1)
    columns = (
        _likeness(qrs, whole[_QRS]),
        _distance(qrs, whole[_QRS], height),
        np.log(np.maximum(np.ptp(qrs, axis=1), 1e-3) / height),
        width / usual_width,
        width,
        _likeness(p, usual_p),
        _distance(p, usual_p, height),
        np.ptp(p, axis=1) / height,
        _likeness(own[:, _T], whole[_T]),
        _distance(own[:, _T], whole[_T], height),
        local,
        tilt,
        np.log(np.maximum(slope, 1e-5) / max(float(np.abs(np.diff(whole[_QRS])).max()), 1e-5)),
    )
    return np.stack(columns, axis=1)


def _prevailing(own: Doubles) -> Doubles:
    """Return the median of the beats that look like most others."""
    usable = own[np.isfinite(own).all(axis=1)]
    if not len(usable):
        return np.zeros(own.shape[1])
    template = np.median(usable, axis=0)
    for _ in range(2):
        close = _likeness(usable[:, _QRS], template[_QRS]) > 0.9
        if close.sum() < 3:
            break
        template = np.median(usable[close], axis=0)
    return np.asarray(template)


def _near_template(qrs: Doubles, complete: NDArray[np.bool_], i: int) -> Doubles:
    near = slice(max(i - 3 * _NEAR, 0), i + 3 * _NEAR + 1)
    rows = qrs[near][complete[near]]
    return np.median(rows, axis=0) if len(rows) else np.zeros(qrs.shape[1])


def _likeness(rows: Doubles, template: Doubles) -> Doubles:
    a = rows - rows.mean(axis=1, keepdims=True)
    b = template - template.mean()
    norm = np.sqrt((a * a).sum(axis=1) * (b @ b))
    return np.asarray((a @ b) / np.maximum(norm, 1e-9))


def _distance(rows: Doubles, template: Doubles, height: float) -> Doubles:
    return np.asarray(np.sqrt(((rows - template) ** 2).mean(axis=1)) / height)


def _width(own: Doubles) -> Doubles:
    """Return the seconds over which the QRS' slope is above a quarter of its largest, as the spread of its energy."""
    part = (_TIMES >= -0.14) & (_TIMES <= 0.18)
    energy = np.diff(own[:, part], axis=1) ** 2
    total = energy.sum(axis=1, keepdims=True) + 1e-12
    times = _TIMES[part][1:]
    middle = (energy * times).sum(axis=1, keepdims=True) / total
    return np.asarray(np.sqrt((energy * (times - middle) ** 2).sum(axis=1) / total[:, 0]))


def _alike(leads: Doubles, timing: Doubles, mean: Doubles) -> Doubles:
    """Return the medians over the beats of the most similar shape: an ectopic focus gives one shape, mostly early.

    A long record is compared in stretches of equal length, of at most
    ``_STRETCH`` beats: each beat is held against every other.
    """
    qrs = (_TIMES >= -0.10) & (_TIMES <= 0.16)
    rows = np.concatenate([own[:, qrs][:, ::2] for own in leads], axis=1)
    rows = np.nan_to_num(rows - _known(np.nanmean, rows, 1)[:, None])
    rows = (rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)).astype(np.float32)
    columns = np.stack(
        [timing[:, _INTERVALS.index("rr_to_near")], timing[:, _INTERVALS.index("next_rr_to_near")],
         mean[:, _SHAPES.index("qrs_likeness")], mean[:, _SHAPES.index("qrs_width")]], axis=1
    )  # fmt: skip
    parts = np.array_split(np.arange(len(rows)), math.ceil(len(rows) / _STRETCH))
    return np.concatenate([_medians_of_alike(rows[part], columns[part]) for part in parts])


def _medians_of_alike(rows: NDArray[np.float32], columns: Doubles) -> Doubles:
    """Return for each row the medians of ``columns`` over the ``_ALIKE`` other rows that are most like it."""
    n = len(rows)
    found = np.empty(columns.shape)
    k = min(_ALIKE, n - 1)
    for start in range(0, n, 512):
        likeness = rows[start : start + 512] @ rows.T
        likeness[np.arange(len(likeness)), start + np.arange(len(likeness))] = -2
        nearest = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        found[start : start + 512] = _known(np.nanmedian, columns[nearest], 1)
    return found
