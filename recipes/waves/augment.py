"""Leads that the sets do not hold: other rates, gains, directions, rhythms, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.waves.prepare import FS, local_range, prepare
from recipes.waves.data import CLASSES, UNKNOWN, Lead

LENGTH: Final = 2048
"""Samples of an example: 8.2 s."""

Floats = NDArray[np.float32]


def noises(folder: Path) -> dict[str, Floats]:
    """Return the first halves of NSTDB's recordings of noise, both leads of each, at 250 Hz; the rest only scores."""
    found = {}
    for kind in ("bw", "em", "ma"):
        batch = (EcgDataset(path=[folder / f"{kind}.hea"]) >> Pipeline().load(fmt="wfdb")).next_batch(1)
        signal = batch.signal[0]
        found[kind] = prepare(signal[:, : signal.shape[1] // 2], batch.meta[0]["fs"]).millivolts
    return found


@dataclass(frozen=True)
class Examples:
    """Draws examples from ``leads``; the same generator gives the same examples."""

    leads: Sequence[Lead]
    noise: dict[str, Floats]

    def draw(self, rng: np.random.Generator, rows: Sequence[int]) -> tuple[Floats, NDArray[np.uint8]]:
        """Return one example of each lead of ``rows``: (row, time) and its classes."""
        pairs = [self._draw(rng, self.leads[i]) for i in rows]
        return np.stack([x for x, _ in pairs]), np.stack([y for _, y in pairs])

    def _draw(self, rng: np.random.Generator, lead: Lead) -> tuple[Floats, NDArray[np.uint8]]:
        if rng.random() < 0.04:
            return self._without_ecg(rng), np.zeros(LENGTH, np.uint8)
        x, y = _faster(rng, _mixed(rng, lead), lead.y)
        if rng.random() < 0.10:
            x = _fibrillating(rng, x, y)
            y = np.where(y == CLASSES["p"], 0, y).astype(np.uint8)
        if rng.random() < 0.3:
            x = -x
        if rng.random() < 0.6:
            x = x + self._noise(rng)
        if rng.random() < 0.05:
            x, y = _interrupted(rng, x, y)
        scale = max(float(np.median(local_range(x))), 1e-3)
        return (x * (np.exp(rng.uniform(-0.5, 0.5)) / scale)).astype(np.float32), y

    def _noise(self, rng: np.random.Generator) -> Floats:
        """Return noise with a range of up to that of the QRS, mostly far less."""
        kind = rng.choice(["bw", "em", "ma", "white", "mains"], p=[0.2, 0.2, 0.3, 0.2, 0.1])
        noise = self._recorded(rng, kind) if kind in self.noise else _made(rng, kind)
        level = np.exp(rng.uniform(np.log(0.005), np.log(0.12)))
        return (noise * (level / max(float(noise.std()), 1e-6))).astype(np.float32)

    def _recorded(self, rng: np.random.Generator, kind: str) -> Floats:
        whole = self.noise[kind]
        start = rng.integers(whole.shape[1] - LENGTH)
        return whole[rng.integers(whole.shape[0]), start : start + LENGTH]

    def _without_ecg(self, rng: np.random.Generator) -> Floats:
        if rng.random() < 0.3:
            return (rng.standard_normal(LENGTH) * rng.choice([0.0, 0.001, 0.02])).astype(np.float32)
        noise = self._recorded(rng, rng.choice(["bw", "em", "ma"])) if rng.random() < 0.7 else _made(rng, "white")
        scale = max(float(np.median(local_range(noise))), 1e-3)
        return (noise * (np.exp(rng.uniform(-1.0, 0.5)) / scale)).astype(np.float32)


def _mixed(rng: np.random.Generator, lead: Lead) -> Floats:
    """Return the lead, sometimes with some of another lead of its record, as an electrode elsewhere would see it."""
    if not lead.others or rng.random() > 0.3:
        return lead.x
    other = lead.others[rng.integers(len(lead.others))]
    return (lead.x + rng.uniform(-0.5, 0.5) * other).astype(np.float32)


def _faster(rng: np.random.Generator, x: Floats, y: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.uint8]]:
    """Return ``LENGTH`` samples of ``x`` read at another speed, from a place that holds known samples."""
    speed = np.exp(rng.uniform(-0.25, 0.30)) if rng.random() < 0.85 else np.exp(rng.uniform(0.3, 0.6))
    known = np.flatnonzero(y != UNKNOWN)
    centre = known[rng.integers(known.size)]
    # Most of a short record is seen each time; its edges are not seen too often.
    middle = 0.5 * (known[0] + known[-1]) if known[-1] - known[0] < LENGTH * speed else centre
    first = middle + rng.uniform(-0.3, 0.3) * LENGTH * speed - 0.5 * LENGTH * speed
    at = first + speed * np.arange(LENGTH)
    inside = (at >= 0) & (at <= x.size - 1)
    nearest = np.clip(np.rint(at), 0, x.size - 1).astype(np.int64)
    # What lies before and after the record is mirrored; no mark covers it.
    mirrored = np.abs(at)
    mirrored = np.where(mirrored > x.size - 1, 2 * (x.size - 1) - mirrored, mirrored)
    drawn = np.interp(mirrored, np.arange(x.size), x).astype(np.float32)
    return drawn, np.where(inside, y[nearest], UNKNOWN).astype(np.uint8)


def _fibrillating(rng: np.random.Generator, x: Floats, y: NDArray[np.uint8]) -> Floats:
    """Return ``x`` without its P waves, a straight line in place of each, and mostly with f-waves."""
    x = x.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (y == CLASSES["p"]).astype(np.int8), [0]])))
    for onset, end in edges.reshape(-1, 2).tolist():
        a, b = max(onset - 5, 0), min(end + 5, x.size - 1)
        x[a : b + 1] = np.linspace(x[a], x[b], b - a + 1)
    if rng.random() < 0.7:
        t = np.arange(x.size) / FS
        phase = 2 * np.pi * rng.uniform(4, 8.5) * t + rng.uniform(0.2, 1.5) * np.sin(
            2 * np.pi * rng.uniform(0.1, 1) * t
        )
        wave = sum(np.sin(k * (phase + rng.uniform(0, 6))) / k for k in (1, 2, 3))
        x += (rng.uniform(0.01, 0.08) * (1 + 0.3 * np.sin(2 * np.pi * 0.4 * t)) * wave).astype(np.float32)
    return x


def _interrupted(rng: np.random.Generator, x: Floats, y: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.uint8]]:
    """Return ``x`` with a stretch in which the electrode is off: a straight line, and no wave."""
    a = int(rng.integers(LENGTH - 300))
    b = a + int(rng.integers(150, 900))
    x, y = x.copy(), y.copy()
    b = min(b, LENGTH - 1)
    x[a:b] = np.linspace(x[a], x[b], b - a)
    y[a:b] = 0
    return x, y


def _made(rng: np.random.Generator, kind: str) -> Floats:
    if kind == "white":
        return rng.standard_normal(LENGTH).astype(np.float32)
    t = np.arange(LENGTH) / FS
    frequency = rng.choice([50.0, 60.0]) + rng.uniform(-0.1, 0.1)
    return np.sin(2 * np.pi * frequency * t + rng.uniform(0, 6.3)).astype(np.float32)
