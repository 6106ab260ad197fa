"""The contract of every network of the zoo on every backend of Keras, beyond what the tests run on torch.

In a process for each backend, every model is exported to ONNX; in another, each
learns one batch by heart, is built twice from one seed, and gets batches of three
other sizes and batches that do not fit. A process for each pair of backends loads what one saved
and predicts with the other. With ``--memory``, a process for each model: by how
much it grows over 200 batches and over 50 loads. Rows are appended to ``--out`` as
they come, and those that it has are left out, so that it can be stopped.

    python benchmarks/check_models.py [--memory] [--model NAME …] [--backend NAME …]
    python benchmarks/check_models.py --table > benchmarks/results/models.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

BACKENDS: Final = ("torch", "jax", "tensorflow")
ON_TORCH: Final = ("residual_gru",)
"""Written in PyTorch itself."""
_DUMPS: Final = Path(os.environ.get("TMPDIR", "/tmp")) / "cardioflow-check-models"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "models.jsonl")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--model", nargs="*")
    parser.add_argument("--backend", nargs="*", default=BACKENDS)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--rows", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.table:
        print("\n".join(_table(_saved(given.out))))
        return
    if given.rows:
        what, backend, *names = given.rows
        for name in names:
            row = _row(what, name, backend)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
        return
    names = given.model or _names()
    for what in ("memory",) if given.memory else ("export", "check"):
        for backend in given.backend:
            own = [n for n in names if backend == "torch" or n not in ON_TORCH]
            # What is measured of memory needs a process of its own.
            for some in [[n] for n in own] if given.memory else [own]:
                _in_process(given.out, what, backend, some)
    if not given.memory:
        for backend in given.backend:
            _in_process(given.out, "reload", backend, list(BACKENDS))


def _saved(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _names() -> list[str]:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from _model_checks import NO_NETWORK

    from cardioflow import registry

    return [name for name in registry.models.names() if name not in (*NO_NETWORK, "triplet_embedding")]


def _in_process(out: Path, what: str, backend: str, names: list[str]) -> None:
    done = {(row["what"], row["model"], row["backend"]) for row in _saved(out)}
    left = [name for name in names if (what, name, backend) not in done]
    if left:
        env = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(
            [sys.executable, __file__, "--out", str(out), "--rows", what, backend, *left], env=env, check=False
        )


def _row(what: str, name: str, backend: str) -> dict[str, Any]:
    import _model_checks

    folder = _DUMPS / (name if what == "reload" else f"memory-{backend}" if what == "memory" else backend)
    folder.mkdir(parents=True, exist_ok=True)
    row = {"what": what, "model": name, "backend": backend, **_where()}
    start = time.process_time()
    try:
        kinds = {"check": _model_checks.check, "export": _model_checks.export, "memory": _model_checks.memory}
        row["found"] = _model_checks.reload(folder) if what == "reload" else kinds[what](name, folder)
    except Exception as error:  # noqa: BLE001 -- the others are tried nevertheless
        row["failed"] = f"{type(error).__name__}: {str(error)[:400]}"
    return {**row, "processor_s": round(time.process_time() - start, 1)}


def _where() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    found = {(row["what"], row["model"], row["backend"]): row for row in rows}
    names = dict.fromkeys(name for what, name, _ in found if what in ("check", "export"))
    yield from (f"| model, as ONNX | {' | '.join(BACKENDS)} |", "|---" * 4 + "|")
    for name in names:
        cells = [_of(found.get(("export", name, own)), "export") for own in BACKENDS]
        yield f"| {name} | {' | '.join(cells)} |"
    yield from ("", "| model | backend | learns by heart | same seed | compiled for three sizes |", "|---" * 5 + "|")
    for (what, name, backend), row in found.items():
        if what == "check":
            yield f"| {name} | {backend} | {' | '.join(_of(row, own) for own in ('heart', 'seed', 'compiled'))} |"
    yield from (
        "",
        "| model | saved on | difference and first prediction on torch | on jax | on tensorflow |",
        "|---" * 5 + "|",
    )
    saved = [row for row in rows if row["what"] == "reload"]
    for name in dict.fromkeys(name for row in saved for name in row.get("found", {})):
        for backend in BACKENDS:
            cells = [found.get(("reload", backend, own), {}).get("found", {}).get(name, "") for own in BACKENDS]
            yield f"| {name} | {backend} | {' | '.join(map(_cell, cells))} |"
    yield from ("", "| model | backend | growth over 2 × 100 batches, MiB | over 2 × 25 loads, MiB |", "|---" * 4 + "|")
    for (what, name, backend), row in found.items():
        if what == "memory":
            own = row.get("found") or {"batches": row.get("failed", ""), "loads": ""}
            yield f"| {name} | {backend} | {_cell(own['batches'])} | {own['loads']} |"
    yield from ("", "| what came | the error, of the first model |", "|---|---|")
    messages: dict[str, str] = {}
    for (what, *_), row in found.items():
        if what == "check":
            for case, message in row.get("found", {}).get("errors", {}).items():
                messages.setdefault(case, message)
    for case, message in messages.items():
        yield f"| {case} | {_cell(message)} |"


def _of(row: dict[str, Any] | None, figure: str) -> str:
    """Return a figure of a row as a cell, or why there is none."""
    if row is None:
        return "not measured"
    return _cell(row["found"].get(figure, "") if "found" in row else f"failed: {row['failed']}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
