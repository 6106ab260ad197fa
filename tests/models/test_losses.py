"""Losses by name: the values of their papers' formulas on every backend, gradients, and what they refuse."""

from __future__ import annotations

import os
from typing import Any

import jax
import numpy as np
import pytest
import torch
from scipy.special import digamma, expit, gammaln, log_softmax, softmax, softplus
from scipy.stats import dirichlet

from cardioflow import registry
from cardioflow.errors import ModelError, UnknownNameError
from cardioflow.models._jax.loss import resolve_loss as jax_loss
from cardioflow.models._torch.loss import resolve_loss as torch_loss
from cardioflow.models.losses import Loss, keras_loss, named_loss, tensorflow_loss
from cardioflow.models.losses._ops import digamma as our_digamma
from cardioflow.models.losses._ops import log_gamma
from cardioflow.models.losses._torch import TorchOps

RNG = np.random.default_rng(0)
Z = 2 * RNG.normal(size=(6, 4))
Y = np.eye(4)[RNG.integers(4, size=6)]
SEVERAL = (RNG.random((6, 4)) < 0.4).astype(float)
STATES = RNG.integers(3, size=(5, 20))
Z_STATES = RNG.normal(size=(5, 20, 3))
"""(record, time, state)"""


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return -(y * log_softmax(z, axis=-1)).sum(-1)


def binary(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return y * softplus(-z) + (1 - y) * softplus(z)


def focal(z: np.ndarray, y: np.ndarray, gamma: float) -> np.ndarray:
    return (1 - (y * softmax(z, axis=-1)).sum(-1)) ** gamma * cross_entropy(z, y)


def balanced() -> np.ndarray:
    raw = (1 - 0.99) / (1 - 0.99 ** np.array([1000, 100, 10, 1]))
    return raw * 4 / raw.sum()


def asymmetric(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = expit(z)
    q = np.maximum(p - 0.05, 0)
    return -(y * (1 - p) * np.log(p) + (1 - y) * q**4 * np.log(1 - q)).mean(-1)


def dice(p: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return 1 - (2 * (p * y).sum(axis) + 1) / (p.sum(axis) + y.sum(axis) + 1)


def evidential(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    a = softplus(z) + 1
    total = a.sum(-1, keepdims=True)
    p = a / total
    wrong = y + (1 - y) * a
    sums = wrong.sum(-1)
    kl = gammaln(sums) - gammaln(wrong).sum(-1) - gammaln(4)
    kl += ((wrong - 1) * (digamma(wrong) - digamma(sums)[:, None])).sum(-1)
    return ((y - p) ** 2 + p * (1 - p) / (total + 1)).sum(-1) + 0.1 * kl


def dirichlet_likelihood(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    smoothed = (1 - 2e-3) * y + 1e-3
    smoothed_sum = smoothed / smoothed.sum(-1, keepdims=True)
    a = softplus(z) + 1e-3
    exact = -np.array([dirichlet.logpdf(s, own) for s, own in zip(smoothed_sum, a, strict=True)])
    # The smoothed labels add up to 1.002, and the density is that of shares.
    return exact - ((a - 1) * np.log(smoothed / smoothed_sum)).sum(-1)


CASES: list[tuple[Loss, str, np.ndarray, np.ndarray, np.ndarray]] = [
    (named_loss("focal", gamma=0.0), "exclusive", Z, Y, cross_entropy(Z, Y)),
    (named_loss("focal"), "exclusive", Z, Y, focal(Z, Y, 2.0)),
    (
        named_loss("focal", gamma=0.5, alpha=(0.1, 0.2, 0.3, 0.4)),
        "exclusive",
        Z,
        Y,
        focal(Z, Y, 0.5) * (Y @ [0.1, 0.2, 0.3, 0.4]),
    ),
    (
        named_loss("focal", alpha=(0.25,) * 4),
        "independent",
        Z,
        SEVERAL,
        (
            np.where(SEVERAL == 1, 0.25, 0.75)
            * np.where(SEVERAL == 1, 1 - expit(Z), expit(Z)) ** 2
            * binary(Z, SEVERAL)
        ).mean(-1),
    ),
    (named_loss("focal"), "states", Z_STATES, STATES, focal(Z_STATES, np.eye(3)[STATES], 2.0).mean(-1)),
    (
        named_loss("class_balanced", counts=(1000, 100, 10, 1), beta=0.99),
        "exclusive",
        Z,
        Y,
        cross_entropy(Z, Y) * (Y @ balanced()),
    ),
    (named_loss("asymmetric", gamma_positive=1.0), "independent", Z, SEVERAL, asymmetric(Z, SEVERAL)),
    (
        named_loss("asymmetric", gamma_negative=0.0, margin=0.0),
        "independent",
        Z,
        SEVERAL,
        binary(Z, SEVERAL).mean(-1),
    ),
    (named_loss("label_smoothing"), "exclusive", Z, Y, cross_entropy(Z, 0.9 * Y + 0.025)),
    (named_loss("label_smoothing"), "independent", Z, SEVERAL, binary(Z, 0.9 * SEVERAL + 0.05).mean(-1)),
    (named_loss("dice"), "independent", Z, SEVERAL, dice(expit(Z), SEVERAL, -1)),
    (
        named_loss("dice"),
        "states",
        Z_STATES,
        STATES,
        dice(softmax(Z_STATES, axis=-1), np.eye(3)[STATES], 1).mean(-1),
    ),
    (named_loss("evidential"), "exclusive", Z, Y, evidential(Z, Y)),
    (named_loss("dirichlet"), "exclusive", Z, Y, dirichlet_likelihood(Z, Y)),
]
IDS = [f"{loss.__name__}-{of}-{i}" for i, (loss, of, *_) in enumerate(CASES)]
each_case = pytest.mark.parametrize(("loss", "of", "z", "y", "rows"), CASES, ids=IDS)


def as_output(z: np.ndarray) -> np.ndarray:
    """Return logits as modules of PyTorch and JAX give them: (record, state, time) for states."""
    return np.swapaxes(z, 1, 2).astype(np.float32) if z.ndim == 3 else z.astype(np.float32)


def ends(loss: Loss, of: str, z: np.ndarray) -> np.ndarray:
    """Return what a Keras or TensorFlow model ends in: probabilities, or α."""
    if loss.__name__ in ("evidential", "dirichlet"):
        return (softplus(z) + (1 if loss.__name__ == "evidential" else 1e-3)).astype(np.float32)
    return (expit(z) if of == "independent" else softmax(z, axis=-1)).astype(np.float32)


def target(y: np.ndarray) -> np.ndarray:
    return y if y.dtype.kind == "i" else y.astype(np.float32)


@each_case
def test_a_loss_has_the_value_of_its_formula_on_pytorch_and_jax(
    loss: Loss, of: Any, z: np.ndarray, y: np.ndarray, rows: np.ndarray
) -> None:
    output = torch.tensor(as_output(z), requires_grad=True)
    ours = torch_loss(loss, of)
    assert ours.rows is not None
    np.testing.assert_allclose(ours.rows(output, torch.tensor(target(y))).detach(), rows, rtol=2e-5, atol=1e-6)
    ours.mean(output, torch.tensor(target(y))).backward()
    assert torch.isfinite(output.grad).all()
    found = jax_loss(loss, of)
    np.testing.assert_allclose(found.rows(as_output(z), target(y)), rows, rtol=2e-5, atol=1e-6)
    assert jax_loss(loss, of) is found  # or JAX would compile for every batch
    gradient = jax.grad(lambda out: found.weighted(out, target(y), np.ones(len(z), np.float32)))(as_output(z))
    np.testing.assert_allclose(gradient, output.grad, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.predict(as_output(z)), ours.predict(output).detach(), rtol=1e-5, atol=1e-6)


@each_case
def test_a_loss_has_the_same_value_on_keras_and_tensorflow_from_what_their_models_end_in(
    loss: Loss, of: Any, z: np.ndarray, y: np.ndarray, rows: np.ndarray
) -> None:
    p = ends(loss, of, z)
    assert float(tensorflow_loss(loss, of)(target(y), p)) == pytest.approx(rows.mean(), rel=1e-4)
    ours = keras_loss(loss, of)
    assert float(ours(target(y), p)) == pytest.approx(rows.mean(), rel=1e-4)
    weights = np.arange(len(z), dtype=np.float32)
    assert float(ours(target(y), p, sample_weight=weights)) == pytest.approx((rows * weights).mean(), rel=1e-4)
    again = type(ours).from_config(ours.get_config())
    assert again.own == loss
    assert float(again(target(y), p)) == float(ours(target(y), p))


def test_predictions_of_evidence_are_its_shares_and_add_up_to_1() -> None:
    output = torch.tensor(as_output(Z))
    for name, least in (("evidential", 1.0), ("dirichlet", 1e-3)):
        alpha = softplus(Z) + least
        np.testing.assert_allclose(
            torch_loss(name, "exclusive").predict(output), alpha / alpha.sum(-1, keepdims=True), rtol=1e-5
        )


def test_gamma_functions_agree_with_scipy() -> None:
    x = torch.logspace(-3, 4, 400, dtype=torch.float64)
    np.testing.assert_allclose(log_gamma(TorchOps(), x), gammaln(x.numpy()), rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(our_digamma(TorchOps(), x), digamma(x.numpy()), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["focal", "label_smoothing", "dice", "evidential", "dirichlet"])
def test_gradients_stay_finite_where_predictions_are_as_sure_as_float32_can_say(name: str) -> None:
    output = torch.tensor([[200.0, -200.0], [200.0, -200.0]], requires_grad=True)
    loss = torch_loss(name, "exclusive")
    loss.mean(output, torch.tensor([[1.0, 0.0], [0.0, 1.0]])).backward()
    assert torch.isfinite(output.grad).all()
    output = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    torch_loss("asymmetric", "independent").mean(output, torch.tensor([[1.0, 0.0]] * 2)).backward()
    assert torch.isfinite(output.grad).all()


TIMES = np.array([[5.0, 1], [3, 1], [3, 0], [8, 0], [3, 1]], np.float32)


def test_cox_is_the_partial_likelihood_with_breslows_ties_by_hand() -> None:
    risk = np.array([0.3, -0.2, 1.0, 0.1, 0.7])
    e = np.exp(risk)
    expected = -(
        risk[0] - np.log(e[0] + e[3])  # at risk at 5: those of 5 and 8
        + (risk[1] - np.log(e.sum())) + (risk[4] - np.log(e.sum()))
    ) / 3  # fmt: skip
    output = torch.tensor(risk[:, None], dtype=torch.float32, requires_grad=True)
    ours = torch_loss("cox", "value")
    assert ours.rows is None
    assert ours.mean(output, torch.tensor(TIMES)).item() == pytest.approx(expected, rel=1e-5)
    column = risk[:, None].astype(np.float32)
    found = jax_loss("cox", "value").weighted(column, TIMES, np.ones(5))
    for value in (found, tensorflow_loss("cox", "value")(TIMES, column), keras_loss("cox", "value")(TIMES, column)):
        assert float(value) == pytest.approx(expected, rel=1e-5)
    none = ours.mean(output, torch.tensor([[1.0, 0.0]] * 5))
    none.backward()
    assert none.item() == 0
    assert torch.isfinite(output.grad).all()


def test_discrete_survival_is_the_likelihood_of_intervals_by_hand() -> None:
    z = np.array([[0.2, -1.0, 0.5]] * 4, np.float32)
    hazard = expit(z[0])
    # Intervals to 2, 4, 6. Events at 3 and at 7 (past the end); censored at 3.5 (most of the second) and at 2.5.
    y = np.array([[3, 1], [7, 1], [3.5, 0], [2.5, 0]], np.float32)
    survived = np.log(1 - hazard)
    expected = [-survived[0] - np.log(hazard[1]), -survived.sum(), -survived[0] - survived[1], -survived[0]]
    loss = named_loss("discrete_survival", ends=(2.0, 4.0, 6.0))
    ours = torch_loss(loss, "value")
    assert ours.rows is not None
    np.testing.assert_allclose(ours.rows(torch.tensor(z), torch.tensor(y)), expected, rtol=1e-5)
    np.testing.assert_allclose(ours.predict(torch.tensor(z))[0], np.cumprod(1 - hazard), rtol=1e-5)
    np.testing.assert_allclose(jax_loss(loss, "value").predict(z)[0], np.cumprod(1 - hazard), rtol=1e-5)
    assert float(keras_loss(loss, "value")(y, z)) == pytest.approx(np.mean(expected), rel=1e-5)
    with pytest.raises(ModelError, match="has 3 intervals, and the model gives 2 numbers"):
        ours.rows(torch.tensor(z[:, :2]), torch.tensor(y))


def test_a_keras_model_with_a_loss_of_the_drawer_is_saved_and_trained_further(tmp_path) -> None:
    from cardioflow.models._keras.backend import keras
    from cardioflow.models.keras import KerasBaseModel

    layers = keras.layers
    model = keras.Sequential([layers.Input((1, 40)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile(loss=keras_loss("class_balanced", counts=(10, 2)), optimizer="sgd")
    ours = KerasBaseModel()
    ours.model = model
    ours.save(tmp_path / "m")
    again = KerasBaseModel().load(tmp_path / "m")
    assert again.model.loss.own == named_loss("class_balanced", counts=(10, 2))
    assert os.environ.get("KERAS_BACKEND", keras.config.backend()) == keras.config.backend()


def test_names_parameters_and_targets_that_a_loss_cannot_have_are_refused() -> None:
    assert {"focal", "dice", "cox"} <= set(registry.losses.names())
    with pytest.raises(UnknownNameError, match=r"There is no loss 'fokal'\. Did you mean 'focal'"):
        named_loss("fokal")
    with pytest.raises(ModelError, match=r"There is no loss 'fokal' for PyTorch\. Did you mean 'focal'"):
        torch_loss("fokal", "exclusive")
    with pytest.raises(ModelError, match="There is no loss 'fokal' for JAX"):
        jax_loss("fokal", "exclusive")
    with pytest.raises(ModelError, match="Its parameters are gamma, alpha"):
        named_loss("focal", gama=1)
    for name, wrong, right in (
        ("dice", {"smooth": 0}, {"smooth": 1e-6}),
        ("asymmetric", {"margin": 1}, {"margin": 0}),
        ("label_smoothing", {"smoothing": 1}, {"smoothing": 0}),
        ("dirichlet", {"smoothing": 0.5}, {"smoothing": 0.4}),
        ("asymmetric", {"gamma_positive": -0.5}, {"gamma_positive": 0}),
    ):
        with pytest.raises(ModelError, match=f"{name}.*expects"):
            named_loss(name, **wrong)
        named_loss(name, **right)
    with pytest.raises(ModelError, match=r"focal\(gamma=-1\) expects a number of at least 0"):
        named_loss("focal", gamma=-1)
    with pytest.raises(ModelError, match="is for several labels at once, and the model learns one label of many"):
        torch_loss("asymmetric", "exclusive")
    with pytest.raises(ModelError, match="is for numbers, and the model learns several labels"):
        keras_loss("cox", "independent")
    with pytest.raises(ModelError, match="has counts of 2 classes, and the model has 4"):
        torch_loss(named_loss("class_balanced", counts=(1, 2)), "exclusive").mean(torch.tensor(Z), torch.tensor(Y))
    with pytest.raises(ValueError, match="as many numbers per record as the targets have"):
        torch_loss("focal", "exclusive").mean(torch.zeros(6, 3), torch.tensor(Y))
    with pytest.raises(ModelError, match="rising times above 0"):
        named_loss("discrete_survival", ends=(2.0, 1.0))


@pytest.mark.parametrize(
    ("loss", "kind"), [("focal", "exclusive"), ("focal", "independent"), ("evidential", "exclusive")]
)
def test_the_loss_of_a_sample_does_not_depend_on_the_axis_that_it_stands_on(loss, kind) -> None:
    own, ops = registry.losses.get(loss)(), TorchOps()
    y = torch.tensor(np.eye(3)[STATES])
    z = torch.tensor(Z_STATES)
    apart = own.units(ops, z.reshape(100, 3), y.reshape(100, 3), kind)
    together = own.units(ops, z, y, kind)
    assert together.shape == (5, 20)
    np.testing.assert_allclose(together.reshape(-1), apart, rtol=1e-9)
