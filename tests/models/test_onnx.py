"""Models in ONNX: predictions by ONNX Runtime, no training, and files that are checked before they are used."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import cardioflow
from cardioflow.errors import ConfigError, DumpError, InputError, ModelError
from cardioflow.models import OnnxModel
from cardioflow.models.export.graph import Graph, with_metadata
from cardioflow.models.targets import Number

WEIGHT = np.array([[1.0, -1.0]], np.float32)


def mean_classifier(n_samples: int | None = None) -> bytes:
    """A softmax over (m, -m), m the mean of the only lead."""
    graph = Graph()
    mean = graph.node("ReduceMean", "signal", axes=[2], keepdims=0)
    p = graph.node("Softmax", graph.node("MatMul", mean, graph.constant(WEIGHT)), axis=1)
    return graph.written(p, (1, n_samples), 2)


def nodes(*made: onnx.NodeProto, constants=(), outputs=("y",)) -> bytes:
    """A graph of these nodes, whose input is ``x``."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, "t"])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(made), "g", inputs, outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture
def model() -> OnnxModel:
    return OnnxModel().build(mean_classifier())


@pytest.mark.parametrize(("n", "n_samples"), [(1, 400), (5, 400), (3, 77)])
def test_predictions_are_those_of_the_graph_at_any_batch_size_and_length(make_batch, model, n, n_samples) -> None:
    batch = make_batch(n, (1, n_samples))
    m = batch.signal.dense()[:, 0].mean(axis=1)
    np.testing.assert_allclose(model.predict_on_batch(batch)[:, 0], 1 / (1 + np.exp(-2 * m)), atol=1e-6)


def test_training_is_refused_with_the_way_to_train(make_batch, model) -> None:
    with pytest.raises(ModelError, match=r"An ONNX model only predicts, .* Train the model that it was exported from"):
        model.train_on_batch(make_batch(4))
    with pytest.raises(ModelError, match="only predicts"):
        model.set_weights([WEIGHT])


def test_it_can_be_tested_with_the_cross_entropy_of_its_probabilities(make_batch, model) -> None:
    batch = make_batch(6)
    p = model.predict_on_batch(batch)
    expected = -np.log((p * batch.target).sum(axis=1)).mean()
    assert model.test_on_batch(batch, "f1")["loss"] == pytest.approx(expected, rel=1e-6)
    model.targets = Number()
    with pytest.raises(ModelError, match=r"predicts an array of shape \(6, 2\), and the targets are of shape \(6, 1\)"):
        model.test_on_batch(batch.replace(target=np.arange(6, dtype=np.float32)))


def test_a_dump_and_a_plain_file_are_loaded_in_a_process_without_a_framework(make_batch, model, tmp_path: Path) -> None:
    batch = make_batch(4)
    model.classes = ("A", "NO")
    model.save(tmp_path / "model.cardioflow")
    (tmp_path / "plain.onnx").write_bytes(mean_classifier())
    np.save(tmp_path / "x.npy", batch.signal.dense())
    code = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "jax", "tensorflow", "keras", "onnx"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import numpy as np
import cardioflow
folder = {str(tmp_path)!r}
x = np.load(folder + "/x.npy")
found = cardioflow.load(folder + "/model.cardioflow").predict(x, fs=300, leads=["I"], units="mV")
np.save(folder + "/p.npy", [list(p.probabilities.values()) for p in found])
plain = cardioflow.load(folder + "/plain.onnx")
assert plain.classes is None and plain.model.opset == 17 and plain.model.n_parameters == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), model.predict_on_batch(batch), atol=1e-6)


def test_the_header_in_the_metadata_of_a_file_is_used(tmp_path: Path, model) -> None:
    model.classes, model.notes = ("A", "NO"), "of two labels"
    text = model._header().to_json()
    (tmp_path / "own.onnx").write_bytes(with_metadata(mean_classifier(), "cardioflow", text))
    bundle = cardioflow.load(tmp_path / "own.onnx")
    assert bundle.classes == ("A", "NO")
    assert bundle.card.notes == "of two labels"
    (tmp_path / "bad.onnx").write_bytes(with_metadata(mean_classifier(), "cardioflow", "{}"))
    with pytest.raises(DumpError, match=r"bad\.onnx' cannot be loaded\. The header is not CardioFlow's"):
        cardioflow.load(tmp_path / "bad.onnx")


def test_a_fixed_length_is_kept_and_others_are_refused_by_name(make_batch) -> None:
    model = OnnxModel().build(mean_classifier(400))
    with pytest.raises(InputError, match=r"takes signals of shape \(1, 400\), \(lead, time\), and record 'A00000' has"):
        model.predict_on_batch(make_batch(1, (1, 399)))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_predicts_the_same(make_batch, model, copied) -> None:
    assert np.array_equal(copied(model).predict_on_batch(make_batch(3)), model.predict_on_batch(make_batch(3)))


def test_the_number_of_threads_can_be_set(make_batch) -> None:
    model = OnnxModel(threads=1).build(mean_classifier())
    assert model._session.get_session_options().intra_op_num_threads == 1
    with pytest.raises(ConfigError, match=r"OnnxModel\(threads=0\) is not a whole number of threads, at least 1"):
        OnnxModel(threads=0)


def test_weights_in_another_file_are_refused_without_opening_it(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    inside = helper.make_node("Constant", [], ["y"], value=tensor)
    for content in (nodes(helper.make_node("Add", ["x", "w"], ["y"]), constants=[tensor]), nodes(inside)):
        with pytest.raises(DumpError, match="keeps its weights in another file, which a model may not do"):
            OnnxModel().build(content)


def test_loops_and_arrays_that_are_not_in_the_file_are_refused() -> None:
    body = helper.make_graph([], "body", [], [])
    with pytest.raises(DumpError, match="has a Loop, which need not end"):
        OnnxModel().build(nodes(helper.make_node("Loop", ["", "", "x"], ["y"], body=body)))
    shape = numpy_helper.from_array(np.array([2**20, 2**20]), "shape")
    made = helper.make_node("ConstantOfShape", ["shape"], ["y"])
    with pytest.raises(DumpError, match="makes an array of 1099511627776 numbers that are not in the file"):
        OnnxModel().build(nodes(made, constants=[shape]))
    claimed = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**40], raw_data=b"0000")
    with pytest.raises(DumpError, match="an array of 1099511627776 numbers in 4 bytes"):
        OnnxModel().build(nodes(helper.make_node("Add", ["x", "w"], ["y"]), constants=[claimed]))


def test_what_onnx_runtime_cannot_load_is_said_with_its_opset() -> None:
    later = onnx.load_from_string(nodes(helper.make_node("Relu", ["x"], ["y"])))
    later.opset_import[0].version = 9999
    with pytest.raises(DumpError, match=r"cannot load the graph, whose operators are of ai\.onnx 9999: .*Update onnxr"):
        OnnxModel().build(later.SerializeToString())
    split = helper.make_node("Split", ["x"], ["a", "b"], axis=2)
    with pytest.raises(DumpError, match=r"has 1 inputs and 2 outputs, and a model has one of each"):
        OnnxModel().build(nodes(split, outputs=("a", "b")))


def test_a_damaged_file_gives_a_dump_error_and_nothing_else(tmp_path: Path) -> None:
    content, rng, path = mean_classifier(), np.random.default_rng(0), tmp_path / "damaged.onnx"
    n_refused = 0
    for _ in range(300):
        damaged = bytearray(content[: rng.integers(2, len(content) + 1)] if rng.random() < 0.3 else content)
        for at in rng.integers(0, len(damaged), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            cardioflow.load(path)
        except DumpError:
            n_refused += 1
    assert n_refused > 200


def test_a_graph_that_mixes_rows_or_takes_other_numbers_is_refused(make_batch) -> None:
    mean = helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)
    with pytest.raises(ModelError, match=r"The graph gives 1 rows for 3 records\. Export it with a free batch size"):
        OnnxModel().build(nodes(mean))._predict(make_batch(3).signal.dense())
    for takes, gives, shape in (
        (TensorProto.DOUBLE, TensorProto.DOUBLE, ["n", 1, "t"]),
        (TensorProto.FLOAT, TensorProto.DOUBLE, ["n", 1, "t"]),
        (TensorProto.FLOAT, TensorProto.FLOAT, ["n", 1, 1, "t"]),
    ):
        cast = helper.make_node("Cast", ["x"], ["y"], to=gives)
        x, y = helper.make_tensor_value_info("x", takes, shape), helper.make_tensor_value_info("y", gives, None)
        graph = helper.make_graph([cast], "g", [x], [y])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        with pytest.raises(DumpError, match=r"takes float32 of shape \(record, lead, time\) or \(record, feature\)"):
            OnnxModel().build(made.SerializeToString())
