"""Train a network of the zoo on the superclasses of PTB-XL, and score it on the published test fold.

    python -m recipes.ptbxl.train --data DIR --out DIR [--model resnet1d_wang]

The same arguments give the same network. Stopped, it goes on from the last whole epoch. The protocol is in README.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cardioflow import EcgDataset, Pipeline, datasets
from cardioflow.callbacks import CsvLog, LearningRate
from cardioflow.metrics import bootstrap_interval
from cardioflow.pipeline.run import Run

__all__ = ["Recipe", "score", "table", "train"]

_CROP = 250
"""2.5 s at 100 Hz."""


@dataclass(frozen=True)
class Recipe:
    """What is trained, on which of the published folds."""

    model: str = "resnet1d_wang"
    config: Mapping[str, Any] = field(default_factory=lambda: {"weight_decay": 0.01})
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    test_folds: tuple[int, ...] = (10,)
    epochs: int = 50
    batch_size: int = 128
    rate: float = 0.01


def _prepared(pipeline: Pipeline) -> Pipeline:
    return (
        pipeline.load(components=["signal", "meta"])
        .load(components="target")
        .binarize_labels()
        .standardize(axis=(-2, -1))
    )


def records(data: Path, folds: Sequence[int]) -> EcgDataset:
    """Return the records of the published ``folds`` that are in the folder ``data``."""
    return datasets.ptbxl(data, task="superdiagnostic", rate=100).filter(fold=set(folds))


def train(recipe: Recipe, data: Path, out: Path, callbacks: Sequence[Any] = ()) -> Run:
    """Train from the last checkpoint in ``out``, save ``model.model`` there, and return the run."""
    out.mkdir(parents=True, exist_ok=True)
    config = {recipe.model: {"multilabel": True, **recipe.config}}
    training = (
        _prepared(Pipeline(config=config)).random_split_signals(_CROP, 1).unstack_signals().train_on_batch(recipe.model)
    )
    run = (records(data, recipe.train_folds) >> training).run(
        batch_size=recipe.batch_size,
        n_epochs=recipe.epochs,
        shuffle=True,
        seed=1,
        checkpoint=out / "checkpoint",
        callbacks=[LearningRate.one_cycle(recipe.rate), CsvLog(out / "figures.csv"), *callbacks],
        progress=False,
    )
    run.save_model(recipe.model, out / "model.model")
    return run


def score(recipe: Recipe, data: Path, run: Run) -> list[dict[str, Any]]:
    """Return the area under the ROC curve of each class on the test folds, and the mean, with 95 % intervals.

    The probability of a record is the largest of its crops every 1.25 s. Patients
    are drawn with all their records.
    """
    test = records(data, recipe.test_folds)
    asking = (
        _prepared(Pipeline().import_model(recipe.model, run))
        .split_signals(_CROP, _CROP // 2)
        .predict_on_batch(recipe.model, aggregate="max")
    )
    found = (test >> asking).run(batch_size=recipe.batch_size, n_epochs=1, progress=False).get_variable("prediction")
    ids = [prediction.id for prediction in found]
    answer = np.stack([prediction.value for prediction in found])
    classes = run.get_model(recipe.model).classes or ()
    truth = np.array([[name in test.labels[i] for name in classes] for i in ids], np.int64)
    groups = test.table.column("patient", ids)
    rows = [
        {"class": name, "records": int(truth[:, k].sum()), **_area(truth[:, [k]], answer[:, [k]], groups)}
        for k, name in enumerate(classes)
    ]
    return [*rows, {"class": "macro", "records": len(ids), **_area(truth, answer, groups)}]


def _area(truth: NDArray[Any], answer: NDArray[Any], groups: list[Any]) -> dict[str, Any]:
    # A class without a record, or without any other, has no curve.
    if len(truth) == 0 or (np.ptp(truth, axis=0) == 0).any():
        return {"auroc": None, "low": None, "high": None}
    low, high = bootstrap_interval(_mean_area, truth, answer, records=groups)
    return {"auroc": _mean_area(truth, answer), "low": low, "high": high}


def _mean_area(truth: NDArray[Any], answer: NDArray[Any]) -> float:
    """Return the mean area under the ROC curves of the classes that are in ``truth`` and not in all its rows."""
    has_curve = np.flatnonzero(np.ptp(truth, axis=0))
    if not has_curve.size:
        return float("nan")
    return float(np.mean([_one_area(truth[:, k] > 0, answer[:, k]) for k in has_curve]))


def _one_area(truth: NDArray[np.bool_], answer: NDArray[Any]) -> float:
    """Return the share of pairs of a record with the class and one without it that are in order, ties half."""
    # By ranks (Mann and Whitney 1947): a tenth of the time of scikit-learn's curve, a few thousand times.
    n_with = int(truth.sum())
    ranks = rankdata(answer)[truth].sum() - n_with * (n_with + 1) / 2
    return float(ranks / (n_with * (len(truth) - n_with)))


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of ``score`` as Markdown."""
    lines = ["| class | records | AUROC | 95 % |", "|---|---:|---:|---|"]
    for row in rows:
        area = "–" if row["auroc"] is None else f"{row['auroc']:.3f}"
        interval = "–" if row["auroc"] is None else f"{row['low']:.3f}–{row['high']:.3f}"
        lines.append(f"| {row['class']} | {row['records']} | {area} | {interval} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default=Recipe.model)
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    options = parser.parse_args()
    recipe = Recipe(model=options.model, epochs=options.epochs)
    run = train(recipe, options.data, options.out)
    rows = score(recipe, options.data, run)
    (options.out / "scores.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
