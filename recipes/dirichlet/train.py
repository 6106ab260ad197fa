"""Train CardIO's network for atrial fibrillation, on two classes of CinC 2017.

    python -m recipes.dirichlet.train --data DIR --split CSV --out DIR

The same arguments give the same network. Stopped, it goes on from the last whole epoch.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Collection
from pathlib import Path

from cardioflow import EcgDataset, Pipeline
from cardioflow.callbacks import CsvLog, Evaluate, LearningRate
from cardioflow.ready_pipelines import dirichlet_train_pipeline

__all__ = ["labels_of", "records_of"]


def labels_of(split: Path, folds: Collection[int]) -> dict[str, str]:
    """Return the label of each record in ``folds``: A, N, O or ~."""
    with split.open(newline="", encoding="utf-8") as file:
        return {row["record"]: row["label"] for row in csv.DictReader(file) if int(row["fold"]) in folds}


def records_of(data: Path, labels: dict[str, str]) -> EcgDataset:
    return EcgDataset([data / f"{name}.hea" for name in labels])


def checking(labels: dict[str, str]) -> Pipeline:
    """Return the preparation of records that are predicted, with their labels."""
    return (
        Pipeline()
        .load(src=labels, components="target")
        .drop_labels(["~"])
        .rename_labels({"N": "NO", "O": "NO"})
        .load(components=["signal", "meta"])
        .flip_signals()
        .resample_signals(300.0)
        .split_signals(2048, 2048)
        .binarize_labels()
        .run(batch_size=100)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--check", type=int, help="a fold to watch; nothing is chosen by it")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--batch", type=int, default=256, help="records per batch")
    parser.add_argument("--start", type=Path, help="a saved model to go on from")
    parser.add_argument("--rate", type=float, default=1e-3, help="the highest learning rate; it falls along a cosine")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    labels = labels_of(options.split, options.folds)
    callbacks = [LearningRate.cosine(options.rate), CsvLog(options.out / "figures.csv")]
    if options.check is not None:
        held = labels_of(options.split, [options.check])
        source = records_of(options.data, held) >> checking(held)
        callbacks.insert(1, Evaluate(source, "f1", name="held", average="macro", every=800))
    run = (records_of(options.data, labels) >> dirichlet_train_pipeline(labels, model_path=options.start)).run(
        batch_size=options.batch,
        n_epochs=options.epochs,
        checkpoint=options.out / "checkpoint",
        callbacks=callbacks,
        progress=False,
    )
    run.save_model("dirichlet", options.out / "dirichlet.model")


if __name__ == "__main__":
    main()
