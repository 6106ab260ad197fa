"""Find onset, peak and end of P, QRS and T."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from math import ceil
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.atrial import without_invented_p
from cardioflow.analysis.waves.fusion import blended, fused, with_global_boundaries
from cardioflow.analysis.waves.markov import markov_probabilities
from cardioflow.analysis.waves.marks import as_marks
from cardioflow.analysis.waves.network import probabilities
from cardioflow.analysis.waves.prepare import FS, Prepared, centre, prepare
from cardioflow.analysis.waves.results import Delineation, LeadWaves, NotMeasured, WaveMarks
from cardioflow.analysis.waves.sequence import QRS, P, T, most_probable
from cardioflow.analysis.waves.unusable import CLIPPED, unusable
from cardioflow.errors import InputError

__all__ = ["NOT_A_VOLTAGE", "NO_LEAD", "Method", "delineate", "voltages", "why_not_measured"]

_SLOWEST_HZ: Final = 100.0
_VOLTAGES: Final = ("mV", "unknown", "")
_SHORTEST_S: Final = 1.0
NO_LEAD: Final = "no lead can be measured"
NOT_A_VOLTAGE: Final = "not a voltage"
"""The reason for a lead such as respiration."""
_PIECE_S: Final = 1280
_OVERLAP_S: Final = 64
"""Both are multiples of the 64 s that the network takes at a time, and of the 2 s blocks that scale a lead, so that
these lie at the same places in a piece as in the whole."""
_NO_QRS_S: Final = 3.0
"""A pause of 3 s is reported as one in which no QRS was found; asystole and noise cannot be told apart here."""


Method = Literal["network", "hmm"]


class _How(NamedTuple):
    share: bool
    network: Path | None
    method: Method

    def probabilities(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return those of none, P, QRS and T at each sample, (lead, time, 4)."""
        return markov_probabilities(x) if self.method == "hmm" else probabilities(x, self.network)


def delineate(
    signal: NDArray[Any],
    fs: float,
    *,
    leads: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    share: bool = True,
    network: Path | None = None,
    method: Method = "network",
) -> Delineation:
    """Return onset, peak and end of every P wave, QRS complex and T wave, each with a confidence.

    A small network (U-Net, 350 304 parameters, trained on LUDB and QTDB) gives each sample of each lead, at 250 Hz,
    the probabilities of P, QRS, T and none. The most probable sequence follows rules: a T needs a QRS before it, no
    wave is shorter than is possible. No P is reported in atrial fibrillation or flutter. What cannot be measured is
    named with a reason, and no wave is made up for it; only whole waves count, not those that the record's edge or a
    gap cuts.

    Args:
        signal: millivolts, (lead, time) or (time,); NaN where there is no sample.
        fs: samples per second, 100 or more.
        leads: the names of the leads.
        units: the unit of each lead; one that is known and not mV, such as respiration, is left out.
        share: whether a lead's waves are judged with the help of the others, where there are several.
        network: another ONNX file to use instead of the shipped one, as ``recipes/waves`` makes it.
        method: ``"network"``; or ``"hmm"``, CardIO's hidden Markov model of 19 states, whose probabilities take the
            network's place before the same rules. It is less accurate, as ``benchmarks/results`` shows.

    Raises:
        InputError: when the signal has another shape, ``fs`` is not above 0, or there is no such method.
    """
    if method not in get_args(Method) or (method == "hmm" and network is not None):
        raise InputError(
            f"method={method!r} with network={network!r} is not a way to delineate. Pass method='network', with "
            "another network if you like, or method='hmm' alone."
        )
    signal = np.asarray(signal)
    signal = signal[None] if signal.ndim == 1 else signal
    if signal.ndim != 2 or not np.issubdtype(signal.dtype, np.number) or np.iscomplexobj(signal):
        raise InputError(
            f"signal of shape {signal.shape} and type {signal.dtype} is not an ECG. Pass numbers of shape (lead, time)."
        )
    if not (np.isfinite(fs) and fs > 0):
        raise InputError(f"fs={fs} is not a sampling rate. Pass samples per second, above 0.")
    names = tuple(leads) if leads is not None else tuple(str(i) for i in range(len(signal)))
    if len(names) != len(signal):
        raise InputError(f"leads={names} are {len(names)} names for {len(signal)} leads. Pass one name per lead.")
    refused = _refused(signal, fs)
    if refused:
        nothing = _nothing(signal.shape[1], refused)
        return Delineation(fs, signal.shape[1], names, (nothing,) * len(signal), nothing)
    how = _How(share, network, method)
    if not voltages(units, len(signal)).all():
        return _without_others(signal, fs, names, units, how)
    by_lead, whole = _delineated(signal, fs, how)
    return Delineation(fs, signal.shape[1], names, by_lead, whole)


def voltages(units: Sequence[str] | None, n_leads: int) -> NDArray[np.bool_]:
    """Return which of the leads are in millivolts, or in a unit that is not known."""
    return np.array([u in _VOLTAGES for u in units or ("mV",) * n_leads], np.bool_)


def why_not_measured(units: Sequence[str] | None, lead: int) -> str:
    """Return the reason for a lead that ``voltages`` leaves out."""
    unit = (units or ())[lead] if units else ""
    # Another voltage, such as uV after convert_units: the numbers would be taken for millivolts.
    return f"in {unit}, not in mV" if re.fullmatch(r".?V|.*volts?", unit, re.IGNORECASE) else NOT_A_VOLTAGE


def _nothing(n: int, reason: str) -> LeadWaves:
    none = WaveMarks.none()
    return LeadWaves(none, none, none, (NotMeasured(0, n, reason),))


def _without_others(
    signal: NDArray[Any],
    fs: float,
    names: tuple[str, ...],
    units: Sequence[str] | None,
    how: _How,
) -> Delineation:
    """Return the delineation of the leads that are in millivolts; the others have no waves, and a reason each."""
    n, voltage = signal.shape[1], voltages(units, len(signal))
    nothing = tuple(_nothing(n, why_not_measured(units, i)) for i in range(len(signal)))
    if not voltage.any():
        return Delineation(fs, n, names, nothing, nothing[0])
    by_lead, whole = _delineated(signal[voltage], fs, how)
    own = iter(by_lead)
    return Delineation(fs, n, names, tuple(next(own) if ok else nothing[i] for i, ok in enumerate(voltage)), whole)


def _refused(signal: NDArray[Any], fs: float) -> str:
    if not len(signal):
        return "no leads"
    if fs < _SLOWEST_HZ:
        return f"sampled at {fs:g} Hz; waves need {_SLOWEST_HZ:g} Hz"
    if signal.shape[1] < _SHORTEST_S * fs:
        return f"shorter than {_SHORTEST_S:g} s"
    return ""


def _delineated(signal: NDArray[Any], fs: float, how: _How) -> tuple[tuple[LeadWaves, ...], LeadWaves]:
    bad = [unusable(x, fs) for x in signal]
    centres = [centre(x) for x in signal]
    n = signal.shape[1]
    parts = []
    # What lies before and behind a piece is seen, too; so the memory does not grow with the record, and a wave is the
    # same in a piece as in the whole.
    for first in range(0, max(ceil(n / fs), 1), _PIECE_S):
        start, stop = round(first * fs), min(round((first + _PIECE_S) * fs), n)
        a, b = max(round((first - _OVERLAP_S) * fs), 0), min(round((first + _PIECE_S + _OVERLAP_S) * fs), n)
        if stop <= start:
            break
        made = prepare(signal[:, a:b], fs, centres)
        found = _piece(made, _usable(bad, made, fs, a), fs, how)
        # A wave belongs to the piece in which its peak lies.
        parts.append([_moved(own, start - a, stop - a if stop < n else np.inf, a) for own in found])
    *each, together = [_joined([part[i] for part in parts]) for i in range(len(signal) + 1)]
    leads = tuple(_finished(own, bad[i], n, fs) for i, own in enumerate(each))
    if len(leads) == 1:
        return leads, leads[0]
    return leads, with_global_boundaries(_finished(together, _common(bad, n), n, fs), leads, fs)


def _usable(bad: Sequence[tuple[NotMeasured, ...]], made: Prepared, fs: float, first: int) -> NDArray[np.bool_]:
    """Return where the leads may hold waves, (lead, time) at 250 Hz, from sample ``first`` of the record on."""
    usable = ~made.missing
    for mask, own in zip(usable, bad, strict=True):
        for part in own:
            start, stop = max(part.start - first, 0), part.stop - first
            if part.reason != CLIPPED and stop > 0:
                mask[int(start * FS / fs) : int(np.ceil(stop * FS / fs))] = False
    return usable


def _piece(made: Prepared, usable: NDArray[np.bool_], fs: float, how: _How) -> list[LeadWaves]:
    """Return the waves of each lead and of all together, in samples from the first of ``made``."""
    own = how.probabilities(made.x)
    own[~usable] = (1.0, 0.0, 0.0, 0.0)
    together = fused(own, usable)
    found = []
    for i, p in enumerate(own):
        judged = blended(p, together) if how.share and len(own) > 2 and usable[i].any() else p
        found.append(_waves(np.where(usable[i][:, None], judged, p), made.millivolts[i], fs))
    if len(own) == 1:
        return [*found, found[0]]
    # The mean of squares keeps deflections that point up in one lead and down in another.
    size = np.sqrt(np.mean(np.where(usable, made.millivolts, 0.0) ** 2, axis=0)).astype(np.float32)
    return [*found, _waves(together, size, fs)]


def _waves(probability: NDArray[np.float32], millivolts: NDArray[np.float32], fs: float) -> LeadWaves:
    segments = most_probable(probability, FS)
    p, qrs, t = (as_marks(segments, k, probability, millivolts, fs) for k in (P, QRS, T))
    # A T wave belongs to the QRS before it; one without is dropped with the QRS that was too improbable.
    beat = np.searchsorted(qrs.onset, t.onset)
    first = np.concatenate([[True], np.diff(beat) > 0]) if len(t) else np.empty(0, np.bool_)
    return LeadWaves(p, qrs, t.take(first & (beat > 0)))


def _moved(waves: LeadWaves, low: float, high: float, shift: int) -> LeadWaves:
    """Return the waves with their peak in [low, high), in samples of the whole record."""

    def moved(marks: WaveMarks) -> WaveMarks:
        own = marks.take((marks.peak >= low) & (marks.peak < high))
        second = np.where(own.second_peak < 0, -1, own.second_peak + shift)
        return WaveMarks(own.onset + shift, own.peak + shift, own.end + shift, second, own.confidence)

    return LeadWaves(moved(waves.p), moved(waves.qrs), moved(waves.t))


def _joined(parts: Sequence[LeadWaves]) -> LeadWaves:
    if len(parts) == 1:
        return parts[0]

    def joined(marks: Sequence[WaveMarks]) -> WaveMarks:
        return WaveMarks(*(np.concatenate([getattr(own, f.name) for own in marks]) for f in fields(WaveMarks)))

    return LeadWaves(joined([p.p for p in parts]), joined([p.qrs for p in parts]), joined([p.t for p in parts]))


def _finished(waves: LeadWaves, bad: tuple[NotMeasured, ...], n: int, fs: float) -> LeadWaves:
    """Return the waves that lie in usable stretches, with the stretches in which there is none and why."""
    lost = [part for part in bad if part.reason != CLIPPED]
    clear = LeadWaves(_clear(waves.p, lost), _clear(waves.qrs, lost), _clear(waves.t, lost))
    kept = without_invented_p(clear)
    found = sorted([*bad, *_without_qrs(kept.qrs, lost, n, fs)], key=lambda part: part.start)
    return LeadWaves(kept.p, kept.qrs, kept.t, tuple(found), kept.notes)


def _clear(marks: WaveMarks, lost: Sequence[NotMeasured]) -> WaveMarks:
    keep = np.ones(len(marks), np.bool_)
    for part in lost:
        keep &= (marks.end < part.start) | (marks.onset >= part.stop)
    return marks.take(keep)


def _without_qrs(qrs: WaveMarks, lost: Sequence[NotMeasured], n: int, fs: float) -> list[NotMeasured]:
    """Return the usable stretches of 3 s and more without a QRS; the whole record, if it is shorter and has none."""
    edges = [(0, 0), *((part.start, part.stop) for part in lost), *zip(qrs.onset, qrs.end, strict=True), (n, n)]
    edges.sort()
    found, reached = [], 0
    for start, stop in edges:
        if start - reached >= min(_NO_QRS_S * fs, n):
            found.append(NotMeasured(int(reached), int(start), "no QRS found"))
        reached = max(reached, int(stop))
    return found


def _common(bad: Sequence[tuple[NotMeasured, ...]], n: int) -> tuple[NotMeasured, ...]:
    """Return where no lead can be measured."""
    edges = np.unique([0, n, *(edge for own in bad for part in own for edge in (part.start, part.stop))])
    lost = np.ones(edges.size - 1, np.bool_)
    for own in bad:
        mine = np.zeros_like(lost)
        for part in own:
            if part.reason != CLIPPED:
                mine[np.searchsorted(edges, part.start) : np.searchsorted(edges, part.stop)] = True
        lost &= mine
    whole = np.concatenate([[0], lost.astype(np.int8), [0]])
    spans = edges[np.flatnonzero(np.diff(whole))].reshape(-1, 2)
    return tuple(NotMeasured(int(a), int(b), NO_LEAD) for a, b in spans)
