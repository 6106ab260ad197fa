"""The size and the speed of every network of the zoo that has a published size, on every backend of Keras.

Each is built as published and trained on noise in batches of ``--batch``, in a
process of its own. Times are of the processor, all threads together, so that they
do not depend on what else the machine does. The first call compiles where the
backend does; the others are the smaller of two. Rows are appended to ``--out`` as they are
measured, and pairs that it has already are left out, so that it can be stopped.

    python benchmarks/bench_zoo.py [--out benchmarks/results/zoo.jsonl] [--batch 8] [--model NAME …]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BACKENDS = ("torch", "jax", "tensorflow")
LIMIT_S = 900


def measure(name: str, n: int) -> dict[str, Any]:
    """Return the figures of one network on the backend of this process."""
    import keras
    import numpy as np

    from cardioflow import registry
    from cardioflow.batch import EcgBatch, Meta, Ragged

    member = registry.models.get(name)
    said = member.published
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(n, *said.input_shape)).astype(np.float32)
    batch = EcgBatch(
        ids=tuple(map(str, range(n))),
        signal=Ragged.from_arrays(list(signals)),
        meta=Meta.from_rows([{"fs": said.fs}] * n),
        target=np.eye(said.n_outputs, dtype=np.float32)[rng.integers(0, said.n_outputs, n)],
        classes=tuple(map(str, range(said.n_outputs))),
    ).with_component("mask", rng.integers(0, said.n_outputs, (n, said.input_shape[1])))
    model = member.build_from(batch, {})
    counted = model.model.trainable_weights if said.counted == "trainable" else model.model.weights
    row = {
        "model": name,
        "backend": keras.config.backend(),
        "parameters": sum(int(np.prod(w.shape)) for w in counted),
    }
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


def _where() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    }


def main() -> None:
    from cardioflow import registry

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "zoo.jsonl")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--model", nargs="*")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.batch)))
        return
    lines = given.out.read_text(encoding="utf-8").splitlines() if given.out.exists() else []
    done = {(row["model"], row["backend"]) for row in map(json.loads, lines)}
    os.environ["KERAS_BACKEND"] = "torch"
    names = given.model or [n for n in registry.models.names() if getattr(registry.models.get(n), "published", None)]
    for backend in BACKENDS:
        for name in names:
            if (name, backend) in done:
                continue
            row = _in_process(name, backend, given.batch)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(row, flush=True)


def _in_process(name: str, backend: str, n: int) -> dict[str, Any]:
    env = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--one", name, "--batch", str(n)]
    failed = {"model": name, "backend": backend, "batch": n, **_where()}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return {**failed, "error": f"not done in {LIMIT_S} s"}
    if done.returncode:
        return {**failed, "error": done.stderr.strip().splitlines()[-1][:200]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    main()
