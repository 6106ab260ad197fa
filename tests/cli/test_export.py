from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import cardioflow
from cardioflow import EcgDataset, Pipeline
from cardioflow.cli.app import app
from cardioflow.models import OnnxModel, SklearnBaseModel

FILE = "simulated:AF?seed=1&duration_s=12"
PREPARATION = Pipeline().load(fmt="simulated", components=["signal", "meta"]).split_signals(1000).standardize()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved Keras model, untrained."""
    path = tmp_path_factory.mktemp("model") / "af.cardioflow"
    template = (
        PREPARATION.load(components="target")
        .binarize_labels()
        .init_model("fft_inception")
        .test_on_batch("fft_inception")
    )
    run = (EcgDataset.simulated(4, duration_s=10.0) >> template).run(batch_size=4)
    model = run.get_model("fft_inception")
    model._signature.input_shape = (1, 1000)
    run.save_model("fft_inception", path, preprocessing=PREPARATION)
    return path


def call(*arguments):
    return CliRunner().invoke(app, ["export", *(str(a) for a in arguments)])


def test_an_exported_file_predicts_what_the_saved_model_predicts(saved, tmp_path):
    done = call(saved, "--onnx", tmp_path / "af.onnx")
    assert done.exit_code == 0, done.output
    assert "opset 17" in done.stdout
    assert "compared at 1000 samples" in done.stdout
    assert json.loads((tmp_path / "af.json").read_text()) == json.loads(PREPARATION.to_json())
    bundle = cardioflow.load(tmp_path / "af.onnx")
    assert isinstance(bundle.model, OnnxModel)
    (expected,), (found,) = cardioflow.load(saved).predict([FILE]), bundle.predict([FILE])
    np.testing.assert_allclose(list(found.probabilities.values()), list(expected.probabilities.values()), atol=1e-5)


def test_a_model_that_only_its_code_can_build_is_refused(tmp_path):
    model = SklearnBaseModel().build(LogisticRegression())
    model.model.fit(np.arange(8.0)[:, None], np.arange(8) % 2)
    model.save(tmp_path / "own.cardioflow")
    done = call(tmp_path / "own.cardioflow", "--onnx", tmp_path / "own.onnx")
    assert "which only its own code can build" in str(done.exception)
    assert not (tmp_path / "own.onnx").exists()
