"""Train the trees of ``cardioflow.analysis.beat_classes`` on DS1 of MITDB, and write them with their card.

    python -m recipes.beat_classes.train --data mitdb --split mitdb.csv [--cross-validate]

Records of DS1 only are read. Everything was chosen by cross-validation over whole records of DS1 (``--cross-validate``
prints it): features, the size of the trees, and the weights of the classes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from cardioflow.analysis.beat_classes.features import FEATURES, features
from cardioflow.datasets.aami import AAMI
from cardioflow.referee.records import part_of, records_of

CLASSES = ("F", "N", "S", "V")
HOME = Path(__file__).parents[2] / "src/cardioflow/analysis/beat_classes"
SHARE_OF_NORMAL = 0.25
"""Of the beats of class N that are trained on; the others say nothing new."""
CLASS_WEIGHTS = {"F": 1.0, "N": 1.0, "S": 2.0, "V": 1.0}
"""Factors of the probabilities: sensitivity to S is bought with precision."""
OPTIONS = {
    "max_iter": 80, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 40, "l2_regularization": 5,
    "max_bins": 64, "max_features": 0.5, "random_state": 0, "early_stopping": False,
}  # fmt: skip
N_FOLDS = 4


def read(data: Path, split: Path) -> tuple[Any, Any, Any]:
    """Return features, classes and records of all beats of DS1; the few of class Q are left out."""
    x, y, record = [], [], []
    for own in records_of(data, "atr", part_of(split, "DS1")):
        beats = np.isin(own.marks.symbol, list(AAMI))
        x.append(features(own.signal, own.fs, own.marks.sample[beats]))
        y += [AAMI[symbol] for symbol in own.marks.symbol[beats]]
        record += [own.id] * int(beats.sum())
    known = np.array(y) != "Q"
    return np.concatenate(x)[known], np.array(y)[known], np.array(record)[known]


def weights(y: Any, record: Any) -> Any:
    """Return a weight per beat: rare classes, and patients with few beats of a class, count more than by number."""
    found = np.ones(len(y))
    for name in CLASSES:
        own = y == name
        for patient in set(record[own]):
            rows = own & (record == patient)
            found[rows] = rows.sum() ** -0.5
        found[own] *= own.sum() ** 0.5 / found[own].sum()
    return found / found.mean()


def fit(x: Any, y: Any, record: Any) -> HistGradientBoostingClassifier:
    kept = (y != "N") | (np.random.default_rng(0).random(len(y)) < SHARE_OF_NORMAL)
    model = HistGradientBoostingClassifier(**OPTIONS)
    return model.fit(x[kept], y[kept], sample_weight=weights(y[kept], record[kept]))


def cross_validated(x: Any, y: Any, record: Any) -> dict[str, tuple[float, float]]:
    """Return sensitivity and precision of each class in per cent; records rich in S are spread over the folds."""
    n_of = {own: int(((record == own) & (y == "S")).sum()) for own in sorted(set(record))}
    fold_of = {own: i % N_FOLDS for i, own in enumerate(sorted(n_of, key=lambda own: -n_of[own]))}
    fold = np.array([fold_of[own] for own in record])
    found = np.empty(len(y), "<U1")
    factors = np.array([CLASS_WEIGHTS[name] for name in CLASSES])
    for k in range(N_FOLDS):
        model = fit(x[fold != k], y[fold != k], record[fold != k])
        found[fold == k] = np.array(CLASSES)[(model.predict_proba(x[fold == k]) * factors).argmax(axis=1)]
    return {
        name: (
            round(100 * float(((found == name) & (y == name)).sum() / (y == name).sum()), 1),
            round(100 * float(((found == name) & (y == name)).sum() / max((found == name).sum(), 1)), 1),
        )
        for name in CLASSES
    }


def arrays_of(model: HistGradientBoostingClassifier) -> dict[str, Any]:
    """Return the trees as arrays, in the order of ``CLASSES``."""
    nodes, roots, n = [], [], 0
    for iteration in model._predictors:
        roots.append([])
        for tree in iteration:
            own = tree.nodes
            leaf = own["is_leaf"].astype(bool)
            place = np.arange(len(own))
            nodes.append(
                {
                    "feature": np.where(leaf, 0, own["feature_idx"]).astype(np.int16),
                    "threshold": np.where(leaf, 0, own["num_threshold"]).astype(np.float32),
                    "missing_left": own["missing_go_to_left"].astype(bool),
                    "left": (n + np.where(leaf, place, own["left"])).astype(np.int32),
                    "right": (n + np.where(leaf, place, own["right"])).astype(np.int32),
                    "value": np.where(leaf, own["value"], 0).astype(np.float32),
                }
            )
            roots[-1].append(n)
            n += len(own)
    joined = {name: np.concatenate([own[name] for own in nodes]) for name in nodes[0]}
    return {
        **joined,
        "roots": np.array(roots, np.int32),
        "baseline": np.asarray(model._baseline_prediction, np.float32).reshape(-1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--cross-validate", action="store_true")
    given = parser.parse_args()
    x, y, record = read(given.data, given.split)
    scores = cross_validated(x, y, record) if given.cross_validate else None
    print(scores, flush=True)
    model = fit(x, y, record)
    np.savez_compressed(HOME / "_weights.npz", **arrays_of(model))
    card = {
        "version": 1,
        "classes": CLASSES,
        "class_weights": CLASS_WEIGHTS,
        "features": FEATURES,
        "options": OPTIONS,
        "training_data": [f"mitdb/{own}" for own in sorted(set(record))],
        "beats": {name: int((y == name).sum()) for name in CLASSES},
        "cross_validation": {"folds": N_FOLDS, "sensitivity and PPV, %": scores},
        "licence": "MITDB: ODC-BY 1.0",
    }
    (HOME / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
