"""Records that DS1 lacks, made of its beats: mostly early beats, bigeminy, and pauses in sinus rhythm.

A classifier that compares beats with those that prevail fails where most are early, and DS1 holds no such record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.signal

LEAST_S = 10
"""Supraventricular beats that a record needs, so that its runs are not of a few beats over and over."""
BEATS = 500
QT_S = 0.42


class Made(NamedTuple):
    """A record made of the beats of another."""

    kind: str
    signal: Any
    beats: Any
    classes: Any


class Piece(NamedTuple):
    """The stretch of one beat, from 0.28 s before it to 0.28 s before the next, and how long to make it."""

    beat: int
    seconds: float | None = None


def rearranged(signal: Any, fs: float, beats: Any, classes: Any, rng: np.random.Generator) -> Iterator[Made]:
    """Yield records of 500 beats of ``signal``: ``runs``, ``bigeminy`` and ``pauses``, as far as its beats allow."""
    sos = scipy.signal.butter(2, 0.5, "highpass", fs=fs, output="sos")
    x = scipy.signal.sosfiltfilt(sos, np.nan_to_num(np.asarray(signal, float)), axis=-1)
    before, after = np.roll(classes, 1), np.roll(classes, -1)
    inner = (np.arange(len(beats)) > 1) & (np.arange(len(beats)) < len(beats) - 2)
    early = np.flatnonzero((classes == "S") & inner)
    normal = np.flatnonzero((classes == "N") & (before == "N") & (after != "V") & inner)
    rr = np.diff(beats / fs, prepend=0.0)
    if len(early) >= LEAST_S:
        for kind in ("runs", "bigeminy"):
            pieces = _of_early_beats(kind, rr, early, normal, first=early[before[early] == "N"], rng=rng)
            yield Made(kind, *_joined(x, fs, beats, classes, pieces))
    if len(normal) > 300:
        share = 1 / rng.choice([3, 5, 8])
        pieces = [
            Piece(int(i), rr[i + 1] * rng.uniform(1.4, 2.4) if rng.random() < share else None) for i in normal[:BEATS]
        ]
        yield Made("pauses", *_joined(x, fs, beats, classes, pieces))


def _of_early_beats(
    kind: str, rr: Any, early: Any, normal: Any, *, first: Any, rng: np.random.Generator
) -> list[Piece]:
    """Return a sinus beat, one early beat or a run of up to eight, a pause, and so on."""
    first = first if len(first) >= 5 else early
    coupling = np.minimum(rr[first], np.quantile(rr[first], 0.8))
    usual, cycle = float(np.median(rr[normal])), float(np.median(coupling))
    pieces: list[Piece] = []
    while len(pieces) < BEATS:
        pieces.append(Piece(int(rng.choice(normal)), float(rng.choice(coupling))))
        own = cycle * rng.uniform(0.9, 1.25)
        pieces += [
            Piece(int(rng.choice(early)), max(own * (1 + rng.normal(0, 0.03)), 0.33))
            for _ in range(int(rng.integers(0, 8)) if kind == "runs" else 0)
        ]
        pieces.append(Piece(int(rng.choice(early)), usual * rng.uniform(1, 2.2 if kind == "runs" else 1.3)))
        pieces += [
            Piece(int(rng.choice(normal)), usual * rng.uniform(0.93, 1.3))
            for _ in range(int(rng.integers(0, 2 if kind == "runs" else 3)))
        ]
    return pieces


def _joined(x: Any, fs: float, beats: Any, classes: Any, pieces: list[Piece]) -> tuple[Any, Any, Any]:
    lead_in = np.minimum(0.28 * fs, 0.5 * np.diff(beats, prepend=beats[0] - int(fs))).astype(int)
    starts = beats - lead_in
    parts: list[Any] = []
    at, labels, n = [], [], 0
    for i, seconds in pieces:
        if starts[i] < 0:
            continue
        part = x[:, starts[i] : starts[i + 1]]
        part = part.copy() if seconds is None else _as_long(part, int(seconds * fs), int(lead_in[i] + QT_S * fs))
        if parts:
            k = min(int(0.06 * fs), part.shape[1])
            part[:, :k] += (parts[-1][:, -1] - part[:, 0])[:, None] * np.linspace(1, 0, k)
        parts.append(part)
        at.append(n + lead_in[i])
        labels.append(classes[i])
        n += part.shape[1]
    return np.concatenate(parts, axis=1), np.array(at, np.int64), np.array(labels)


def _as_long(part: Any, n: int, t_end: int) -> Any:
    """Return ``part`` cut to ``n`` samples, or with its diastole mirrored to and fro until it is as long."""
    rest = part[:, t_end:] if part.shape[1] - t_end >= 18 else part[:, -29:]
    while part.shape[1] < n:
        rest = rest[:, ::-1]
        part = np.concatenate([part, rest], axis=1)
    return part[:, :n].copy()
