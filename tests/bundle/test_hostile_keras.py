"""A ``.keras`` file that claims more than it contains is refused before Keras builds anything from it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import h5py
import numpy as np
import pytest

import cardioflow
from cardioflow.errors import DumpError
from cardioflow.models._keras.archive import _check_config


def layer(config: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(own for own in config["config"]["layers"] if own["class_name"] == kind)
    return found["config"]


def set_in(kind: str, **values: Any):
    return lambda config: layer(config, kind).update(values)


def deep(config: dict[str, Any]) -> None:
    config["deep"] = json.loads("[" * 200 + "]" * 200)


def many_objects(config: dict[str, Any]) -> None:
    config["config"]["layers"] *= 1000


CONFIGURATIONS = {
    "a layer of 10⁹ units": (set_in("Dense", units=10**9), "has units=1000000000, and its weights are"),
    "a layer of 4 million filters": (
        set_in("Conv1D", filters=4_000_000),
        "of the Keras model needs weights of shape (4, ",
    ),
    "a dense layer of 500 000 units": (set_in("Dense", units=500_000), "needs weights of shape (40, 500000)"),
    "an input of 10⁹ samples": (set_in("InputLayer", batch_shape=[None, 1, 10**9]), "has batch_shape=1000000000"),
    "a pool of 10⁹ samples": (set_in("MaxPooling1D", pool_size=[10**9]), "has pool_size=1000000000"),
    "a metric of 10⁹ thresholds": (
        lambda config: config["compile_config"].update(
            metrics=[{"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**9},
                      "registered_name": None}]
        ),
        "has num_thresholds=1000000000",
    ),
    "values nested deeply": (deep, "nests values more than 100 levels deep"),
    "very many layers": (many_objects, "objects, and at most 20000 are built"),
    "brackets without end": (b"[" * 1_000_000, "nests values more than 100 levels deep"),
    "values without end": (b"[" + b"1," * 2_000_000 + b"1]", "holds more than 1000000 values"),
    "a long text": (b" " * (17 * 2**20), "at most 16777216 are read"),
    "not JSON": (b"layers", "The text is not JSON"),
    "a number": (b"3", "cannot be loaded by Keras"),
    "a list": (b"[]", "cannot be loaded by Keras"),
    "nothing": (b"", "The text is not JSON"),
    "a Lambda layer": (
        lambda config: config["config"]["layers"].append(
            {"module": "keras.layers", "class_name": "Lambda", "name": "l", "registered_name": None,
             "inbound_nodes": [], "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {}}}}
        ),
        "cannot be loaded by Keras",
    ),
    "a class of another module": (
        lambda config: config["config"]["layers"].append(
            {"module": "os", "class_name": "system", "name": "l", "registered_name": None, "inbound_nodes": [],
             "config": {}}
        ),
        "cannot be loaded by Keras",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_a_hostile_configuration_is_refused(with_keras, change, reason) -> None:
    with pytest.raises(DumpError) as caught:
        cardioflow.load(with_keras(change))
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_compressed_member_is_refused_by_its_claimed_size(with_keras) -> None:
    with pytest.raises(DumpError, match=r"is compressed: it claims 100\d+ bytes of content in a file of \d+, and"):
        cardioflow.load(with_keras(b" " * 100_000_000, compressed=True))


def weights(write) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        write(root)
    return buffer.getvalue()


def sparse(root: h5py.File) -> None:
    root.create_dataset("layers/dense/vars/0", (10**6, 10**6), np.float32, chunks=(1000, 1000))


def never_written(root: h5py.File) -> None:
    space = h5py.h5s.create_simple((10**6, 10**6))
    h5py.h5d.create(root.id, b"0", h5py.h5t.NATIVE_FLOAT, space)


def compressed(root: h5py.File) -> None:
    root.create_dataset("layers/dense/vars/0", data=np.zeros((3000, 3000), np.float32), compression="gzip")


def linked(root: h5py.File) -> None:
    root["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def linked_softly(root: h5py.File) -> None:
    root["0"] = h5py.SoftLink("/1")


def elsewhere(root: h5py.File) -> None:
    root.create_dataset("0", (100,), np.uint8, external=[("/etc/passwd", 0, 100)])


def virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout((100,), np.uint8)
    layout[:] = h5py.VirtualSource("/etc/passwd", "0", (100,))
    root.create_virtual_dataset("0", layout)


def endless(root: h5py.File) -> None:
    root.create_group("layers")["again"] = root["/"]


def many(root: h5py.File) -> None:
    group = root
    for _ in range(150):
        group = group.create_group("g")


WEIGHTS = {
    "chunks that are missing": (sparse, "are not plain arrays"),
    "an array that was never written": (never_written, "claim 4000000000000 bytes or more in a file of"),
    "a compressed array": (compressed, "are not plain arrays"),
    "a link to another file": (linked, "contain links"),
    "a link inside": (linked_softly, "contain links"),
    "an array in another file": (elsewhere, "are not plain arrays"),
    "an array of other arrays": (virtual, "are not plain arrays"),
    "groups in groups": (many, "parts more than 100 levels deep"),
    "a circle": (endless, "cannot be loaded by Keras"),
    "no weights": (lambda root: None, "cannot be loaded by Keras"),
}


@pytest.mark.parametrize(("write", "reason"), WEIGHTS.values(), ids=WEIGHTS.keys())
def test_hostile_weights_are_refused(with_keras, write, reason) -> None:
    with pytest.raises(DumpError, match=r"Keras model|by Keras") as caught:
        cardioflow.load(with_keras(lambda config: None, model_weights_h5=weights(write)))
    assert reason in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(1000)])
def test_weights_that_are_not_hdf5_are_refused(with_keras, content) -> None:
    with pytest.raises(DumpError, match=r"The Keras model is damaged: OSError"):
        cardioflow.load(with_keras(lambda config: None, model_weights_h5=content))


def test_a_plain_keras_file_is_checked_alike(saved, tmp_path, with_keras) -> None:
    with zipfile.ZipFile(with_keras(set_in("Dense", units=10**9))) as archive:
        (tmp_path / "plain.keras").write_bytes(archive.read("weights.keras"))
    with pytest.raises(DumpError, match="has units=1000000000"):
        cardioflow.load(tmp_path / "plain.keras")


def test_the_limit_on_weights_ends_with_the_loading(saved, with_keras) -> None:
    from keras.layers import Layer

    before = Layer.add_weight
    cardioflow.load(saved)
    with pytest.raises(DumpError):
        cardioflow.load(with_keras(set_in("Conv1D", filters=4_000_000)))
    assert Layer.add_weight is before


def test_a_configuration_of_too_many_objects_or_sizes_is_refused_and_shapes_are_none() -> None:
    def check(layers: list[object], n_weights: int = 10) -> None:
        _check_config(json.dumps({"class_name": "Functional", "config": {"layers": layers}}).encode(), n_weights)

    check([{"class_name": "Dense", "config": {"units": 64}}] * 1000)
    with pytest.raises(DumpError, match="has 20001 objects, and at most 20000 are built"):
        check([{"class_name": "ReLU"}] * 20_000)
    with pytest.raises(DumpError, match=r"has units=1048576, and its weights are 10 numbers"):
        check([{"class_name": "Dense", "config": {"units": 2**20}}] * 5)
    check([{"class_name": "Dense", "config": {"units": 2**20}}] * 5, n_weights=2**20)
    check([{"class_name": "InputLayer", "config": {"batch_shape": [None, 12, 2**20]}}] * 5)
