"""Models of scikit-learn and PyTorch as ONNX, compared with the model and loaded by the base install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, RobustScaler, StandardScaler
from torch import nn

from cardioflow.errors import ModelError
from cardioflow.models import OnnxModel, SklearnBaseModel, TorchBaseModel
from cardioflow.models.export import export_onnx
from cardioflow.models.targets import Number


def fitted(make_batch, estimator, *, classes=("A", "NO"), target=None) -> SklearnBaseModel:
    made, batch = SklearnBaseModel().build(estimator), make_batch(30, (2, 50), classes=classes)
    if target is not None:
        made.targets, batch = Number(), batch.replace(target=target, classes=None)
    made.train_on_batch(batch)
    made.end_epoch(0)
    return made


@pytest.mark.parametrize(
    ("estimator", "classes"),
    [
        (LogisticRegression(), ("A", "NO")),
        (make_pipeline(StandardScaler(), PCA(5), LogisticRegression()), ("A", "N", "O")),
        (make_pipeline(RobustScaler(), SGDClassifier(loss="log_loss", random_state=0)), ("A", "N", "O")),
    ],
)
def test_linear_classifiers_predict_the_same_probabilities(make_batch, tmp_path: Path, estimator, classes) -> None:
    made, batch = fitted(make_batch, estimator, classes=classes), make_batch(7, (2, 50), seed=3)
    assert export_onnx(made, tmp_path / "m.onnx").compared.difference <= 1e-5
    expected = made.model.predict_proba(batch.signal.dense().reshape(7, -1))
    np.testing.assert_allclose(OnnxModel().load(tmp_path / "m.onnx").predict_on_batch(batch), expected, atol=1e-5)


def test_a_linear_regression_predicts_the_same_numbers(make_batch, tmp_path: Path) -> None:
    made = fitted(make_batch, Ridge(), target=np.linspace(20, 80, 30, dtype=np.float32))
    export_onnx(made, tmp_path / "age.onnx")
    loaded, batch = OnnxModel().load(tmp_path / "age.onnx"), make_batch(4, (2, 50), seed=3)
    assert loaded.output == "value"
    np.testing.assert_allclose(loaded.predict_on_batch(batch), made.predict_on_batch(batch), rtol=1e-5)


def test_an_estimator_that_is_not_linear_is_refused_with_those_that_can(make_batch, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"GaussianNB cannot be exported to ONNX\. Linear estimators .*LogisticRegre"):
        export_onnx(fitted(make_batch, GaussianNB()), tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"SklearnBaseModel was not trained yet"):
        export_onnx(SklearnBaseModel().build(Ridge()), tmp_path / "m.onnx")


# PyTorch's exporter looks into its own deprecated parts.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_pytorch_module_predicts_the_same_probabilities_at_any_length(make_batch, tmp_path: Path) -> None:
    made = TorchBaseModel()
    torch.manual_seed(0)
    made.model = nn.Sequential(
        nn.Conv1d(1, 8, 7, stride=2),
        nn.BatchNorm1d(8),
        nn.GELU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(8, 2),
    )
    batch = make_batch(6)
    made.train_on_batch(batch)
    exported = export_onnx(made, tmp_path / "net.onnx")
    assert exported.free_time
    assert exported.compared.lengths == (400, 401, 203)
    longer = make_batch(3, (1, 999))
    expected = made.predict_on_batch(longer)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
    found = OnnxModel().load(tmp_path / "net.onnx").predict_on_batch(longer)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_transformer_that_has_no_graph_is_refused_with_those_that_have(make_batch, tmp_path: Path) -> None:
    estimator = make_pipeline(PolynomialFeatures(1), LogisticRegression())
    with pytest.raises(ModelError, match=r"PolynomialFeatures cannot be exported to ONNX\. Of .*PCA.* can"):
        export_onnx(fitted(make_batch, estimator), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
