"""Learning without labels: losses by their formulas, what the models are given, and the way to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

from cardioflow import EcgDataset, Pipeline, model
from cardioflow.batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.models import KerasBaseModel
from cardioflow.models.pretraining import Cmsc, Cpc, MaskedReconstruction, SimClr, transfer_encoder
from cardioflow.models.pretraining.contrastive import NormalizedCrossEntropy
from cardioflow.models.pretraining.cpc import NextSteps
from cardioflow.models.pretraining.masked_reconstruction import HiddenSamples
from cardioflow.models.zoo.fft_inception import FftInception
from cardioflow.models.zoo.resnet1d_wang import Resnet1dWang

RNG = np.random.default_rng(0)
SCALE = [("random_amplitude_scale", {"low": 0.5, "high": 2.0})]


def encoder() -> Resnet1dWang:
    return Resnet1dWang(filters=4, leads="any", units="any")


def batch(n: int = 6, shape: tuple[int, int] = (2, 120)) -> EcgBatch:
    signals = np.random.default_rng(1).normal(size=(n, *shape)).astype(np.float32)
    return EcgBatch.from_arrays(signals, fs=100, leads=["I", "II"][: shape[0]])


def test_nt_xent_of_pairs_and_of_three_segments_is_that_of_its_formula() -> None:
    z, group = RNG.normal(size=(7, 5)).astype(np.float32), np.array([0, 0, 1, 1, 2, 2, 2])
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    similar = unit @ unit.T / 0.2
    expected = []
    for i in range(7):
        others = [j for j in range(7) if j != i]
        partners = [j for j in others if group[j] == group[i]]
        expected.append(-np.mean([similar[i, j] - logsumexp(similar[i, others]) for j in partners]))
    loss = NormalizedCrossEntropy(0.2)
    assert float(loss(group[:, None], z)) == pytest.approx(np.mean(expected), rel=1e-5)
    assert NormalizedCrossEntropy.from_config(loss.get_config()).temperature == 0.2


def test_info_nce_finds_the_next_step_among_those_of_the_record_and_the_same_of_others() -> None:
    steps, guesses = RNG.normal(size=(3, 6, 4)), RNG.normal(size=(3, 6, 2, 4))
    expected = []
    for ahead in (1, 2):
        for r in range(3):
            for t in range(6 - ahead):
                guess = guesses[r, t, ahead - 1] / 2
                own = [guess @ steps[r, s] for s in range(ahead, 6)]
                others = [guess @ steps[q, t + ahead] for q in range(3) if q != r]
                expected.append((1 / (6 - ahead), logsumexp(own + others) - guess @ steps[r, t + ahead]))
    mean = sum(w * v for w, v in expected) / sum(w for w, _ in expected)
    packed = np.concatenate([steps, guesses.reshape(3, 6, 8)], axis=-1).astype(np.float32)
    assert float(NextSteps(2)(np.zeros((3, 1)), packed)) == pytest.approx(mean, rel=1e-5)


def test_the_error_of_hidden_samples_does_not_look_at_the_others() -> None:
    x = RNG.normal(size=(2, 3, 8)).astype(np.float32)
    mask = np.array([[1, 1, 0, 0, 0, 0, 1, 1], [0, 0, 1, 0, 0, 0, 0, 0]], np.float32)
    guess = RNG.normal(size=x.shape).astype(np.float32)
    rows = [((x[i] - guess[i]) ** 2)[:, mask[i] > 0].mean() for i in range(2)]
    y = np.concatenate([x, mask[:, None]], axis=1)
    assert float(HiddenSamples()(y, guess)) == pytest.approx(np.mean(rows), rel=1e-5)


def test_half_of_the_patches_are_hidden_in_all_leads_and_others_in_the_next_epoch() -> None:
    made = MaskedReconstruction(encoder(), hidden=0.5, patch=20).build((2, 120))
    sample = made._take(batch())
    mask = sample.y[:, -1]
    assert (mask.reshape(6, 6, 20).mean(axis=2).sum(axis=1) == 3).all()
    assert np.isin(mask.reshape(6, 6, 20).mean(axis=2), (0, 1)).all()
    x = batch().signal.dense()
    assert np.array_equal(sample.x, x * (1 - mask[:, None]))
    assert np.array_equal(sample.y[:, :2], x)
    assert len({own.tobytes() for own in mask}) > 1
    assert not np.array_equal(made._take(batch().replace(epoch=1)).y[:, -1], mask)
    # A record is hidden alike in any batch.
    assert np.array_equal(made._take(batch()[3:5]).y[:, -1], mask[3:5])


def test_two_views_of_a_record_differ_and_stand_for_one_row() -> None:
    made = SimClr(encoder(), SCALE).build((2, 120))
    sample = made._take(batch())
    x = batch().signal.dense()
    ratios = sample.x.reshape(2, 6, -1) / x.reshape(1, 6, -1)
    np.testing.assert_allclose(ratios, ratios[:, :, :1] * np.ones_like(ratios), rtol=1e-3)
    assert len(np.unique(np.round(ratios[:, :, 0], 4))) == 12
    assert sample.y[:, 0].tolist() == [*range(6), *range(6)]


def test_segments_belong_to_their_record_or_to_the_patient_in_a_component() -> None:
    made = Cmsc(encoder()).build((2, 60))
    cut = batch(3).split_signals(60, 60)
    assert made._take(cut).y[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    by_patient = Cmsc(encoder(), groups="patient").build((2, 60))
    with_patients = cut.with_component("patient", np.array(["b", "a", "b"]))
    assert by_patient._take(with_patients).y[:, 0].tolist() == [1, 1, 0, 0, 1, 1]
    with pytest.raises(InputError, match="Row '0' is the only one of its record in the batch"):
        made._take(batch(2, (2, 60)).replace(ids=("0", "1")))
    with pytest.raises(InputError, match="All rows of the batch are of one record"):
        made._take(cut[:1])


def prepared() -> Pipeline:
    return Pipeline().load(fmt="wfdb").resample_signals(100).standardize().random_split_signals(300, 2)


@pytest.mark.parametrize("kind", ["masked", "cpc"])
def test_a_task_is_learned_on_real_records_saved_and_given_to_a_classifier(
    kind: str, cinc: Path, tmp_path: Path
) -> None:
    made = {
        "masked": lambda: MaskedReconstruction(encoder(), patch=30, learning_rate=1e-2),
        "cpc": lambda: Cpc(encoder(), n_ahead=2, width=8, learning_rate=1e-2),
    }[kind]().build((1, 300))
    (records,) = (EcgDataset(sorted(cinc.glob("*.hea"))[:8]) >> prepared()).batches(8)
    losses = [made.train_on_batch(records.replace(epoch=epoch))["loss"] for epoch in range(12)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    made.save(tmp_path / "encoder")
    classifier = encoder().build((1, 300), n_outputs=3)
    before = {layer.name: layer.get_weights() for layer in classifier.model.layers}
    filled = transfer_encoder(KerasBaseModel().load(tmp_path / "encoder"), classifier)
    assert filled[0].startswith("stem")
    assert "head-dense" not in filled  # behind the last layer that has time, from which both learn
    own = {layer.name: layer for layer in made.model.layers}
    for layer in classifier.model.layers:
        expected = own[layer.name].get_weights() if layer.name in filled else before[layer.name]
        for mine, theirs in zip(layer.get_weights(), expected, strict=True):
            assert np.array_equal(mine, theirs)
    classifier.save(tmp_path / "start")
    tuned = Resnet1dWang(filters=4, leads="any", units="any", pretrained=str(tmp_path / "start")).build((1, 300), 2)
    stem = tuned.model.get_layer(filled[0]).get_weights()[0]
    assert np.array_equal(stem, own[filled[0]].get_weights()[0])


def test_a_contrastive_encoder_gives_all_layers_before_the_answer() -> None:
    source, target = SimClr(encoder(), SCALE).build((2, 120)), encoder().build((2, 120))
    filled = transfer_encoder(source, target)
    assert set(filled) == {layer.name for layer in target.model.layers if layer.weights} - {"answer"}


def test_an_encoder_is_trained_from_a_pipeline(cinc: Path) -> None:
    @model(mode="dynamic")
    def cmsc_of_segments(batch: EcgBatch) -> KerasBaseModel:
        return Cmsc(encoder(), learning_rate=1e-2).build(batch.signal[0].shape)

    data = EcgDataset(sorted(cinc.glob("*.hea"))[:16])
    run = (data >> prepared().train_on_batch("cmsc_of_segments")).run(batch_size=8, n_epochs=6, seed=1)
    losses = run.get_variable("cmsc_of_segments.train_loss")
    assert len(losses) == 12
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_what_cannot_be_a_task_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match="expected a network of the zoo with features of its own"):
        MaskedReconstruction(FftInception())
    with pytest.raises(ModelError, match=r"has no encoder\. Pass one"):
        Cpc().build((1, 300))
    with pytest.raises(ConfigError, match="two views would be the same"):
        SimClr(encoder(), [("flip_signals", {})])
    with pytest.raises(ConfigError, match="expected a share between 0 and 1"):
        MaskedReconstruction(encoder(), hidden=1.0)
    with pytest.raises(ModelError, match="has one patch of 500, and nothing would be left to see"):
        MaskedReconstruction(encoder(), patch=500).build((2, 120))._take(batch())
    with pytest.raises(ModelError, match="Cpc predicts 40 ahead"):
        Cpc(encoder(), n_ahead=40).build((2, 120))
    with pytest.raises(ModelError, match=r"Layer 'stem.*' of Resnet1dWang has weights of the shapes"):
        transfer_encoder(encoder().build((2, 120)), encoder().build((1, 120)))
    with pytest.raises(ModelError, match="a contrastive model gives embeddings and no answers"):
        SimClr(encoder(), SCALE).targets.metric_arguments("f1", "predict", np.zeros(1), np.zeros(1))


def test_an_encoder_of_any_kind_has_a_sequence_to_learn_from() -> None:
    from cardioflow import registry
    from cardioflow.models.zoo._network import ZooNetwork

    tried: list[Any] = []
    for name in ("crnn", "patch_transformer"):
        kind = registry.models.get(name)
        assert issubclass(kind, ZooNetwork)
        made = MaskedReconstruction(kind(**kind.example_settings), patch=50).build((1, 512))
        assert made.model.output_shape == (None, 1, 512)
        tried.append(made)
    assert len(tried) == 2
