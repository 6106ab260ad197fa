"""Score a saved ``dirichlet`` on a fold of CinC 2017, with intervals over records.

python -m recipes.dirichlet.score --data DIR --split CSV --fold 3 --model PATH [--out scores.json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from cardioflow.metrics import bootstrap_interval
from cardioflow.ready_pipelines import dirichlet_predict_pipeline
from recipes.dirichlet.train import labels_of, records_of

Metric = Callable[[NDArray[Any], NDArray[Any]], Any]


def figure(name: str, metric: Metric, truth: NDArray[Any], answer: NDArray[Any]) -> dict[str, Any]:
    """Return a score as a bundle's card has it."""
    low, high = bootstrap_interval(metric, truth, answer, 2000)
    return {"metric": name, "value": float(metric(truth, answer)), "low": low, "high": high, "n": len(truth)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="a JSON file for the scores")
    options = parser.parse_args()
    labels = {name: label for name, label in labels_of(options.split, [options.fold]).items() if label != "~"}
    run = (records_of(options.data, labels) >> dirichlet_predict_pipeline(options.model)).run(progress=False)
    predicted, unsure = (dict(run.get_variable(name)) for name in ("predictions_list", "uncertainty"))
    column = run.get_model("dirichlet").classes.index("A")
    truth = np.array([label == "A" for label in labels.values()]).astype(int)
    share = np.array([predicted[name][column] for name in labels])
    doubt = np.array([float(unsure[name]) for name in labels])
    answer = (share >= 0.5).astype(int)
    sure = doubt <= np.quantile(doubt, 0.9)
    print(f"{len(labels)} records of fold {options.fold}, {truth.sum()} with AF\n")
    figures = [
        figure("F1 of AF", f1_score, truth, answer),
        figure("sensitivity", recall_score, truth, answer),
        figure("positive predictive value", precision_score, truth, answer),
        figure("macro F1", lambda a, b: f1_score(a, b, average="macro"), truth, answer),
        figure("AUROC", roc_auc_score, truth, share),
        figure("F1 of AF, the 90 % least uncertain", f1_score, truth[sure], answer[sure]),
    ]
    print("| | value | 95 % interval |\n|---|---|---|")
    for own in figures:
        print(f"| {own['metric']} | {own['value']:.3f} | {own['low']:.3f}–{own['high']:.3f} |")
    if options.out is not None:
        on = f"fold {options.fold} without noise"
        options.out.write_text(json.dumps([{**own, "on": on} for own in figures]))
    print(f"\nOf {truth.sum()} records with AF, {truth[sure].sum()} are among the 90 % least uncertain.")


if __name__ == "__main__":
    main()
