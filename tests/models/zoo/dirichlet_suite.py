"""CardIO's Dirichlet network: its size, its loss, and how sure it is of a record."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.stats
from scipy.special import gammaln

from cardioflow import B, EcgDataset, Pipeline, V
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import InputError, ModelError
from cardioflow.models.layers import DirichletLikelihood
from cardioflow.models.layers.dirichlet_likelihood import log_gamma
from cardioflow.models.uncertainty import dirichlet_moments, uncertainty
from cardioflow.models.zoo.dirichlet import Dirichlet
from cardioflow.ready_pipelines import dirichlet_predict_pipeline, dirichlet_train_pipeline

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_one_lead_and_two_labels_give_the_20_004_trained_parameters_of_cardio() -> None:
    model = Dirichlet().build((1, 2048), 2).model
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 20_004
    lengths = [layer.output.shape[1] for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert lengths == [512, 512, 256, 256, 128, 128, 64, 64, 32, 32, 32, 16, 16, 16, 8, 8]


def test_the_logarithm_of_the_gamma_function_is_scipys() -> None:
    x = np.array([1e-6, 1e-3, 0.5, 1.0, 2.0, 3.7, 10.0, 123.4, 1e4], np.float32)
    found = keras.ops.convert_to_numpy(log_gamma(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, gammaln(x.astype(np.float64)), rtol=2e-6, atol=5e-6)


def test_the_loss_is_the_mean_log_likelihood_of_smoothed_labels() -> None:
    alpha = np.array([[2.0, 0.3, 1.0], [0.2, 5.0, 40.0]])
    labels = np.eye(3)[[0, 2]]
    expected = -np.mean(
        [scipy.stats.dirichlet.logpdf(s / s.sum(), a) for s, a in zip(_smooth(labels), alpha, strict=True)]
    )
    # SciPy's density is that of a point whose parts add up to 1; smoothed labels add up to 1 + k for three labels.
    surplus = np.mean((alpha - 1).sum(axis=1)) * np.log(_smooth(labels)[0].sum())
    found = DirichletLikelihood()(labels.astype(np.float32), alpha.astype(np.float32))
    assert float(keras.ops.convert_to_numpy(found)) == pytest.approx(expected - surplus, rel=1e-5)


def _smooth(labels):
    return (1 - 2e-3) * labels + 1e-3


def test_moments_are_those_of_scipys_dirichlet_distribution() -> None:
    alpha = np.array([0.7, 2.0, 4.5])
    own = scipy.stats.dirichlet(alpha)
    mean, square = dirichlet_moments(alpha[None])[0]
    np.testing.assert_allclose(mean, own.mean())
    np.testing.assert_allclose(square - mean**2, own.var())


def test_uncertainty_is_0_for_sure_segments_1_for_segments_that_contradict_each_other_and_third_for_no_knowledge():
    sure = dirichlet_moments(np.array([[1e9, 1.0]]))
    assert uncertainty(sure)[0] == pytest.approx(0, abs=1e-8)
    opposed = dirichlet_moments(np.array([[1e9, 1e-3], [1e-3, 1e9]])).mean(axis=0)
    assert uncertainty(opposed) == pytest.approx(1, abs=1e-6)
    # The uniform distribution of a probability has the variance 1/12, and the largest is 1/4.
    assert uncertainty(dirichlet_moments(np.array([[1.0, 1.0]])))[0] == pytest.approx(1 / 3)


@pytest.fixture(scope="module")
def batch() -> EcgBatch:
    rng = np.random.default_rng(0)
    signals = [
        (rng.normal(scale=0.3, size=(1, 512)) + k % 2 * np.sin(np.arange(512) / 5)).astype(np.float32) for k in range(8)
    ]
    return EcgBatch(
        ids=tuple("abcdefgh"),
        signal=Ragged.from_arrays(signals),
        meta=Meta.from_rows([{"fs": 300.0, "leads": ("I",)}] * 8),
        target=np.eye(2, dtype=np.float32)[np.arange(8) % 2],
        classes=("A", "NO"),
    )


def test_it_learns_a_batch_and_takes_other_rates_in_training_alone(batch) -> None:
    model = Dirichlet(learning_rate=1e-2, fs=300.0).build((1, 512), 2)
    varied = batch.replace(meta=batch.meta.with_columns(fs=[300.0 + k for k in range(8)]))
    # As the recipe draws them; other batches of several rates are warned of.
    drawn = varied.replace(history=("random_resample_signals",))
    losses = [model.train_on_batch(drawn)["loss"] for _ in range(25)]
    assert losses[-1] < losses[0] - 2
    assert model.train_on_batch(drawn, "accuracy")["metric"] == 1.0
    p, moments = model.predict_on_batch(batch), model.predict_moments_on_batch(batch)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(moments[:, 0], p, rtol=1e-5)
    with pytest.raises(InputError, match=r"trained on signals of 300 Hz, and record 'b' has 301 Hz"):
        model.predict_on_batch(varied[1:2])


def test_signals_that_are_too_short_are_refused() -> None:
    with pytest.raises(InputError, match="dirichlet got signals of 255 samples, but needs at least 256"):
        Dirichlet().build((1, 255))


def test_the_ready_pipelines_train_and_predict_records_with_the_uncertainty_of_their_mixture(cinc, tmp_path) -> None:
    names = sorted(path.stem for path in cinc.glob("*.hea"))[:12]
    dataset = EcgDataset([cinc / f"{name}.hea" for name in names])
    rows = (line.split(",") for line in (cinc / "REFERENCE.csv").read_text().split())
    template = dirichlet_train_pipeline({name: label for name, label in rows if name in names}, batch_size=6)
    run = (dataset >> template).run(n_epochs=1)
    assert len(run.get_variable("loss_history")) == 2
    run.save_model("dirichlet", tmp_path / "dump")
    predicted = (dataset >> dirichlet_predict_pipeline(tmp_path / "dump")).run()
    assert predicted.get_model("dirichlet").classes == ("A", "NO")
    found, unsure = (dict(predicted.get_variable(name)) for name in ("predictions_list", "uncertainty"))
    assert list(found) == list(unsure) == names
    # By hand, for one record.
    name = names[3]
    one = EcgDataset(cinc / f"{name}.hea").next_batch(1).load().flip_signals().split_signals(2048, 2048)
    alpha = run.get_model("dirichlet").model.predict(one.signal[0], verbose=0).astype(np.float64)
    total = alpha.sum(axis=1, keepdims=True)
    mean = (alpha / total).mean(axis=0)
    variance = (alpha * (alpha + 1) / total / (total + 1)).mean(axis=0) - mean**2
    np.testing.assert_allclose(found[name], mean, rtol=1e-5)
    assert unsure[name] == pytest.approx(variance[mean.argmax()] / 0.25, rel=1e-4)


def test_models_without_a_distribution_say_so(batch) -> None:
    from cardioflow.models.zoo.fft_inception import FftInception

    with pytest.raises(ModelError, match="FftInception gives no distribution of its probabilities"):
        FftInception().build((1, 512)).predict_moments_on_batch(batch)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"uncertainty": "u"}, r"uncertainty='u'\): expected V\('name'\)"),
        ({"uncertainty": V("u"), "aggregate": "max"}, "is of the mean over segments"),
        ({"uncertainty": V("u"), "save_to": B("p")}, "writes to variables"),
    ],
)
def test_uncertainty_is_written_to_a_variable_and_is_of_the_mean(arguments, text) -> None:
    with pytest.raises(InputError, match=text):
        Pipeline().predict_on_batch("dirichlet", **arguments)
