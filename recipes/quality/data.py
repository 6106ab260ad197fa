"""PhysioNet/CinC Challenge 2011, set a: 998 labelled 12-lead ECGs of 10 s, as text files in steps of 5 µV."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.lead_usability import lead_usability

FS = 500.0
MV_PER_STEP = 0.005


def labels(folder: Path) -> dict[str, int]:
    """Return 1 for each acceptable record and 0 for each other one, from the lists that come with the set."""
    found = {}
    for name, value in (("RECORDS-acceptable", 1), ("RECORDS-unacceptable", 0)):
        found.update(dict.fromkeys((folder / name).read_text("utf-8").split(), value))
    return found


def features(folder: Path, records: list[str]) -> NDArray[np.float64]:
    """Return the features of all leads, (record, lead, feature)."""
    rows = []
    for record in records:
        steps = np.loadtxt(folder / f"{record}.txt", delimiter=",")[:, 1:13].T
        rows.append(lead_usability(steps * MV_PER_STEP, FS))
    return np.stack(rows)


def fingerprint(folder: Path, records: list[str]) -> str:
    """Return one checksum of the contents of all records."""
    whole = hashlib.sha256()
    for record in sorted(records):
        whole.update(hashlib.sha256((folder / f"{record}.txt").read_bytes()).digest())
    return whole.hexdigest()
