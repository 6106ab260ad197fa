"""The contract of one model of the zoo on one backend, check by check; ``check_models.py`` runs it for all."""

from __future__ import annotations

import gc
import inspect
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from cardioflow import registry
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import CardioFlowError
from cardioflow.models.declaration import find

CLASSES: Final = ("A", "N", "O")
N_ROWS: Final = 8
SHAPE: Final = (2, 512)
NO_NETWORK: Final = ("features_gbm", "hmm")
"""Not of Keras, and the same on every backend: their own tests hold them to the contract."""
UNLABELLED: Final = ("auto_encoder", "triplet_learn", "variational_auto_encoder")
N_BATCHES: Final = 200
N_LOADS: Final = 50


def batch(
    name: str, n: int = N_ROWS, *, leads: tuple[str, ...] = ("I", "II"), fs: float = 300.0, unit: str = "mV"
) -> EcgBatch:
    """Return noise with a wave whose frequency gives the label, as the model of that name takes it."""
    rng, label = np.random.default_rng(0), np.arange(n) % len(CLASSES)
    waves = np.sin(np.arange(SHAPE[1]) * np.array([0.1, 0.25, 0.5])[label, None])
    signals = (rng.normal(size=(n, len(leads), SHAPE[1])) * 0.3 + waves[:, None]).astype(np.float32)
    rows = list(signals)
    if name == "triplet_learn":
        # Anchor and positive are of one record, the negative is of the next, which has another label.
        rows = [np.stack([own, own[:, ::-1], other]) for own, other in zip(rows, rows[1:] + rows[:1], strict=True)]
    made = EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays(rows),
        meta=Meta.from_rows([{"fs": fs, "leads": leads, "units": (unit,) * len(leads)}] * n),
        target=np.eye(len(CLASSES), dtype=np.float32)[label],
        classes=CLASSES,
    )
    return made.with_component("mask", (waves > 0).astype(np.int64) + (waves > 0.7))


def build(name: str, seed: int = 1) -> Any:
    """Return a new model, small where the published one is large."""
    member: Any = registry.models.get(name)
    return find(name).build(batch(name), None, _settings(member), seed=seed)


def _settings(member: Any) -> dict[str, Any]:
    rate = {"learning_rate": 1e-2} if "learning_rate" in inspect.signature(member).parameters else {}
    return {**member.example_settings, **rate}


def check(name: str, folder: Path) -> dict[str, Any]:
    """Return the figures of a model, which is left in ``folder`` with its predictions for other processes."""
    model = build(name)
    return {
        "seed": _seed(name, model),
        "heart": _heart(name, model, folder),
        "compiled": _compiled(name, model),
        "errors": _errors(name, model),
    }


def export(name: str, folder: Path) -> dict[str, str]:
    """Return what became of the export of a model that was not trained."""
    model = build(name)
    model._signature.input_shape = SHAPE
    return {"export": _export(model, folder / f"{name}.onnx")}


def _heart(name: str, model: Any, folder: Path) -> str:
    """Train on one batch and save the model: the loss of its first and its last steps."""
    for _ in range(60):
        model.train_on_batch(batch(name))
    losses = model.hist["train_loss"]
    first, last = losses[0], float(np.mean(losses[-5:]))
    model.save(folder / f"{name}.model")
    np.save(folder / f"{name}.npy", model.predict_on_batch(batch(name)))
    learned = last < first - 0.3 * abs(first)
    return f"{'yes' if learned else 'NO'}: {first:.2f} to {last:.2f}"


def _seed(name: str, model: Any) -> str:
    """Compare two steps of ``model``, new and of seed 1, with those of another; and the weights of another seed."""
    again, other = build(name, 1), build(name, 2)
    differ = any(not np.array_equal(a, b) for a, b in zip(again.get_weights(), other.get_weights(), strict=True))
    for _ in range(2):
        model.train_on_batch(batch(name))
        again.train_on_batch(batch(name))
    same = all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
    return "to the bit" if same and differ else f"NO: same {same}, other seeds differ {differ}"


def _compiled(name: str, model: Any) -> str:
    """Return how often Keras called the layers, which a compiled model does to compile, for three other batch sizes."""
    import keras

    if keras.config.backend() == "torch":
        for n in (7, 5, 6):
            model.train_on_batch(batch(name, n))
        return "nothing compiled"
    calls = {"train": 0, "predict": 0}
    kind = ["train"]
    call = model.model.call

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls[kind[0]] += 1
        return call(*args, **kwargs)

    model.model.call = counted
    for kind[0], step in (("train", model.train_on_batch), ("predict", model.predict_on_batch)):
        for n in (7, 5, 6):
            step(batch(name, n))
    return f"train {calls['train']}, predict {calls['predict']}"


def _errors(name: str, model: Any) -> dict[str, str]:
    """Return the messages for batches that do not fit."""
    good = batch(name)
    longer = Ragged.from_arrays([np.array(s) if i != 2 else np.array(s)[..., :-1] for i, s in enumerate(good.signal)])
    tried = {
        "another length": lambda: model.train_on_batch(good.replace(signal=longer)),
        "another lead": lambda: model.predict_on_batch(batch(name, leads=("I", "V5"))),
        "another rate": lambda: model.predict_on_batch(batch(name, fs=250.0)),
        "another unit": lambda: model.predict_on_batch(batch(name, unit="uV")),
        "NaN in a signal": lambda: model.train_on_batch(_with_nan(good)),
    }
    if name not in UNLABELLED:
        other = {"classes": ("A", "N", "X")}
        if name != "unet1d":
            tried["labels unseen in training"] = lambda: model.train_on_batch(good.replace(**other))
            tried["a number per record"] = lambda: model.train_on_batch(
                good.replace(target=np.linspace(20, 80, N_ROWS, dtype=np.float32), classes=None)
            )
        else:
            tried["a state that does not exist"] = lambda: model.train_on_batch(
                good.with_component("mask", np.full((N_ROWS, SHAPE[1]), 7))
            )
    return {what: _message(step) for what, step in tried.items()}


def _with_nan(good: EcgBatch) -> EcgBatch:
    rows = [np.array(s) for s in good.signal]
    rows[1].flat[5] = np.nan
    return good.replace(signal=Ragged.from_arrays(rows))


def _message(step: Callable[[], Any]) -> str:
    try:
        step()
    except CardioFlowError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 -- which one is what is asked
        return f"NO: a {type(error).__name__}, which is not an error of ours: {str(error)[:200]}"
    return "NO: accepted"


def _export(model: Any, path: Path) -> str:
    from cardioflow.models.export import export_onnx

    try:
        found = export_onnx(model, path)
    except CardioFlowError as error:
        return f"NO: {error}"
    lengths = "any length" if found.free_time else "its length"
    return f"opset {found.opset}, {lengths}, {found.compared.difference:.0e}"


def memory(name: str, folder: Path) -> dict[str, str]:
    """Return by how much the process grows while a model is trained, and while it is loaded, in MiB."""
    model, given = build(name), batch(name)
    model.save(folder / f"{name}.model")
    return {
        "batches": _grown(lambda: model.train_on_batch(given), N_BATCHES),
        "loads": _grown(lambda: _loaded(name, folder / f"{name}.model"), N_LOADS),
    }


def _grown(step: Callable[[], Any], n: int) -> str:
    """Return the growth over the second half beside that of the first: what grows without end grows in both."""
    for _ in range(5):
        step()
    sizes = [_resident_mb()]
    for _ in range(2):
        for _ in range(n // 2):
            step()
        gc.collect()
        sizes.append(_resident_mb())
    return f"{sizes[1] - sizes[0]:+.1f}, {sizes[2] - sizes[1]:+.1f}"


def _resident_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def reload(folder: Path) -> dict[str, str]:
    """Load every model of ``folder`` in this process: the largest difference, and the time of the first prediction."""
    found = {}
    for path in sorted(folder.glob("[!.]*.model")):
        name = path.stem
        expected = np.load(path.with_suffix(".npy"))
        with _named(found, name):
            model = _loaded(name, path)
            start = time.process_time()
            p = model.predict_on_batch(batch(name))
            seconds = time.process_time() - start
            difference = float(np.abs(p - expected).max()) / max(1.0, float(np.abs(expected).max()))
            found[name] = f"{difference:.0e}, {seconds:.1f} s"
    return found


def _loaded(name: str, path: Path) -> Any:
    member: Any = registry.models.get(name)
    if member.holds_architecture:
        return member.from_dump(path)
    return find(name).build(batch(name), None, {**_settings(member), "path": path})


@contextmanager
def _named(found: dict[str, str], name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- the others are loaded nevertheless
        found[name] = f"NO: {type(error).__name__}: {str(error)[:200]}"
