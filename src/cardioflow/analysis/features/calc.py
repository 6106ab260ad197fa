"""All features of a record, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.features import atrial, p_waves, quality, rhythm, shape, spectrum
from cardioflow.analysis.features._beat_windows import cut_beats
from cardioflow.dsp.iir import butterworth, filtfilt
from cardioflow.dsp.resampling import resampled
from cardioflow.errors import InputError, nearest

__all__ = ["FAMILIES", "FS", "Family", "calc_features", "feature_names"]

Family = Literal["rhythm", "shape", "atrial", "spectrum", "quality", "p_waves"]
FAMILIES: Final = get_args(Family)

FS: Final = 250.0
"""Samples per second at which features are measured."""
_LOW_HZ: Final = 0.5
_HIGH_HZ: Final = 40.0
_LEAST_HZ: Final = 80.0
_MIRRORED_S: Final = 2.0
_NAMES: Final = {
    "rhythm": rhythm.NAMES,
    "shape": shape.NAMES,
    "atrial": atrial.NAMES,
    "spectrum": spectrum.NAMES,
    "quality": quality.NAMES,
    "p_waves": p_waves.NAMES,
}
_WITHOUT_NETWORK: Final[tuple[Family, ...]] = ("rhythm", "shape", "atrial", "spectrum", "quality")


def feature_names(families: Sequence[Family] = _WITHOUT_NETWORK) -> tuple[str, ...]:
    """Return the names of the features of ``families``, in the order of a row of ``calc_features``.

    Raises:
        InputError: for a family that does not exist, or none.
    """
    if isinstance(families, str) or not families:
        raise InputError(f"families={families!r} is not a list of families. Pass some of {list(FAMILIES)}.")
    for own in families:
        if own not in _NAMES:
            raise InputError(f"There is no family of features {own!r}. {nearest(str(own), FAMILIES)}")
    return tuple(name for own in families for name in _NAMES[own])


def calc_features(
    signal: NDArray[Any], fs: float, *, families: Sequence[Family] = _WITHOUT_NETWORK, lead: int = 0
) -> dict[str, float]:
    """Return features of a record's rhythm, of the shape of a lead's beats, its spectrum and its quality.

    They serve classifiers of the rhythm, and are not measurements for a report: for these see ``analysis.measure``. A
    feature that the record does not give, such as the irregularity of a single beat, is NaN. Beats are detected in all
    leads together; shapes, spectrum and quality are those of one lead, resampled to 250 Hz and filtered from 0.5 to
    40 Hz. Missing samples are bridged by straight lines, and the spectrum and the quality include these.

    Args:
        signal: millivolts, (lead, time) or (time,); NaN marks missing samples.
        fs: Hz, at least 80.
        families: which families; ``"p_waves"`` runs the network for waves too, which takes ten times as long as all
            others together.
        lead: the lead whose shape is measured, counted from 0.

    Raises:
        InputError: when the signal has another shape, the rate is too low, or the lead or a family does not exist.
    """
    names = feature_names(families)
    x = np.atleast_2d(np.asarray(signal))
    if x.ndim != 2 or x.dtype.kind not in "fiu" or not x.shape[0]:
        raise InputError(
            f"calc_features got a signal of shape {x.shape} and type {x.dtype}. Pass real millivolts, (lead, time)."
        )
    if not (np.isfinite(fs) and fs >= _LEAST_HZ):
        raise InputError(f"calc_features(fs={fs!r}): features need a sampling rate of at least {_LEAST_HZ:g} Hz.")
    if not -len(x) <= lead < len(x):
        raise InputError(f"calc_features(lead={lead}) does not exist in a signal of {len(x)} leads. Pass a lower one.")
    found: dict[str, float] = {}
    if x.shape[1] >= fs:
        found = _measured(x.astype(np.float32, copy=False), float(fs), tuple(families), lead)
    elif "quality" in families:
        found = {"duration_s": x.shape[1] / fs}
    return {name: found.get(name, np.nan) for name in names}


def _measured(x: NDArray[np.float32], fs: float, families: tuple[Family, ...], lead: int) -> dict[str, float]:
    beats = detect_beats(x, fs)
    raw = _at_250(_whole(x[lead]), fs)
    filtered = _band_passed(raw, fs)
    places = np.rint(beats.sample * (FS / fs)).astype(np.int64)
    windows = cut_beats(filtered, places, FS)
    found: dict[str, float] = {}
    if "rhythm" in families:
        found |= rhythm.rhythm(beats.sample / beats.fs, raw.size / FS)
    if "shape" in families:
        before = np.concatenate([[np.nan], beats.rr_s]) if len(beats) else np.empty(0)
        found |= shape.shape(windows, before, FS)
    if "atrial" in families:
        found |= atrial.atrial(filtered, windows, places, FS)
    if "spectrum" in families:
        found |= spectrum.spectrum(filtered, FS)
    if "quality" in families:
        found |= quality.quality(raw, filtered, beats, FS)
    if "p_waves" in families:
        # It loads ONNX Runtime, which the others do without.
        from cardioflow.analysis.waves.network import probabilities
        from cardioflow.analysis.waves.prepare import prepare

        made = prepare(x[lead][None], fs)
        found |= p_waves.p_waves(probabilities(made.x)[0], places[places < made.x.shape[1]], FS)
    return found


def _band_passed(raw: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    band = butterworth(2, _LOW_HZ, _HIGH_HZ if 0.45 * fs > _HIGH_HZ else None, FS)
    # Mirrored at its ends: the filter's own extension turns the first sample into a step of baseline.
    width = min(round(_MIRRORED_S * FS), raw.size - 1)
    padded = np.pad(raw, width, mode="reflect")
    done = filtfilt(padded, np.zeros(1, np.int64), np.array([padded.size]), [band], np.zeros(1, np.intp))
    return done[width : width + raw.size]


def _whole(x: NDArray[np.float32]) -> NDArray[np.float32]:
    known = np.isfinite(x)
    if known.all():
        return x
    if not known.any():
        return np.zeros_like(x)
    at = np.flatnonzero(known)
    return np.interp(np.arange(x.size), at, x[at]).astype(np.float32)


def _at_250(x: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    if fs == FS:
        return x
    one = np.ones(1)
    # Beyond its ends a signal counts as zero: the offset of an electrode would be a step there.
    level = np.float32(np.median(x))
    flat, _ = resampled(x - level, np.zeros(1, np.int64), np.array([x.size]), one * fs, one * FS)
    return flat + level
