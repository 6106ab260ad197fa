"""A complete example: train, test, save, load in a new process, predict single files, plot."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import typer
from numpy.typing import NDArray

from cardioflow.errors import InputError
from cardioflow.metrics import bootstrap_interval
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.expressions import V
from cardioflow.pipeline.pipeline import Pipeline
from cardioflow.pipeline.run import Run

__all__ = ["Demo"]

FS = 300
LENGTH = 10 * FS
AF, OTHER = "AF", "other"
TEST_FOLD = 3
NEVER_USED_FOLD = 4  # kept for the final comparison of models


@dataclass(frozen=True)
class Material:
    """Records for training and testing, and their labels."""

    name: str
    train: EcgDataset
    test: EcgDataset
    labels: Mapping[str, str]
    """``AF`` or ``other`` by record id."""
    fmt: str
    epochs: int
    """The default number of epochs."""


@final
@dataclass(frozen=True)
class Demo:
    """Trains a model that distinguishes atrial fibrillation from other rhythms, and shows each step."""

    out: Path
    epochs: int | None = None
    """The number of epochs; ``None`` uses the default for the records."""
    seed: int = 0
    n_simulated: int = 180
    """The number of ECGs to simulate if there are no real ones."""

    def run(self, data: Path | None) -> dict[str, Any]:
        """Run the demo, print the results and return them.

        Raises:
            InputError: if ``data`` is not a folder with CinC 2017 records in it.
        """
        began = time.perf_counter()
        material = _simulated(self.n_simulated, self.seed) if data is None else _cinc2017(data)
        self.out.mkdir(parents=True, exist_ok=True)
        _say(f"{material.name}: {_count(material, material.train)} to train, {_count(material, material.test)} to test")
        model, losses = self._train(material)
        figures = {"data": material.name, "train_loss": losses[-1], **self._test(material, model)}
        picked = _three(material, figures.pop("probabilities"))
        answers = self._ask_in_a_new_process(model, material, picked)
        picture = self._draw(material, answers)
        figures["seconds"] = round(time.perf_counter() - began, 1)
        figures |= {"model": str(model), "picture": str(picture)}
        (self.out / "result.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        _say(f"Picture: {picture}\nFigures: {self.out / 'result.json'}\nAll in {figures['seconds']} s")
        return figures

    def _train(self, material: Material) -> tuple[Path, list[float]]:
        """Train and save; return the dump's path and the mean loss of every epoch."""
        template = (
            Pipeline(config={"fft_inception": {"learning_rate": 2e-3}})
            .load(fmt=material.fmt, components=["signal", "meta"])
            .load(src=dict(material.labels), components="target", extra_labels="ignore")
            .drop_short_signals(LENGTH)
            # Three times as many segments for AF, which is rarer.
            .random_split_signals(LENGTH, {AF: 6, OTHER: 2})
            .standardize()
            .binarize_labels()
            .unstack_signals()
            .rebatch(64)
            .train_on_batch("fft_inception")
        )
        epochs = self.epochs or material.epochs
        run = (material.train >> template).batches(32, shuffle=True, n_epochs=epochs, seed=self.seed, prefetch=4)
        losses: list[list[float]] = []
        quiet = not sys.stderr.isatty()
        _say(f"Training fft_inception for {epochs} epochs …")
        for batch in run:
            while len(losses) <= batch.epoch:
                if quiet and losses and len(losses) % 4 == 0:
                    _say(f"  epoch {len(losses):3d}   loss {np.mean(losses[-1]):.3f}")
                losses.append([])
            losses[batch.epoch].append(_losses(run)[-1])
        means = [float(np.mean(own)) for own in losses if own]
        path = self.out / "af.cardioflow"
        # The saved preprocessing reads files of any format, each recognised by its content.
        taken = None if material.fmt == "wfdb" else material.fmt
        run.save_model("fft_inception", path, preprocessing=_preparation(taken))
        _say(f"Loss {means[0]:.3f} → {means[-1]:.3f}; saved as {path}")
        return path, means

    def _test(self, material: Material, model: Path) -> dict[str, Any]:
        """Predict the test records; return loss, F1, AUC and the probability of each record."""
        from sklearn.metrics import f1_score, log_loss, roc_auc_score

        known = self._shares(material, material.train, model)
        threshold = _threshold(*_arrays(material, known))
        found = self._shares(material, material.test, model)
        y_true, y_pred = _arrays(material, found)

        def f1(truth: Any, share: Any) -> float:
            return float(f1_score(truth, share >= threshold, zero_division=0.0))

        loss = float(log_loss(y_true, y_pred, labels=[0, 1]))
        _say(f"{len(found)} test records:   loss {loss:.3f}")
        figures: dict[str, Any] = {"test_loss": loss, "threshold": threshold, "probabilities": found}
        notes = {"F1": f"   (threshold {threshold:.2f}, the best on the training records)", "AUC": ""}
        for name, score in (("F1", f1), ("AUC", roc_auc_score)):
            value = float(score(y_true, y_pred))
            low, high = bootstrap_interval(score, y_true, y_pred, seed=self.seed)
            figures[name] = {"value": value, "low": low, "high": high}
            _say(f"  {name:<4}{value:.2f}   95 % interval {low:.2f} to {high:.2f}{notes[name]}")
        return figures

    def _shares(self, material: Material, part: EcgDataset, model: Path) -> dict[str, float]:
        """Return the saved model's probability of AF for each record of ``part``."""
        template = (
            Pipeline(config={"fft_inception": {"path": str(model)}})
            + _preparation(material.fmt)
            + Pipeline().predict_on_batch("fft_inception", save_to=V("prediction"))
        )
        run = (part >> template).run(batch_size=32, progress=False)
        column = run.get_model("fft_inception").classes.index(AF)  # type: ignore[attr-defined]
        return {p.id: float(p.value[column]) for p in run.get_variable("prediction")}

    def _ask_in_a_new_process(
        self, model: Path, material: Material, picked: Mapping[str, float]
    ) -> dict[str, dict[str, float]]:
        """Return what the saved model predicts for three files in another process, by record id."""
        path_of = dict(zip(material.test.ids, material.test.paths, strict=True))
        files = [str(path_of[i]) for i in picked]
        command = [sys.executable, "-m", "cardioflow.cli", "predict", str(model), *files, "--json"]
        _say(f"In a new process: cardioflow {shlex.join(command[3:])}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- this very Python
        if done.returncode:
            raise InputError(f"The new process could not predict: {done.stderr.strip()}")
        answers = [a["probabilities"] for a in json.loads(done.stdout)["predictions"]]
        for (record, here), there in zip(picked.items(), answers, strict=True):
            _say(f"  {record}   labelled {material.labels[record]:<6} AF {there[AF]:.3f}")
            if abs(here - there[AF]) > 1e-6:
                raise InputError(f"Record {record!r}: {here} in this process, but {there[AF]} in the new one.")
        _say("  equal to the probabilities in this process, to 1e-6")
        return dict(zip(picked, answers, strict=True))

    def _draw(self, material: Material, answers: Mapping[str, Mapping[str, float]]) -> Path:
        from cardioflow.report.ecg_paper import Strip, record_panel, save_figure

        chosen = material.test.subset(answers)
        batch = chosen.next_batch(len(chosen)).load(fmt=material.fmt, components=["signal", "meta"])
        signal, meta = batch.signal_and_meta
        strips = [
            Strip(signal[i], float(meta[i]["fs"]), meta[i]["leads"], name, material.labels[name], p)
            for i, (name, p) in enumerate(answers.items())
        ]
        title = f"Atrial fibrillation? Three unseen records · {material.name}"
        return save_figure(record_panel(strips, title=title), self.out / "three-records.png")


def _preparation(fmt: str | None) -> Pipeline:
    """Return the steps from a file to the model's input; they are saved with the model."""
    return (
        Pipeline()
        .load(fmt=fmt, components=["signal", "meta"])
        .resample_signals(FS)
        .split_signals(LENGTH, LENGTH // 2)
        .standardize()
    )


def _cinc2017(data: Path) -> Material:
    """Return the records of CinC 2017 in ``data``, split by the folds file beside it, if there is one."""
    folder = data / "cinc2017"
    if not folder.is_dir():
        raise InputError(f"{str(data)!r} has no folder cinc2017. Set CARDIOFLOW_DATA, or pass --simulated.")
    whole = EcgDataset(str(folder / "*.hea"))
    folds = data.resolve().parent / "splits" / "cinc2017.csv"
    rows = _rows(folds, 3) if folds.is_file() else [(*r, "") for r in _rows(folder / "REFERENCE.csv", 2)]
    # Noisy records (~) have no rhythm label.
    kept = [(i, AF if label == "A" else OTHER, fold) for i, label, fold in rows if label != "~" and i in whole.all_ids]
    labels = {i: label for i, label, _ in kept}
    if folds.is_file():
        train = [i for i, _, fold in kept if int(fold) not in (TEST_FOLD, NEVER_USED_FOLD)]
        test = [i for i, _, fold in kept if int(fold) == TEST_FOLD]
        parts = whole.subset(train), whole.subset(test)
        held_out = f"hold-out by {folds.name}, fold {TEST_FOLD}"
    else:
        train_part, test_part = whole.subset(labels).split(0.7, stratify=labels)
        parts = train_part, test_part
        held_out = "hold-out of 30 % of the records"
    return Material(f"CinC 2017, {held_out}", *parts, labels, "wfdb", epochs=32)


def _rows(path: Path, n_columns: int) -> list[tuple[str, ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [tuple(cell.strip() for cell in row[:n_columns]) for row in csv.reader(file)]
    return [row for row in rows if len(row) == n_columns and row[0] != "record"]


def _simulated(n_records: int, seed: int) -> Material:
    whole = EcgDataset.simulated(n_records, seed=seed, duration_s=20.0)
    labels = {i: AF if label == "AF" else OTHER for i, label in (whole.labels or {}).items()}
    train, test = whole.split(2 / 3, stratify=labels, seed=seed)
    return Material("SIMULATED ECGs, no real data (McSharry's dynamical model)", train, test, labels, "simulated", 8)


def _three(material: Material, found: Mapping[str, float]) -> dict[str, float]:
    """Return a typical record with AF, a typical one without, and the one the model is least certain about."""
    picked: dict[str, float] = {}
    for label in (AF, OTHER):
        own = sorted((p, i) for i, p in found.items() if material.labels[i] == label)
        p, record = own[len(own) // 2]
        picked[record] = p
    rest = ((abs(p - 0.5), i) for i, p in found.items() if i not in picked)
    _, record = min(rest)
    return {**picked, record: found[record]}


def _arrays(material: Material, found: Mapping[str, float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.array([int(material.labels[i] == AF) for i in found]), np.array(list(found.values()))


def _threshold(y_true: NDArray[np.int64], y_pred: NDArray[np.float64]) -> float:
    """Return the threshold on the probability of AF that maximises F1, halfway between two records."""
    order = np.argsort(-y_pred)
    share, hits = y_pred[order], np.cumsum(y_true[order])
    f1 = 2 * hits / (np.arange(1, len(share) + 1) + y_true.sum())
    best = int(np.argmax(f1))
    return float(share[best : best + 2].mean())


def _losses(run: Run) -> Sequence[float]:
    found: Sequence[float] = run.get_variable("fft_inception.train_loss")
    return found


def _count(material: Material, part: EcgDataset) -> str:
    return f"{len(part)} records ({sum(material.labels[i] == AF for i in part.ids)} with AF)"


def _say(text: str) -> None:
    typer.echo(text)
