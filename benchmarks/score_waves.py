"""Score the delineator by cross-validation over LUDB, on test parts, and against NeuroKit; write the tables.

::

    python benchmarks/score_waves.py --sets SETS --splits SPLITS --runs RUNS --out benchmarks/results/waves.md

``RUNS`` holds one ONNX file per fold, ``fold0.onnx`` to ``fold4.onnx``, each trained by
``recipes.waves.train --ludb foldN --qtdb none`` and exported. Folds whose file is missing are left out; the table names
those that were scored.
NeuroKit's methods get the reference's R peaks and lead II alone, which is their best.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from recipes.waves import data

from cardioflow.analysis.waves.delineate import delineate
from cardioflow.batch.annotation import BEATS
from cardioflow.io.reading import read_each, request_for
from cardioflow.referee.tables import Report, Table
from cardioflow.referee.tasks.waves import Waves, wave_tables
from cardioflow.referee.wave_methods import OurWaves, WaveMethod, wave_method
from cardioflow.referee.wave_reference import WaveRecord, wave_records
from cardioflow.referee.wave_tally import WaveTally


def folds(args: argparse.Namespace) -> Iterator[tuple[int, OurWaves, list[str]]]:
    for fold in range(5):
        network = args.runs / f"fold{fold}.onnx"
        if network.exists():
            yield fold, OurWaves(network), data.ludb_fold(args.splits / "ludb.csv", fold, held_out=True)


def cross_validated(args: argparse.Namespace) -> tuple[Report, list[str]]:
    """Each record scored by the network that has not seen it."""
    tally, seen, used = WaveTally(), [], []
    task = Waves()
    for fold, method, names in folds(args):
        used.append(fold)
        for record in wave_records(args.sets / "ludb" / "data", names):
            seen.append(record.id)
            part = task.tallies([record], [method])
            own = next(iter(part.values()))
            tally.merge(own)
    title = f"LUDB, cross-validation, {len(seen)} records of folds {used}, networks trained on the other records alone"
    return Report(title, {}, wave_tables({"ours": tally})), seen


def lead_two(args: argparse.Namespace, names: list[str]) -> Report:
    """Lead II alone: ours by cross-validation, and the peers, in one run."""
    task, found = Waves(), {}
    methods: list[WaveMethod] = [wave_method("neurokit_prominence"), wave_method("neurokit_dwt")]
    for _, ours, own in folds(args):
        for record in map(_second, wave_records(args.sets / "ludb" / "data", own)):
            for name, one in task.tallies([record], [ours, *methods]).items():
                found.setdefault("ours" if name.startswith("ours") else name, WaveTally()).merge(one)
    return Report(f"LUDB, lead II of the same {len(names)} records, in one run", {}, wave_tables(found))


def _second(record: WaveRecord) -> WaveRecord:
    return replace(record, signal=record.signal[1:2], leads=record.leads[1:2], by_lead=record.by_lead[1:2])


def transferred(args: argparse.Namespace) -> Report:
    """QTDB by a network that was trained on LUDB alone."""
    ours = next(folds(args))[1]
    methods = [ours, wave_method("neurokit_prominence")]
    task = Waves(ann_ext="q1c")
    records = wave_records(args.sets / "qtdb", None, "q1c")
    return Report(
        "QTDB, all 105 records, q1c, untuned: trained on LUDB alone", {}, wave_tables(task.tallies(records, methods))
    )


def tested(args: argparse.Namespace) -> list[Report]:
    """The shipped network on the test parts."""
    ludb = sorted(data.split_of(args.splits / "ludb.csv", "test"), key=int)
    qtdb = sorted(data.split_of(args.splits / "qtdb.csv", "test", "origin"))
    shipped = [wave_method("ours")]
    one = Waves().tallies(wave_records(args.sets / "ludb" / "data", ludb), shipped)
    two = Waves(ann_ext="q1c").tallies(wave_records(args.sets / "qtdb", qtdb, "q1c"), shipped)
    return [
        Report(f"LUDB, test part, {len(ludb)} records, the shipped network", {}, wave_tables(one)),
        Report(f"QTDB, test part, {len(qtdb)} records, the shipped network", {}, wave_tables(two)),
    ]


def p_by_rhythm(args: argparse.Namespace) -> Report:
    """How many beats have a P wave in fibrillation, flutter and sinus rhythm of MITDB, first lead alone."""
    counts: dict[str, list[int]] = {}
    for name in ("201", "202", "203", "219", "222"):
        (record,) = read_each(
            [args.sets / "mitdb" / f"{name}.hea"],
            "wfdb",
            request_for(["signal", "meta", "annotation"], {"ann_ext": "atr"}),
            {"ann_ext": "atr"},
        )
        waves = delineate(record.signal[0], record.fs).whole
        has_p, marks = waves.p_of_beat() >= 0, record.annotation
        starts = [(s, t) for s, t in zip(marks.sample.tolist(), marks.aux_note, strict=True) if t.startswith("(")]
        for (start, rhythm), (stop, _) in pairwise([*starts, (record.signal.shape[1], "")]):
            if rhythm in ("(AFIB", "(AFL", "(N"):
                own = (waves.qrs.peak >= start) & (waves.qrs.peak < stop)
                total = counts.setdefault(rhythm[1:], [0, 0])
                total[0] += int(own.sum())
                total[1] += int(has_p[own].sum())
    rows = tuple((rhythm, beats, p, 100 * p / beats) for rhythm, (beats, p) in counts.items())
    table = Table("Beats with a P wave, by MITDB's own rhythm", ("rhythm", "beats", "with P", "%"), rows)
    title = "MITDB 201, 202, 203, 219, 222, first lead, the shipped network, which has seen none of these tapes"
    return Report(title, {}, (table,))


def speed(args: argparse.Namespace) -> Report:
    """CPU seconds for an hour of one lead at 360 Hz: MITDB 100, twice; the best of three runs."""
    (record,) = read_each(
        [args.sets / "mitdb" / "100.hea"],
        "wfdb",
        request_for(["signal", "meta", "annotation"], {"ann_ext": "atr"}),
        {"ann_ext": "atr"},
    )
    lead = np.tile(record.signal[:1], 2)[:, : int(3600 * record.fs)]
    r = record.annotation.sample[np.isin(record.annotation.symbol, list(BEATS))] / record.fs
    r = np.concatenate([r, r + record.signal.shape[1] / record.fs])
    r = r[(r > 1) & (r < 3599)]
    rows = []
    for name in ("ours", "neurokit_prominence"):
        method, times = wave_method(name), []
        for _ in range(3):
            began = time.process_time()
            method.waves(lead, record.fs, r)
            times.append(time.process_time() - began)
        rows.append((name, min(times)))
    table = Table("One hour of one lead", ("method", "CPU s"), tuple(rows))
    return Report("Speed: MITDB 100, first lead at 360 Hz, an hour in one piece, best of three", {}, (table,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    first, seen = cross_validated(args)
    reports = [first, lead_two(args, seen), transferred(args), *tested(args), p_by_rhythm(args), speed(args)]
    head = f"""# Waves

{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, Python {platform.python_version()}; one
process on a machine shared with others, so that CPU times are upper bounds. Written by `benchmarks/score_waves.py`.
Matching within 150 ms, one to one; inside the span from the first to the last mark of each lead.
NeuroKit's methods got the reference's R peaks.

"""
    args.out.write_text(head + "\n".join(report.to_markdown() for report in reports))


if __name__ == "__main__":
    main()
