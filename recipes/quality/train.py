"""Train the bundle ``quality``: ``python -m recipes.quality.train --data set-a --out quality``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from cardioflow.analysis.lead_usability import FEATURES
from cardioflow.bundle import BundleCard, BundleDescription, DataSource, Limits, Score, write_bundle
from recipes.quality.data import features, fingerprint, labels

Doubles = NDArray[np.float64]

N_FOLDS = 10
N_REPEATS = 3
L2 = 1e-3
BOUNDS: list[tuple[float, float | None]] = [*[(0.0, None)] * len(FEATURES), (-8.0, -2.0), (0.0, 12.0)]
"""No feature makes a bad lead better; a lead without any is acceptable; a record is allowed some bad leads."""


def logits(parameters: Doubles, x: Doubles) -> Doubles:
    """Return the log-odds that each record is acceptable."""
    odds = x @ parameters[:-2] + parameters[-2]
    return np.asarray(parameters[-1] - np.logaddexp(0, odds).sum(axis=-1))


def fit(x: Doubles, y: Doubles) -> Doubles:
    """Return weights, bias and allowance with the greatest likelihood of the records' labels; leads have none."""

    def loss(p: Doubles) -> float:
        return float(np.logaddexp(0, -logits(p, x) * (2 * y - 1)).mean() + L2 * (p[:-2] ** 2).mean())

    starts = [np.r_[np.abs(np.random.default_rng(seed).normal(size=x.shape[-1])), -5.0, 3.0] for seed in range(3)]
    found = [minimize(loss, start, method="L-BFGS-B", bounds=BOUNDS) for start in starts]
    return np.asarray(min(found, key=lambda own: own.fun).x)


def cross_validated(x: Doubles, y: Doubles, seed: int) -> Doubles:
    """Return the log-odds of each record by a model that was not trained on its fold."""
    fold = np.random.default_rng(seed).permutation(len(y)) % N_FOLDS
    out = np.zeros(len(y))
    for k in range(N_FOLDS):
        out[fold == k] = logits(fit(x[fold != k], y[fold != k]), x[fold == k])
    return out


def scores(y: Doubles, found: list[Doubles]) -> tuple[Score, ...]:
    """Return figures, means over the repetitions, with intervals from 2 000 bootstrap samples of the records."""
    measures: dict[str, Any] = {
        "accuracy": lambda y, p: float(((p > 0) == (y > 0.5)).mean()),
        "AUROC": lambda y, p: float(roc_auc_score(y, p)),
        "sensitivity for unacceptable": lambda y, p: float((p <= 0)[y < 0.5].mean()),
        "specificity for unacceptable": lambda y, p: float((p > 0)[y > 0.5].mean()),
    }
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(y), size=len(y)) for _ in range(2000)]
    made = []
    for name, measure in measures.items():
        value = float(np.mean([measure(y, p) for p in found]))
        low, high = np.percentile([measure(y[d], found[0][d]) for d in draws], [2.5, 97.5])
        on = f"cross-validation, {N_FOLDS} folds, {N_REPEATS} times"
        made.append(Score(metric=name, value=round(value, 4), low=round(low, 4), high=round(high, 4), on=on, n=len(y)))
    return tuple(made)


def main() -> None:
    """Train, score by cross-validation, and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder set-a with its two lists of labels")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the bundle")
    parser.add_argument("--features", type=Path, help="a .npy file that keeps the features between runs")
    given = parser.parse_args()
    known = labels(given.data)
    records = sorted(known)
    if given.features and given.features.exists():
        x = np.load(given.features)
    else:
        x = features(given.data, records)
        if given.features:
            np.save(given.features, x)
    y = np.array([known[r] for r in records], np.float64)
    figures = scores(y, [cross_validated(x, y, seed) for seed in range(N_REPEATS)])
    write_bundle(given.out, described(fit(x, y), figures, len(records), fingerprint(given.data, records)))
    print(*figures, sep="\n")


def described(parameters: Doubles, figures: tuple[Score, ...], n: int, checksum: str) -> BundleDescription:
    """Return the description of the bundle."""
    source = DataSource(
        name="PhysioNet/CinC Challenge 2011",
        version="1.0.0",
        part="set a, all labelled records",
        used_for="training, and scores by cross-validation",
        n_records=n,
        licence="ODC-By 1.0",
        citation="Silva, Moody and Celi, Computing in Cardiology 38 (2011)",
        fingerprint=checksum,
    )
    card = BundleCard(
        intended="Telling at once whether a 12-lead ECG of 10 s can be used, and which leads are bad.",
        not_for=("diagnosis", "ambulatory ECGs", "monitoring of patients"),
        licence="Apache-2.0; the data are attributed as ODC-By 1.0 asks",
        data=(source,),
        split=f"cross-validation over records, {N_FOLDS} folds drawn {N_REPEATS} times; the set names no patients",
        protocol="recipes/quality/README.md",
        scores=figures,
        recipe="python -m recipes.quality.train --data set-a --out quality",
        made=datetime.now(UTC).date().isoformat(),
        notes="The labels of the leads follow from those of the records: the set has none. With fewer than 12 leads a "
        "record is judged by those that it has.",
    )
    return BundleDescription(
        name="quality",
        release="1",
        title="How usable a 12-lead ECG and each of its leads is",
        output="quality",
        classes=("acceptable", "unacceptable"),
        method="quality",
        settings={
            "weights": [round(float(w), 4) for w in parameters[:-2]],
            "bias": round(float(parameters[-2]), 4),
            "allowance": round(float(parameters[-1]), 4),
            "features": list(FEATURES),
        },
        limits=Limits(shortest_s=5, lowest_fs=100),
        card=card,
    )


if __name__ == "__main__":
    main()
