"""Train the trees of ``cardioflow.analysis.beat_classes`` on DS1 of MITDB, and write them with their card.

    python -m recipes.beat_classes.train --data mitdb --split mitdb.csv [--first] [--cross-validate]

Records of DS1 only are read. ``--first`` trains the first trees, which find ventricular beats from intervals and
shapes; without it, the second ones, which see the context that the first give, too. The second also learn from records
made of DS1's beats (``rearranged.py``). Everything was chosen by cross-validation over whole patients of DS1
(``--cross-validate`` prints it): features, the size of the trees, the weights of the classes and of the made records.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from cardioflow.analysis.beat_classes.classify import evidence
from cardioflow.analysis.beat_classes.context import CONTEXT
from cardioflow.analysis.beat_classes.features import FEATURES, features, windows
from cardioflow.datasets.aami import AAMI
from cardioflow.referee.records import part_of, records_of
from recipes.beat_classes.rearranged import rearranged

CLASSES = ("F", "N", "S", "V")
HOME = Path(__file__).parents[2] / "src/cardioflow/analysis/beat_classes"
SHARE_OF_NORMAL = 0.25
"""Of the beats of class N that are trained on; the others say nothing new."""
SHARE_OF_MADE = 0.05
"""The weight of a beat of a made record."""
CLASS_WEIGHTS = {"F": 1.0, "N": 1.0, "S": 2.0, "V": 1.0}
"""Factors of the probabilities: sensitivity to S is bought with precision."""
OPTIONS = {
    "max_iter": 80, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 40, "l2_regularization": 5,
    "max_bins": 64, "max_features": 0.5, "random_state": 0, "early_stopping": False,
}  # fmt: skip
N_FOLDS = 4


class Beats(NamedTuple):
    """Beats of all records, a row each; a made record counts to the patient of its beats."""

    x: Any
    y: Any
    record: Any
    kind: Any
    """``"recorded"``, or how the record was made."""
    fibrillating: Any


def read(data: Path, split: Path, *, first: bool) -> Beats:
    """Return all beats of DS1; the few of class Q are left out."""
    parts = []
    for own in records_of(data, "atr", part_of(split, "DS1")):
        beats = np.isin(own.marks.symbol, list(AAMI))
        at, y = own.marks.sample[beats], np.array([AAMI[symbol] for symbol in own.marks.symbol[beats]])
        made = [] if first else rearranged(own.signal, own.fs, at, y, np.random.default_rng(int(own.id)))
        for kind, signal, places, classes in [("recorded", own.signal, at, y), *made]:
            if first:
                x, af = features(windows(signal, own.fs, places), own.fs, places), np.zeros(len(places), bool)
            else:
                x, around = evidence(signal, own.fs, places)
                af = around.fibrillating
            n, known = len(classes), classes != "Q"
            parts.append([c[known] for c in (x, classes, np.repeat(own.id, n), np.repeat(kind, n), af)])
        print(own.id, flush=True)
    return Beats(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def weights(y: Any, record: Any, kind: Any) -> Any:
    """Return a weight per beat: rare classes, and patients with few beats of a class, count more than by number."""
    found = np.ones(len(y))
    own_record = np.char.add(record, kind)
    for name in CLASSES:
        own = y == name
        for one in set(own_record[own]):
            rows = own & (own_record == one)
            found[rows] = rows.sum() ** -0.5 * (1.0 if one.endswith("recorded") else SHARE_OF_MADE)
        found[own] *= own.sum() ** 0.5 / found[own].sum()
    return found / found.mean()


def fit(beats: Beats, rows: Any) -> HistGradientBoostingClassifier:
    drawn = np.random.default_rng(0).random(len(beats.y)) < SHARE_OF_NORMAL
    kept = rows & ((beats.y != "N") | drawn | (beats.kind == "pauses"))
    model = HistGradientBoostingClassifier(**OPTIONS)
    weight = weights(beats.y[kept], beats.record[kept], beats.kind[kept])
    return model.fit(beats.x[kept], beats.y[kept], sample_weight=weight)


def cross_validated(beats: Beats) -> dict[str, dict[str, tuple[float, float]]]:
    """Return sensitivity and precision of each class in per cent, by kind of record; patients are left out whole.

    Patients rich in S are spread over the folds. The first trees have seen all patients.
    """
    recorded = beats.kind == "recorded"
    n_of = {own: int(((beats.record == own) & (beats.y == "S") & recorded).sum()) for own in sorted(set(beats.record))}
    fold_of = {own: i % N_FOLDS for i, own in enumerate(sorted(n_of, key=lambda own: -n_of[own]))}
    fold = np.array([fold_of[own] for own in beats.record])
    found = np.empty(len(beats.y), "<U1")
    factors = np.array([CLASS_WEIGHTS[name] for name in CLASSES])
    for k in range(N_FOLDS):
        p = fit(beats, fold != k).predict_proba(beats.x[fold == k]) * factors
        af = beats.fibrillating[fold == k]
        p[af, CLASSES.index("N")] += p[af, CLASSES.index("S")]
        p[af, CLASSES.index("S")] = 0
        found[fold == k] = np.array(CLASSES)[p.argmax(axis=1)]
    for own, n in n_of.items():
        rows = recorded & (beats.record == own)
        s, given = beats.y[rows] == "S", found[rows] == "S"
        print(f"{own}: S {n}, missed {(s & ~given).sum()}, false {(given & ~s).sum()}")
    return {
        str(kind): _shares(beats.y[beats.kind == kind], found[beats.kind == kind]) for kind in sorted(set(beats.kind))
    }


def _shares(y: Any, found: Any) -> dict[str, tuple[float, float]]:
    return {
        name: (
            round(100 * float(((found == name) & (y == name)).sum() / max((y == name).sum(), 1)), 1),
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
    parser.add_argument("--first", action="store_true")
    given = parser.parse_args()
    beats = read(given.data, given.split, first=given.first)
    scores = cross_validated(beats) if given.cross_validate else None
    print(scores, flush=True)
    model = fit(beats, np.ones(len(beats.y), bool))
    np.savez_compressed(HOME / ("_first.npz" if given.first else "_second.npz"), **arrays_of(model))
    if given.first:
        return
    recorded = beats.kind == "recorded"
    card = {
        "version": 2,
        "classes": CLASSES,
        "class_weights": CLASS_WEIGHTS,
        "features": FEATURES + CONTEXT,
        "options": OPTIONS,
        "training_data": [f"mitdb/{own}" for own in sorted(set(beats.record))],
        "beats": {name: int((beats.y[recorded] == name).sum()) for name in CLASSES},
        "beats of made records": {name: int((beats.y[~recorded] == name).sum()) for name in CLASSES},
        "cross_validation": {"folds": N_FOLDS, "sensitivity and PPV, %": scores},
        "licence": "MITDB: ODC-BY 1.0",
    }
    (HOME / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
