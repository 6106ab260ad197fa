"""Write ``docs/zoo.md``: every model of the zoo, its size and the published one, and what ``bench_zoo.py`` measured.

``python tools/write_zoo.py`` writes it; ``--check`` only checks whether it is current.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cardioflow import registry

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "zoo.md"
FIGURES = ROOT / "benchmarks" / "results" / "zoo.jsonl"
BACKENDS = ("torch", "jax", "tensorflow")
ON_TORCH_ALONE = ("residual_gru",)

HEAD = """\
# The zoo

Every model that `train_on_batch` takes by name. A test builds each network as it is published and counts its
parameters; where ours has another number, the docstring says why. This page is written by `python tools/write_zoo.py`.

A setting goes into the model's config: `config={"resnet1d_wang": {"multilabel": True, "weight_decay": 0.01}}`. All
networks with a published size take `learning_rate`, `weight_decay`, `multilabel`, `leads` and `units`; `any_length` for
batches of different lengths, where the network can; and for fine-tuning `pretrained` (the dump of the same network, of
which all but the answer is taken), `freeze` (`"encoder"` makes a linear probe) and `layer_decay` (the factor of the
learning rate from one block to the block before it). PyTorch models and your own Keras models take `freeze` and
`layer_decay` in `TrainingOptions`.

## Published weights

Download the weights yourself, and read their licence. A loader takes safetensors or a PyTorch checkpoint, runs no code
in it, refuses a file with other tensors than its network has, and gives the model the preprocessing of the authors.
What was checked is the code's names and shapes of tensors, on random weights, against a second implementation from the
paper's description; the published weights themselves were not at hand.

| loader, of `cardioflow.models.pretrained` | input | output | parameters, as published |
|---|---|---|---:|
| `ecg_founder.load_ecg_founder` | 12 leads or 1, 10 s at 500 Hz | 150 labels | 30 819 014, 66 368 of them unused |
| `ecg_jepa.load_ecg_jepa` | 8 leads, 10 s at 250 Hz | 768 features | 85 374 720, 307 200 of them fixed |
| `ecg_fm.load_ecg_fm` | 12 leads, 5 s at 500 Hz | 768 features or labels | 90 883 072, 509 824 only pre-trained with |
| `hubert_ecg.load_hubert_ecg` | 12 leads, 5 s at 100 Hz | 768 features | 93 123 712, 325 632 only pre-trained with |
| `st_mem.load_st_mem` | 12 leads, 9 s at 250 Hz | 768 features | 85 150 614 |

Licences, as their owners state them: ECGFounder and ECG-FM MIT; HuBERT-ECG CC BY-NC 4.0, not for commercial use; ST-MEM
a licence of its own; ECG-JEPA names none. To train with labels, save the loaded model, and pass its dump as
`pretrained` to `net1d`, `ecg_jepa`, `ecg_fm`, `hubert_ecg` or `st_mem`.
"""


def page(rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """Return the text of the page for the measured ``rows``, by model and backend."""
    return "\n".join([HEAD, *_sizes(), *_speeds(rows)]) + "\n"


def _sizes() -> Iterator[str]:
    yield "## Models and their sizes\n"
    yield "| model | what it is | published for | parameters | published | paper |"
    yield "|---|---|---|---:|---:|---|"
    for name in registry.models.names():
        member = registry.models.get(name)
        what = (inspect.getdoc(member) or "").partition("\n")[0]
        said = getattr(member, "published", None)
        if said is None:
            yield f"| `{name}` | {what} | | | | |"
            continue
        n_leads, n_samples = said.input_shape
        given = f"{n_leads} × {n_samples} at {said.fs:g} Hz, {said.n_outputs} outputs"
        ours = said.parameters + said.ours_has
        counts = " | ".join(f"{count:,}".replace(",", " ") for count in (ours, said.parameters))
        yield f"| `{name}` | {what} | {given} | {counts} | {said.source} |"
    counted = ", ".join(_all_counted())
    yield f"\nParameters are those that are trained, and for {counted} all, as their papers count.\n"


def _all_counted() -> Iterator[str]:
    for name in registry.models.names():
        said = getattr(registry.models.get(name), "published", None)
        if said is not None and said.counted == "all":
            yield f"`{name}`"


def _speeds(rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> Iterator[str]:
    yield "## Speed and size on each backend\n"
    measured = [row for row in rows.values() if "error" not in row]
    if not measured:
        yield "Not measured yet: run `python benchmarks/bench_zoo.py`."
        return
    one = measured[0]
    machines = sorted({row["machine"].partition(", load")[0] for row in measured})
    yield (
        f"Processor time of all threads, for a batch of {one['batch']} records of the published shape, measured by "
        f"`benchmarks/bench_zoo.py` ({'; '.join(machines)}; {one['date']}). The first call compiles where the backend "
        "does. The machine had other work at the same time, which processor time feels little of. Bytes are those of a "
        "dump, with the optimizer's state.\n"
    )
    yield (
        "`features_gbm` and `hmm` are fitted at the end of a run and not by batches, and `triplet_embedding` is the "
        "part of a trained `triplet_learn` that predicts. With two cores, jax 0.10.2 waits for itself in `s4` for "
        "ever, because its threads are as few as the cores: set the environment variable `NPROC=8` before Python "
        "starts, as was done for this row.\n"
    )
    yield "| model | backend | parameters | train, ms | predict, ms | first train, s | first predict, s | bytes |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for name in dict.fromkeys(name for name, _ in rows):
        for backend in BACKENDS:
            reason = "runs on PyTorch alone" if name in ON_TORCH_ALONE else "not measured yet"
            row = rows.get((name, backend), {"error": reason})
            yield f"| `{name}` | {backend} | {_figures(row)} |"


def _figures(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['error']} | | | | |"
    parameters = f"{row['parameters']:,}".replace(",", " ")
    later = f"{parameters} | {row['train_ms']:.0f} | {row['predict_ms']:.0f}"
    return f"{later} | {row['first_train_s']:.1f} | {row['first_predict_s']:.1f} | {row['bytes_with_optimizer']}"


def measured() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of the benchmark by model and backend."""
    if not FIGURES.exists():
        return {}
    rows = [json.loads(line) for line in FIGURES.read_text(encoding="utf-8").splitlines()]
    return {(row["model"], row["backend"]): row for row in sorted(rows, key=lambda row: row["model"])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check whether the page is current")
    given = parser.parse_args()
    text = page(measured())
    if given.check:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            print("Current: zoo.md")
            return 0
        print("docs/zoo.md is not current. Run python tools/write_zoo.py.", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("Written: zoo.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
