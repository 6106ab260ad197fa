"""Runs that are killed at random moments and go on, against the same run that was never stopped.

For each backend, a training run in its own process gets SIGKILL at a random moment
(after an exponentially distributed time from its first batch on), is started again
by the same call with another number of threads, and so on, until it has been killed
the given number of times or is over; then another one begins. Weights, optimizer, history, variables,
the report and the files that it wrote are compared with those of a run that was
never stopped and that had no checkpoints: any moment after which the run went on
wrongly would show. Keras takes longer to compile than such a life lasts: with ``--batches 3``
a life lasts for one to three batches and a moment instead, with a checkpoint after every
batch, so that the lives begin all over the training. The run has random transforms, dropout, batch normalization, a
rebatch, shuffling and, apart from sklearn, six callbacks.

    python benchmarks/kill_and_resume.py [--backends keras-torch,keras-jax,…] [--kills 20] [--seed 0] [--batches 3]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BACKENDS = ("keras-torch", "keras-jax", "keras-tensorflow", "tensorflow", "torch", "sklearn")
N_RECORDS, N_EPOCHS, BATCH_SIZE, EVERY = 60, 40, 8, 5
MEAN_LIFE_S = 1.0
"""The mean time from the first batch to the kill."""
MEAN_MOMENT_S = 0.02
"""The mean time from the last batch to the kill, with ``--batches``."""


# -- the run, in its own process ---------------------------------------------------------


def records(n: int, seed: int) -> Any:
    from cardioflow import EcgDataset

    rng = np.random.default_rng(seed)
    labels = ["AB"[k] for k in rng.permutation(n) % 2]
    signals = [rng.normal(0.3 * (label == "B"), 1, (1, 64)).astype(np.float32) for label in labels]
    return EcgDataset.from_arrays(signals, fs=100, targets=labels)


def keras_model() -> Any:
    import keras

    from cardioflow.models import KerasBaseModel

    made = KerasBaseModel()
    x = keras.layers.Input((1, 60))
    hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(x))
    hidden = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(hidden))
    made.model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(hidden))
    made.model.compile("adam", loss="categorical_crossentropy")
    return made


def tensorflow_model() -> Any:
    import tensorflow as tf

    from cardioflow.models.tensorflow import TensorFlowBaseModel

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = tf.Variable(tf.random.normal((60, 16)) * 0.1)
            self.out = tf.Variable(tf.random.normal((16, 2)) * 0.1)

        def __call__(self, x: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 -- as TensorFlow calls it
            hidden = tf.nn.relu(tf.reshape(x, (-1, 60)) @ self.hidden)
            return tf.nn.softmax((tf.nn.dropout(hidden, 0.3) if training else hidden) @ self.out)

    made = TensorFlowBaseModel()
    made.model = Module()
    made.loss = lambda y, p: -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(p + 1e-7), axis=1))
    return made


def torch_model() -> Any:
    from torch import nn

    from cardioflow.models.torch import TorchBaseModel

    made = TorchBaseModel()
    layers = (nn.Flatten(), nn.Linear(60, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
    made.model = nn.Sequential(*layers)
    return made


def sklearn_model() -> Any:
    from sklearn.linear_model import SGDClassifier

    from cardioflow.models.sklearn import SklearnBaseModel

    return SklearnBaseModel().build(SGDClassifier(loss="log_loss"), fit_at="batch")


MAKERS = {"tensorflow": tensorflow_model, "torch": torch_model, "sklearn": sklearn_model}


class Training(NamedTuple):
    """What is trained."""

    backend: str
    n_epochs: int
    every: int
    """The number of batches between two checkpoints."""


def child(training: Training, out: Path, checkpoint: str | None, threads: int) -> None:
    """Train, and write what has come of it to ``out``."""
    from cardioflow import Pipeline, callbacks, model

    @model(mode="dynamic")
    def own(batch: Any) -> Any:
        del batch
        return MAKERS.get(training.backend, keras_model)()

    class Ready(callbacks.Callback):
        """Says when a batch is done."""

        def batch_end(self, context: Any, logs: Any) -> None:  # noqa: ARG002
            print("ready", logs.number, flush=True)
            # So that there is something to kill.
            time.sleep(0.01)

    prepared = Pipeline().load().load(components="target").binarize_labels()
    template = prepared.random_gaussian_noise(0.1).random_crop_signals(60).rebatch(7).train_on_batch("own")
    template = template.predict_on_batch("own")
    given: list[Any] = [Ready(), callbacks.CsvLog(out / "log.csv")]
    if training.backend != "sklearn":
        evaluation = records(31, 2) >> prepared.slice_signals(slice(0, 60))
        given = [
            callbacks.LearningRate.one_cycle(0.01),
            callbacks.WeightAverage(0.9),
            callbacks.Evaluate(evaluation, "roc_auc"),
            callbacks.EarlyStopping("eval_loss", patience=50),
            callbacks.BestModel(out / "best", "eval_loss"),
            *given,
        ]
    saving = {} if checkpoint is None else {"checkpoint": checkpoint, "every": training.every}
    run = (records(N_RECORDS, 1) >> template).run(
        BATCH_SIZE,
        n_epochs=training.n_epochs,
        shuffle=True,
        seed=5,
        threads=threads,
        progress=False,
        callbacks=given,
        **saving,
    )
    trained = run.get_model("own")
    trained.save_state(out)
    weights = (
        [trained.model.coef_, trained.model.intercept_] if training.backend == "sklearn" else trained.get_weights()
    )
    variables = {name: run.get_variable(name) for name in run.variables if name != "prediction"}
    predictions = run.get_variable("prediction")
    np.savez(
        out / "result.npz",
        *weights,
        *(np.array(values, float) for values in variables.values()),
        np.stack([p.value for p in predictions]),
        np.array([p.id for p in predictions]),
    )
    report = [[e.epoch, e.n_records, e.n_skipped, dict(e.figures), e.is_complete] for e in run.report().epochs]
    (out / "report.json").write_text(json.dumps([list(variables), report, trained.hist]), encoding="utf-8")


# -- killing ---------------------------------------------------------------------------------


class Ends(NamedTuple):
    """When lives end."""

    until: float
    """No more of them are killed from then on."""
    most_batches: int
    """A life has this many batches at most; 0 for a random time instead."""


class Life(NamedTuple):
    """A process that trains."""

    pid: int
    said: Any
    """What it prints, as a file."""

    def end(self) -> int:
        """Wait until it ends, and return its exit code, or minus the signal that ended it."""
        self.said.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def started(training: Training, out: Path, checkpoint: Path | None, threads: int) -> Life:
    """Start a life: forked from this process, which has imported everything and computed nothing."""
    out.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Life(pid, os.fdopen(reading))
    try:
        os.dup2(writing, 1)
        child(training, out, None if checkpoint is None else str(checkpoint), threads)
        code = 0
    except BaseException:  # noqa: BLE001 -- printed, and shown by the exit code
        traceback.print_exc()
        code = 1
    # Without what the forked interpreter would do at its end.
    os._exit(code)


def finished(life: Life) -> None:
    if life.end():
        sys.exit("A run failed; its error is above.")


def killed_run(training: Training, folder: Path, n_kills: int, rng: random.Random, ends: Ends) -> list[int]:
    """Kill a run up to ``n_kills`` times, let it end, and return the batch with which each killed life began."""
    begins: list[int] = []
    while len(begins) < n_kills and time.monotonic() < ends.until:
        life = started(training, folder / "parts", folder / "checkpoints", rng.choice((0, 1, 2)))
        said = life.said.readline().split()
        for _ in range(rng.randrange(ends.most_batches) if ends.most_batches else 0):
            life.said.readline()
        # Some die in training, some while a checkpoint is written, and some before their second batch.
        mean = MEAN_MOMENT_S if ends.most_batches else MEAN_LIFE_S
        time.sleep(rng.expovariate(1 / mean) if said else 0)
        os.kill(life.pid, signal.SIGKILL)
        if life.end() != -signal.SIGKILL:
            # It was over before.
            break
        begins.append(int(said[1]))
    finished(started(training, folder / "parts", folder / "checkpoints", 1))
    return begins


def difference(whole: Path, parts: Path) -> float:
    """Return the largest difference of any number of two runs; infinite where something else differs."""
    with np.load(whole / "result.npz") as one, np.load(parts / "result.npz") as other:
        if one.files != other.files:
            return float("inf")
        largest = 0.0
        for name in one.files:
            a, b = one[name], other[name]
            if a.shape != b.shape or (a.dtype.kind == "U" and not np.array_equal(a, b)):
                return float("inf")
            if a.dtype.kind != "U" and a.size:
                largest = max(largest, float(np.abs(a - b).max()))
    texts = ["report.json", "log.csv"]
    return largest if all((whole / t).read_bytes() == (parts / t).read_bytes() for t in texts) else float("inf")


def imported(backend: str) -> None:
    """Import all that a life needs, so that a life begins with its run."""
    import grain  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import tqdm  # noqa: F401

    from cardioflow import callbacks, model  # noqa: F401
    from cardioflow.metrics import roc_auc  # noqa: F401
    from cardioflow.pipeline import run  # noqa: F401

    if backend.startswith("keras-"):
        pass
    elif backend in ("tensorflow", "torch"):
        importlib.import_module(f"cardioflow.models.{backend}")


def measured(training: Training, n_kills: int, seed: int, ends: Ends) -> bool:
    """Kill and compare; print a row, and return whether all numbers are equal."""
    imported(training.backend)
    # In memory where that is possible: SIGKILL does not depend on the disk, and syncing to it takes most of the time.
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    folder, rng = Path(tempfile.mkdtemp(prefix="kill-and-resume-", dir=place)), random.Random(seed)
    finished(started(training, folder / "whole", None, 1))
    lives: list[list[int]] = []
    found = 0.0
    while (left := n_kills - sum(map(len, lives))) > 0 and time.monotonic() < ends.until:
        lives.append(killed_run(training, folder / "killed", left, rng, ends))
        found = max(found, difference(folder / "whole", folder / "killed" / "parts"))
        shutil.rmtree(folder / "killed")
    shown = "; ".join(" ".join(map(str, begins)) for begins in lives)
    print(f"| {training.backend} | {sum(map(len, lives))} | {len(lives)} | {shown} | {found:g} |", flush=True)
    shutil.rmtree(folder)
    return found == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no further kills of a backend after that")
    parser.add_argument("--batches", type=int, default=0, help="let a life have 1 to N batches")
    parser.add_argument("--epochs", type=int, default=N_EPOCHS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        ends = Ends(time.monotonic() + 60 * given.minutes, given.batches)
        training = Training(given.only, given.epochs, every=1 if given.batches else EVERY)
        sys.exit(0 if measured(training, given.kills, given.seed, ends) else "Not all runs are equal.")
    n_batches = given.epochs * -(-N_RECORDS // BATCH_SIZE)
    print(f"| backend | killed | runs of {n_batches} batches | first batch of each life | largest difference |")
    print("|---|--:|--:|---|--:|", flush=True)
    codes = []
    for backend in given.backends.split(","):
        keras_backend = backend.removeprefix("keras-") if backend.startswith("keras-") else "torch"
        arguments = ["--only", backend, "--kills", str(given.kills), "--seed", str(given.seed)]
        arguments += ["--minutes", str(given.minutes), "--batches", str(given.batches), "--epochs", str(given.epochs)]
        env = {**os.environ, "KERAS_BACKEND": keras_backend, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
        codes.append(subprocess.run([sys.executable, __file__, *arguments], env=env, check=False).returncode)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
