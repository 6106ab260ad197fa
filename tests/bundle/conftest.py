"""A small trained model, saved with its preprocessing, and ways to change the file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_bundle import description, train

from cardioflow import EcgDataset, Pipeline
from cardioflow.bundle import write_bundle

PREPARATION = Pipeline().load(fmt="simulated", components=["signal", "meta"]).split_signals(1000).standardize()


@pytest.fixture(scope="package")
def trained() -> Any:
    """A run whose model has seen one batch."""
    template = (
        Pipeline()
        .load(fmt="simulated", components=["signal", "meta"])
        .load(components="target")
        .random_split_signals(1000, 2)
        .standardize()
        .binarize_labels()
        .train_on_batch("fft_inception")
    )
    return (EcgDataset.simulated(4, duration_s=10.0) >> template).run(batch_size=4, progress=False)


@pytest.fixture(scope="package")
def saved(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "af.cardioflow"
    trained.save_model("fft_inception", path, preprocessing=PREPARATION)
    return path


@pytest.fixture
def with_header(saved: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of the saved model with other entries in its header."""

    def write(**entries: Any) -> Path:
        with zipfile.ZipFile(saved) as archive:
            header, weights = json.loads(archive.read("model.json")), archive.read("weights.keras")
        return _zip(tmp_path / "m", {"model.json": json.dumps({**header, **entries}), "weights.keras": weights})

    return write


@pytest.fixture
def with_keras(saved: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of the saved model with another configuration, or other weights, of Keras."""

    def write(change: Callable[[dict[str, Any]], None] | bytes, *, compressed: bool = False, **members: bytes) -> Path:
        with zipfile.ZipFile(saved) as archive:
            header, weights = archive.read("model.json"), archive.read("weights.keras")
        with zipfile.ZipFile(io.BytesIO(weights)) as archive:
            inner = {name: archive.read(name) for name in archive.namelist()}
        if isinstance(change, bytes):
            inner["config.json"] = change
        else:
            config = json.loads(inner["config.json"])
            change(config)
            inner["config.json"] = json.dumps(config).encode()
        inner.update({name.replace("_", "."): content for name, content in members.items()})
        keras = _zip(tmp_path / "k", inner, compressed=compressed)
        return _zip(tmp_path / "m", {"model.json": header, "weights.keras": keras.read_bytes()})

    return write


def _zip(path: Path, members: dict[str, bytes | str], *, compressed: bool = False) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="package")
def tiny_files(cinc: Path) -> dict[str, bytes]:
    """The graphs of a small bundle, trained on real records."""
    return {"a.onnx": train(cinc, seed=1), "b.onnx": train(cinc, seed=2)}


@pytest.fixture(scope="package")
def tiny(tiny_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that bundle."""
    path = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(path, description(), tiny_files)
    return path
