"""Leads of LUDB and QTDB with a class per sample: none, P, QRS, T, or unknown."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.waves.prepare import FS, prepare
from cardioflow.batch import Annotation

UNKNOWN: Final = 255
CLASSES: Final = {"p": 1, "N": 2, "t": 3}
LUDB_LEADS: Final = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")


@dataclass(frozen=True)
class Lead:
    """A lead as the network sees it, and the class of each of its samples."""

    record: str
    x: NDArray[np.float32]
    y: NDArray[np.uint8]
    rhythm: str
    others: tuple[NDArray[np.float32], ...]
    """The other leads of the record, on the same time axis."""


def split_of(path: Path, part: str, column: str = "rhythm") -> dict[str, str]:
    """Return the records of ``part`` and what ``column`` says of each."""
    with path.open() as file:
        return {row["record"]: row[column] for row in csv.DictReader(file) if row["part"] == part or part == "all"}


def ludb_fold(path: Path, fold: int, *, held_out: bool, part: str = "all") -> list[str]:
    """Return the records that fold ``fold`` of five trains on, or holds out; folds are stratified by rhythm."""
    rhythms = split_of(path, part)
    names = sorted(rhythms, key=int)
    # Rhythms of fewer than five records (tachycardia, flutter, irregular) count as one.
    common = [r if list(rhythms.values()).count(r) >= 5 else "rare" for r in (rhythms[n] for n in names)]
    parts = list(StratifiedKFold(5, shuffle=True, random_state=0).split(names, common))
    return [names[i] for i in parts[fold][1 if held_out else 0]]


def ludb(folder: Path, records: Collection[str]) -> Iterator[Lead]:
    """Yield the twelve leads of each record, known between the first and the last mark of each."""
    dataset = EcgDataset(path=[folder / "data" / f"{name}.hea" for name in records])
    by_lead = []
    for lead in LUDB_LEADS:
        load = Pipeline().load(fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext=lead)
        batch = (dataset >> load).next_batch(len(records))
        by_lead.append([batch.annotation[i] for i in range(len(records))])
    for i, name in enumerate(records):
        fs = batch.meta[i]["fs"]
        x = prepare(batch.signal[i], fs).x
        rhythm = next((c for c in batch.meta[i]["comments"] if c.startswith("Rhythm")), "")
        for k in range(len(LUDB_LEADS)):
            y = labels(by_lead[k][i], fs, x.shape[1])
            yield Lead(f"ludb/{name}/{LUDB_LEADS[k]}", x[k], y, rhythm, tuple(np.delete(x, k, axis=0)))


def qtdb(folder: Path, records: Collection[str]) -> Iterator[Lead]:
    """Yield both leads of each record around the beats that the first cardiologist marked."""
    load = Pipeline().load(fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext="q1c")
    dataset = EcgDataset(path=[folder / f"{name}.hea" for name in records])
    batch = (dataset >> load).next_batch(len(records))
    for i, name in enumerate(records):
        fs = batch.meta[i]["fs"]
        x = prepare(batch.signal[i], fs).x
        y = labels(batch.annotation[i], fs, x.shape[1], gaps=True)
        known = np.flatnonzero(y != UNKNOWN)
        part = slice(max(0, known[0] - int(4 * FS)), known[-1] + int(4 * FS))
        for k in range(x.shape[0]):
            yield Lead(f"qtdb/{name}/{k}", x[k, part], y[part], "", tuple(np.delete(x, k, axis=0)[:, part]))


def labels(marks: Annotation, fs: float, n: int, *, gaps: bool = False) -> NDArray[np.uint8]:
    """Return the class of each of ``n`` samples at 250 Hz; a sample that no mark covers is ``UNKNOWN``.

    Args:
        marks: groups of an onset, a peak and an end; either bracket may be missing.
        fs: the rate of the marks.
        n: how many samples.
        gaps: whether beats between marked ones may be unmarked.
    """
    y = np.full(n, UNKNOWN, np.uint8)
    at = np.rint(marks.sample * (FS / fs)).astype(np.int64)
    symbol = marks.symbol.tolist()
    if not symbol:
        return y
    y[at[0] : at[-1] + 1] = 0
    peaks = [i for i, s in enumerate(symbol) if s in CLASSES]
    if gaps:
        beats = [i for i in peaks if symbol[i] == "N"]
        longest = 1.4 * np.median(np.diff(at[beats])) if len(beats) > 1 else 0.0
        for i, j in pairwise(beats):
            if at[j] - at[i] > longest:
                k = i + int(np.argmax(np.diff(at[i : j + 1])))
                y[at[k] + 3 : at[k + 1] - 3] = UNKNOWN
    unknown = int(0.16 * FS)
    for i in peaks:
        on = at[i - 1] if i and symbol[i - 1] == "(" else None
        end = at[i + 1] if i + 1 < len(symbol) and symbol[i + 1] == ")" else None
        if on is None:
            left = at[i - 1] + 3 if i and symbol[i] == "t" else at[i] - unknown
            y[max(left, 0) : at[i] - 3] = UNKNOWN
        if end is None:
            y[at[i] + 3 : at[i] + unknown] = UNKNOWN
        y[at[i] - 3 if on is None else on : (at[i] + 3 if end is None else end) + 1] = CLASSES[symbol[i]]
    return y
