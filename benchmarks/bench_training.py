"""The overhead of the pipeline, and of the adapter alone, over the training itself.

A network at batch 64 through load → drop_short → random_split → standardize →
train, and the same network trained by ``train_on_batch`` of the adapter on batches in
memory, both compared with a bare loop on arrays in memory, with the same network and
batch shape, alternating in the same process. For Keras it is ``fft_inception``
and ``train_on_batch`` of Keras itself; for PyTorch and native TensorFlow four
convolutions and the loop that their guides show. The target is a ratio of 0.97.

    KERAS_BACKEND=tensorflow python benchmarks/bench_training.py [--folder data/training2017] [--rounds 7]
    python benchmarks/bench_training.py --adapter torch
    python benchmarks/bench_training.py --adapter tensorflow
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import cardioflow as ds
from cardioflow.models.declaration import find

BATCH = 64


def _batches(records: ds.EcgDataset, labels: Path, seed: int, *, train: bool) -> ds.pipeline.run.Run:
    pipeline = (
        ds.Pipeline()
        .load(fmt="wfdb", components=["signal", "meta"])
        .load(src=labels, fmt="csv", components="target", extra_labels="ignore")
        .drop_short_signals(3000)
        .random_split_signals(3000, 1)
        .binarize_labels()
        .standardize()
    )
    if train:
        pipeline = pipeline.import_model("network", MODEL).train_on_batch("network")
    return (records >> pipeline).batches(
        BATCH, shuffle=True, drop_last=True, n_epochs=None, seed=seed, threads=THREADS, progress=False
    )


def _now() -> np.ndarray:
    """Return the time, and the processor time of all threads of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def _seconds(run: ds.pipeline.run.Run, n_batches: int) -> np.ndarray:
    run.next_batch()  # starts the threads
    start = _now()
    for _ in range(n_batches):
        run.next_batch()
    return _now() - start


def _adapter_seconds(batches: list[ds.EcgBatch], n_batches: int) -> np.ndarray:
    start = _now()
    for i in range(n_batches):
        MODEL.train_on_batch(batches[i % len(batches)])
    return _now() - start


def _bare_seconds(arrays: list[tuple[np.ndarray, np.ndarray]], n_batches: int) -> np.ndarray:
    start = _now()
    for i in range(n_batches):
        BARE(*arrays[i % len(arrays)])
    return _now() - start


def _keras(first: ds.EcgBatch) -> tuple[Any, Callable[..., Any]]:
    model = find("fft_inception", ds.EcgBatch).build(first, None, {})
    return model, model.model.train_on_batch


def _torch(first: ds.EcgBatch) -> tuple[Any, Callable[..., Any]]:
    import torch
    from torch import nn

    def network() -> nn.Module:
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((1, 32, 64, 64, 64)):
            layers += [nn.Conv1d(n_in, n_out, 15, 2, 7), nn.BatchNorm1d(n_out), nn.ReLU()]
        end = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, len(first.classes))]
        return nn.Sequential(*layers, *end)

    model, module = ds.models.TorchBaseModel(), network()
    model.model = network()
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)

    def step(x: np.ndarray, y: np.ndarray) -> float:
        module.train()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return model, step


def _tensorflow(first: ds.EcgBatch) -> tuple[Any, Callable[..., Any]]:
    import tensorflow as tf

    from cardioflow.models.tensorflow import Adam, TensorFlowBaseModel

    class Network(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = tuple(pairwise((1, 32, 64, 64, 64)))
            self.filters = [tf.Variable(tf.random.normal((15, a, b)) * (2 / (15 * a)) ** 0.5) for a, b in sizes]
            self.weight = tf.Variable(tf.random.normal((64, len(first.classes))) * 0.1)

        def __call__(self, x: Any, *, training: bool = False) -> Any:
            x = tf.transpose(x, (0, 2, 1))
            for filters in self.filters:
                x = tf.nn.relu(tf.nn.conv1d(x, filters, stride=2, padding="SAME"))
            x = tf.reduce_mean(x, axis=1)
            return tf.nn.softmax((tf.nn.dropout(x, 0.2) if training else x) @ self.weight)

    def loss(y_true: Any, y_pred: Any) -> Any:
        return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), axis=1))

    model, module, optimizer = TensorFlowBaseModel(), Network(), Adam()
    model.model, model.loss = Network(), loss
    optimizer.build({str(i): v for i, v in enumerate(module.trainable_variables)})

    @tf.function
    def compiled(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(y, module(x, training=True))
        variables = module.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    return model, lambda x, y: float(compiled(tf.constant(x), tf.constant(y)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", choices=("keras", "torch", "tensorflow"), default="keras")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("CARDIOFLOW_DATA", ".")) / "cinc2017")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--n-batches", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1, help="that read ahead; 0 reads between the steps")
    given = parser.parse_args()
    THREADS = given.threads

    labels = given.folder / "REFERENCE.csv"
    every = ds.EcgDataset(given.folder / "*.hea")
    long_enough = [
        name for b in (every >> ds.Pipeline().load(fmt="wfdb").drop_short_signals(3000)).batches(256) for name in b.ids
    ]
    records = every.subset(long_enough)

    first = (
        records
        >> ds.Pipeline()
        .load(fmt="wfdb")
        .load(src=labels, components="target", extra_labels="ignore")
        .random_split_signals(3000, 1)
        .binarize_labels()
        .unstack_signals()
    ).next_batch(BATCH)
    MODEL, BARE = {"keras": _keras, "torch": _torch, "tensorflow": _tensorflow}[given.adapter](first)

    kept = [b for b, _ in zip(_batches(records, labels, 0, train=False), range(given.n_batches), strict=False)]
    held = [(np.array(b.unstack_signals().signal.dense()), b.target.copy()) for b in kept]
    # Both ways compile their functions before anything is timed.
    _bare_seconds(held, 3)
    _seconds(_batches(records, labels, 1, train=True), 3)

    print(
        f"{MODEL.backend or given.adapter}, {len(records)} records of {given.folder.name}, "
        f"batch {BATCH}, {given.n_batches} batches per round"
    )
    rounds = []
    for number in range(given.rounds):
        bare = _bare_seconds(held, given.n_batches)
        ours = _seconds(_batches(records, labels, number, train=True), given.n_batches)
        alone = _adapter_seconds(kept, given.n_batches)
        rounds.append((bare, ours, alone))
        print(
            f"round {number + 1}: bare {bare[0] / given.n_batches * 1e3:7.1f} ms/batch, "
            f"pipeline {ours[0] / given.n_batches * 1e3:7.1f} ms/batch, ratio {bare[0] / ours[0]:.3f}, "
            f"adapter {alone[0] / given.n_batches * 1e3:7.1f} ms/batch, ratio {bare[0] / alone[0]:.3f}"
        )
    for what, k in (("pipeline", 1), ("adapter alone", 2)):
        ratios = [own[0][0] / own[k][0] for own in rounds]
        # Other work on the machine only makes a round slower, so that the fastest ones tell most.
        fastest, processor = (min(own[0][i] for own in rounds) / min(own[k][i] for own in rounds) for i in (0, 1))
        print(
            f"{what}: ratio of the rates, fastest rounds: {fastest:.3f}; of processor times, least: {processor:.3f}; "
            f"median of {given.rounds}: {statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f}); "
            "target: 0.97"
        )
