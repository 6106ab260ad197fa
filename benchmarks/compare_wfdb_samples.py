"""Compare every record and annotation file in a folder with what wfdb reads from it.

::

    python benchmarks/compare_wfdb_samples.py FOLDER

This is meant for the sample records of wfdb-python (its folder ``sample-data``)
and for whole databases. It prints one line per file that differs, with both
results, and the counts: equal, refused by both, refused by one, different.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from cardioflow.batch.leads import GROUPS, standard_name
from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.wfdb import Wfdb

warnings.simplefilter("ignore")
import wfdb  # noqa: E402 -- wfdb 4.3 warns about pandas 3 while it is imported

NOT_MARKS = {".hea", ".dat", ".mat", ".edf", ".wav", ".csv", ".xws", ".txt", ".md5", ".html", ".py"}
OF_A_LEAD = tuple("()ptu=sT*D")
LEADS = frozenset(GROUPS["standard"])
READER = Wfdb()
VERBOSE = 0


def record(header: Path) -> tuple[str, str]:
    """Return a verdict on one record, with the reason."""
    here = Path.cwd()
    try:
        os.chdir(header.parent)  # wfdb looks for segments of a local record in the working folder
        theirs = wfdb.rdrecord(header.stem, smooth_frames=False, m2s=True)
    except Exception as error:  # noqa: BLE001 -- wfdb raises many kinds
        theirs, why = None, f"wfdb: {type(error).__name__}: {error}"
    finally:
        os.chdir(here)
    try:
        head = READER.read(header, ReadRequest(components=frozenset({"meta"})))
        channels = range(len(head.leads))
    except FormatError as error:
        channels, refused = _choices(header), str(error)
        if not channels:
            return ("both refuse", refused * VERBOSE) if theirs is None else ("we refuse", refused)
    found = []
    for i in channels:
        try:
            found.append(READER.read(header, ReadRequest(channels=(i,))).signal[0])
        except FormatError as error:
            return ("both refuse", str(error) * VERBOSE) if theirs is None else ("we refuse", str(error))
    if theirs is None:
        return "wfdb refuses", why
    return _compared(found, theirs)


def _choices(header: Path) -> range:
    """Return the numbers of the signals, if different rates prevent reading them together."""
    n = 0
    while True:
        try:
            READER.read(header, ReadRequest(components=frozenset({"meta"}), channels=(n,)))
        except FormatError:
            return range(n)
        n += 1


def _compared(found: list[np.ndarray], theirs: wfdb.Record) -> tuple[str, str]:
    expected = theirs.e_p_signal if theirs.e_p_signal is not None else list(theirs.p_signal.T)
    if len(found) != len(expected):
        return "different", f"{len(found)} signals, wfdb has {len(expected)}"
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        scale = {"uV": 1e3, "V": 1e-3}.get(theirs.units[i], 1.0)
        b32 = (b / scale).astype(np.float32)
        if not np.array_equal(a, b32, equal_nan=True):
            n = int(((a != b32) & ~(np.isnan(a) & np.isnan(b32))).sum()) if a.shape == b32.shape else -1
            return "different", f"signal {i}: shapes {a.shape} and {b32.shape}, {n} samples differ"
    return "equal", ""


def _leads(chan: np.ndarray) -> np.ndarray:
    """Return ``chan`` as our ``channel``: leads counted from 1, and 0 for no particular lead."""
    return np.where(chan == 255, 0, chan + 1) if chan.any() else chan


def marks(header: Path, path: Path) -> tuple[str, str]:
    """Return a verdict on one annotation file, with the reason."""
    ext = path.suffix[1:]
    try:
        theirs = wfdb.rdann(str(header.with_suffix("")), ext)
    except Exception as error:  # noqa: BLE001 -- as above
        theirs, why = None, f"wfdb: {type(error).__name__}: {error}"
    try:
        ours = READER.read(header, ReadRequest(components=frozenset({"annotation"}), ann_ext=ext)).annotation
    except FormatError as error:
        return ("both refuse", "") if theirs is None else ("we refuse", str(error))
    if theirs is None:
        return "wfdb refuses", why
    if len(ours) and ours.symbol[0] == '"' and ours.sample[0] == 0:
        # wfdb drops every note at sample 0; we drop only those that are definitions.
        ours = ours.take((ours.sample > 0) | (ours.symbol != '"'))
    order = np.argsort(theirs.sample, kind="stable")
    channel = _leads(theirs.chan[order])
    if len(ours) == len(channel):
        # We give the whole record the marks that do not belong to a lead, and a lead those of the file named like it.
        of_record = (ours.channel == 0) & ~np.isin(ours.symbol, OF_A_LEAD)
        named = len(set(ours.channel.tolist())) == 1 and standard_name(ext) in LEADS
        channel = ours.channel if named else np.where(of_record, 0, channel)
    for name, a, b in (
        ("sample", ours.sample, theirs.sample[order]),
        ("symbol", ours.symbol, np.array(theirs.symbol)[order]),
        ("channel", ours.channel, channel),
        ("num", ours.num, theirs.num[order]),
        ("subtype", ours.subtype, theirs.subtype[order]),
        ("aux_note", np.array(ours.aux_note), np.array([n.rstrip("\0") for n in theirs.aux_note])[order]),
    ):
        if len(a) != len(b) or not (np.asarray(a) == np.asarray(b)).all():
            return "different", f"{name}: {a[:5]} and {b[:5]} ({len(a)} and {len(b)})"
    return "equal", ""


def main(folder: Path) -> int:
    counts: Counter[tuple[str, str]] = Counter()
    for header in sorted(folder.rglob("*.hea")):
        beside = sorted(p for p in header.parent.glob(f"{header.stem}.*") if p.suffix.lower() not in NOT_MARKS)
        beside = [p for p in beside if not p.suffix[1:].startswith("d") or not p.suffix[2:].isdigit()]
        for kind, path, (verdict, why) in [
            ("record", header, record(header)),
            *(("annotation", p, marks(header, p)) for p in beside),
        ]:
            counts[kind, verdict] += 1
            if why:
                print(f"{path.relative_to(folder)}: {verdict}: {why}")
    for (kind, verdict), n in sorted(counts.items()):
        print(f"{n:5d} {kind}s: {verdict}")
    return int(any(verdict == "different" for _, verdict in counts))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
