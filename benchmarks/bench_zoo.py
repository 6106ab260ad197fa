"""The size and the speed of every network of the zoo on every backend.

Each is built as published, or for records like those of its paper, and trained on noise
in batches of ``--batch``. Times are of the processor, all threads together, so that they
depend little on what else the machine does. The first call compiles where the backend
does; the others are the smaller of two. One process per backend goes through the networks
from the cheapest to the dearest, after a small one that is not counted and pays for
starting the backend; a network that takes longer than the limit, or fails, is a row with
the reason. Rows are appended to ``--out`` as they are measured, and pairs that it already
has are left out, so that it can be stopped.

    python benchmarks/bench_zoo.py [--out benchmarks/results/zoo.jsonl] [--batch 4] [--model NAME …]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

BACKENDS = ("torch", "jax", "tensorflow")
LIMIT_S = 600
"""Of the clock, for all calls of one network, the compilation above all."""


class Shape(NamedTuple):
    """What a network is measured on."""

    n_leads: int
    n_samples: int
    n_outputs: int
    fs: float


SHAPES = {
    "fft_inception": Shape(1, 3000, 2, 300),
    "dirichlet": Shape(1, 2048, 2, 300),
    "conv_model": Shape(1, 3000, 2, 300),
    "attention_resnet": Shape(1, 1500, 4, 300),
    "auto_encoder": Shape(1, 2048, 2, 300),
    "variational_auto_encoder": Shape(1, 2048, 2, 300),
    "triplet_learn": Shape(1, 2048, 2, 300),
    "residual_gru": Shape(1, 3000, 4, 100),
}
"""Of networks without a published size: the segments that their papers or recipes cut."""
ON_ONE_BACKEND = {"residual_gru": "torch"}


def shape_of(name: str) -> Shape | None:
    """Return what the network ``name`` is measured on, and ``None`` for a model that is not trained by batches."""
    from cardioflow import registry

    said = getattr(registry.models.get(name), "published", None)
    return SHAPES.get(name) if said is None else Shape(*said.input_shape, said.n_outputs, said.fs)


def batch_of(shape: Shape, n: int) -> Any:
    """Return a batch of noise."""
    import numpy as np

    from cardioflow.batch import EcgBatch, Meta, Ragged

    rng = np.random.default_rng(0)
    signals = rng.normal(size=(n, shape.n_leads, shape.n_samples)).astype(np.float32)
    return EcgBatch(
        ids=tuple(map(str, range(n))),
        signal=Ragged.from_arrays(list(signals)),
        meta=Meta.from_rows([{"fs": shape.fs}] * n),
        target=np.eye(shape.n_outputs, dtype=np.float32)[np.arange(n) % shape.n_outputs],
        classes=tuple(map(str, range(shape.n_outputs))),
    ).with_component("mask", rng.integers(0, shape.n_outputs, (n, shape.n_samples)))


def measure(name: str, n: int) -> dict[str, Any]:
    """Return the figures of one network on the backend of this process."""
    import keras

    from cardioflow.models.declaration import find

    shape = shape_of(name)
    assert shape is not None
    batch = batch_of(shape, n)
    if name == "triplet_learn":
        batch = batch.get_triplets(1, shape.n_samples)
    model = find(name).build(batch, None, {})
    row: dict[str, Any] = {"model": name, "backend": keras.config.backend(), "parameters": parameters(name, model)}
    for verb in ("train", "predict"):
        call = model.train_on_batch if verb == "train" else model.predict_on_batch
        seconds = []
        for _ in range(3):
            start = time.process_time()
            call(batch)
            seconds.append(time.process_time() - start)
        row[f"first_{verb}_s"] = round(seconds[0], 3)
        row[f"{verb}_ms"] = round(1000 * min(seconds[1:]), 1)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "dump")
        row["bytes_with_optimizer"] = (Path(folder) / "dump").stat().st_size
    return {**row, "batch": n, **_where()}


def parameters(name: str, model: Any) -> int:
    """Return the number of trained parameters, or of all where the paper counts all."""
    from cardioflow import registry

    said = getattr(registry.models.get(name), "published", None)
    if not hasattr(model.model, "trainable_weights"):
        return sum(p.numel() for p in model.model.parameters() if p.requires_grad)
    all_of_them = said is not None and said.counted == "all"
    counted = model.model.weights if all_of_them else model.model.trainable_weights
    return sum(_product(w.shape) for w in counted)


def _product(shape: Sequence[int]) -> int:
    found = 1
    for size in shape:
        found *= int(size)
    return found


def _where() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    }


def work(names: Sequence[str], n: int) -> None:
    """Measure each network in this process, and print its row."""
    from cardioflow.errors import CardioFlowError
    from cardioflow.models.declaration import find

    warm = batch_of(Shape(1, 256, 2, 100), n)
    model = find("resnet1d_wang").build(warm, None, {"filters": 8})
    model.train_on_batch(warm)
    model.predict_on_batch(warm)
    for name in names:
        try:
            row = measure(name, n)
        except (CardioFlowError, RuntimeError, ValueError, NotImplementedError, MemoryError) as error:
            text = str(error).strip().partition("\n")[0][:200]
            row = {"error": f"{type(error).__name__}: {text}"}
        print(json.dumps(row), flush=True)


def rows_of(names: Sequence[str], backend: str, n: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each network, measured in a process of this backend."""
    left = list(names)
    while left:
        for line in _lines(left, backend, n):
            name = left.pop(0)
            failed = {"model": name, "backend": backend, "batch": n, **_where()}
            yield {**failed, **(json.loads(line) if line.startswith("{") else {"error": line})}
            if not line.startswith("{"):
                # The process is gone: another one goes on with the rest.
                break


def _lines(names: Sequence[str], backend: str, n: int) -> Iterator[str]:
    """Yield a line of JSON for each network, or the reason for which there is none, which is the last line."""
    env = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--batch", str(n), "--work", *names]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        found: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                found.put(line)
            found.put("")

        threading.Thread(target=read, daemon=True).start()
        for _ in names:
            try:
                line = found.get(timeout=LIMIT_S)
            except queue.Empty:
                process.kill()
                line = f"more than {LIMIT_S} s"
            if not line:
                log.seek(0)
                line = (log.read().strip().splitlines() or [f"ended with {process.wait()}"])[-1][:200]
            yield line
            if not line.startswith("{"):
                break
        process.wait()


def main() -> None:
    from cardioflow import registry

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "zoo.jsonl")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--model", nargs="*")
    parser.add_argument("--work", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.batch)
        return
    os.environ["KERAS_BACKEND"] = "torch"
    lines = given.out.read_text(encoding="utf-8").splitlines() if given.out.exists() else []
    done = {(row["model"], row["backend"]) for row in map(json.loads, lines)}
    names = [name for name in given.model or registry.models.names() if shape_of(name) is not None]
    names.sort(key=_cost)
    for backend in BACKENDS:
        left = [n for n in names if (n, backend) not in done and ON_ONE_BACKEND.get(n, backend) == backend]
        for row in rows_of(left, backend, given.batch):
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(row, flush=True)


def _cost(name: str) -> float:
    """Return about how much work the network is: parameters that are used at each sample."""
    from cardioflow import registry

    said, shape = getattr(registry.models.get(name), "published", None), shape_of(name)
    assert shape is not None
    return (20_000 if said is None else said.parameters) * shape.n_samples


if __name__ == "__main__":
    main()
