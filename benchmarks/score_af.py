"""Score predictions of the recipe ``af`` in other ways: CardIO's two classes, calibration, coverage of the sets.

    python benchmarks/score_af.py RUN --table cinc2017.csv

reads what ``cardioflow train`` wrote to RUN, predictions for left-out folds, and prints a table in Markdown. With
``--test`` it reads the predictions of ``--score`` instead, which were made once.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

import cardioflow
from cardioflow.calibration import calibration_error, coverage, from_json
from cardioflow.metrics import bootstrap_interval

CLASSES = ("A", "N", "O", "~")


def predictions(run: Path, *, test: bool) -> tuple[list[str], np.ndarray]:
    """Return records and calibrated probabilities."""
    if test:
        kept = json.loads((run / "test_score.json").read_text())
        return list(kept), np.array(list(kept.values()))
    kept = json.loads((run / "out_of_fold.json").read_text())
    return kept["records"], np.array(kept["mixed"])


def af_f1(y: np.ndarray, answer: np.ndarray) -> float:
    hits = int((y & answer).sum())
    return 2 * hits / int(y.sum() + answer.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    with options.table.open() as file:
        labels = {row["record"]: row["label"] for row in csv.DictReader(file)}
    names, p = predictions(options.run, test=options.test)
    y = np.array([CLASSES.index(labels[name]) for name in names])
    print("| | value | 95 % |\n|---|---|---|")
    # CardIO leaves noise out, and N and O are one class.
    told = y != CLASSES.index("~")
    two = p[told][:, :3] / p[told][:, :3].sum(axis=1, keepdims=True)
    truth, answer = y[told] == 0, two[:, 0] >= 0.5
    low, high = bootstrap_interval(af_f1, truth, answer)
    print(f"| F1 of AF, two classes, without noise | {af_f1(truth, answer):.3f} | {low:.3f}–{high:.3f} |")
    error = calibration_error(y, p)
    print(f"| ECE of the most probable class, without bias | {error.value:.3f} | {_span(error.interval)} |")
    if not options.test:
        return
    # On left-out folds the sets hold what they were fitted to.
    description = cardioflow.load(options.run / "bundle").description
    found = coverage(y, from_json(json.dumps(description.conformal)).apply(p))
    for k, label in enumerate(CLASSES):
        n = int((y == k).sum())
        print(f"| the set holds the label, {n} of {label} | {found.per_class[k]:.3f} | {_span(found.intervals[k])} |")
    print(f"| labels in a set; sets of one label | {found.mean_size:.2f}; {found.single:.2f} | |")


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f}–{interval[1]:.3f}"


if __name__ == "__main__":
    main()
