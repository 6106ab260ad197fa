"""The guide's pipelines on real records with a native TensorFlow model, while Keras runs on something else.

``test_guide.py`` runs this file in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

import cardioflow as ds
from cardioflow.errors import DumpError
from cardioflow.models import TensorFlowBaseModel

DATA = Path(os.environ["CARDIOFLOW_DATA"]) / "cinc2017"


class Dense(tf.Module):
    def __init__(self, n_inputs: int, n_classes: int) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.random.normal((n_inputs, n_classes), stddev=0.01), name="weight")
        self.bias = tf.Variable(tf.zeros(n_classes), name="bias")

    def __call__(self, x: Any, training: bool = False) -> Any:
        return tf.nn.softmax(tf.reshape(x, (tf.shape(x)[0], -1)) @ self.weight + self.bias)


class NativeModel(TensorFlowBaseModel):
    def build(self, input_shape: tuple[int, int], n_classes: int) -> NativeModel:
        self.model = Dense(int(np.prod(input_shape)), n_classes)
        self.loss = lambda y_true, y_pred: -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), -1))
        return self


@ds.model(mode="dynamic")
def native_model(batch, config=None):
    return NativeModel().build(batch.signal[0].shape, batch.target.shape[1])


def loading(pipeline: ds.Pipeline | None = None) -> ds.Pipeline:
    return (
        (pipeline or ds.Pipeline())
        .load(fmt="wfdb", components=["signal", "meta"])
        .load(src=DATA / "REFERENCE.csv", fmt="csv", components="target")
        .drop_labels(["~"])
        .rename_labels({"N": "NO", "O": "NO"})
        .drop_short_signals(3000)
        .split_signals(3000, 3000)
        .binarize_labels()
    )


def predict_pipeline(path: Path) -> ds.Pipeline:
    begun = ds.Pipeline(config={"native_model": {"path": path}}).init_model("native_model")
    return loading(begun.init_variable("prediction", [])).predict_on_batch("native_model").run(batch_size=100)


def training() -> ds.Pipeline:
    return loading().train_on_batch("native_model", metrics=f1_score, average="macro")


@pytest.fixture(scope="module")
def dataset() -> ds.EcgDataset:
    return ds.EcgDataset(DATA / "*.hea")


@pytest.fixture(scope="module")
def trained(dataset: ds.EcgDataset) -> Any:
    return (dataset >> training()).run(batch_size=300, shuffle=True, drop_last=True, n_epochs=20)


def test_a_native_model_trains_and_writes_loss_and_metric_to_hist_and_variables(trained: Any) -> None:
    hist = trained.get_model("native_model").hist
    assert trained.get_variable("native_model.train_loss") == hist["train_loss"]
    assert trained.get_variable("native_model.train_metric") == hist["train_metric"]
    assert hist["train_loss"][-1] < hist["train_loss"][0]


def test_its_predictions_in_another_process_are_the_same(dataset: ds.EcgDataset, trained: Any, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    trained.get_model("native_model").save(dump)
    code = (
        "import sys, pathlib, numpy as np\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import native as n\n"
        f"run = (n.ds.EcgDataset(n.DATA / '*.hea') >> n.predict_pipeline(pathlib.Path({str(dump)!r}))).run()\n"
        f"np.save({str(tmp_path / 'found.npy')!r}, [p.value for p in run.get_variable('prediction')])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    run = (dataset >> loading().import_model("native_model", trained).predict_on_batch("native_model")).run(
        batch_size=100
    )
    here = [p.value for p in run.get_variable("prediction")]
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), here, atol=1e-6, rtol=0)


def test_a_path_that_is_not_a_dump_is_an_error(dataset: ds.EcgDataset, tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="nowhere"):
        (dataset >> predict_pipeline(tmp_path / "nowhere")).run()


def test_the_same_seed_twice_gives_identical_weights(dataset: ds.EcgDataset) -> None:
    def weights() -> list[np.ndarray]:
        run = (dataset.subset(dataset.ids[:64]) >> training()).run(batch_size=32, shuffle=True, seed=7)
        return [v.numpy() for v in run.get_model("native_model").model.variables]

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)
