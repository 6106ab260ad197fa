"""The hidden Markov model in pipelines: real records in, states out, and files that run no code."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.beat_states import UNKNOWN, WAVES, allowed_states, states_of
from cardioflow.analysis.gaussian_hmm import GaussianHmm
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, DumpError, InputError, ModelError
from cardioflow.models import HMModel
from cardioflow.models._signature import InputSignature
from cardioflow.models.adapters import from_dump
from cardioflow.models.zoo.hmm import Hmm
from cardioflow.ready_pipelines import hmm_predict_pipeline, hmm_preprocessing_pipeline, hmm_train_pipeline

SMALL = GaussianHmm([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], [[-1.0], [1.0]], [[[0.5]], [[0.5]]])


def batch(*lengths: int, fs: float = 250.0) -> EcgBatch:
    rng = np.random.default_rng(0)
    x = [np.where(np.arange(n) // 50 % 2, 1.0, -1.0)[None] + 0.3 * rng.normal(size=(1, n)) for n in lengths]
    return EcgBatch(
        ids=tuple(f"R{i}" for i in range(len(lengths))),
        signal=Ragged.from_arrays([own.astype(np.float32) for own in x]),
        meta=Meta.from_rows([{"fs": fs, "leads": ("II",)}] * len(lengths)),
    )


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The 19 states, trained on a minute of two records of QTDB."""
    dataset = EcgDataset([data / "qtdb" / f"{name}.hea" for name in ("sel16420", "sel230")])
    minute = (
        Pipeline()
        .load(components=["signal", "annotation", "meta"], ann_ext="pu1", start_s=300, stop_s=360)
        .resample_signals(250)
        .cwt([4, 8, 16], "mexh", dst="hmm_features")
        .standardize(axis=-1, src="hmm_features", dst="hmm_features")
    )
    run = (dataset >> hmm_train_pipeline(minute, n_iter=3)).run()
    path = tmp_path_factory.mktemp("hmm") / "hmm.model"
    run.save_model("hmm", path)
    return dataset, run, path


def test_em_sees_all_records_at_once_and_gains_likelihood_whatever_the_batch_size(trained) -> None:
    _, run, _ = trained
    model = run.get_model("hmm")
    assert len(model.log_likelihoods) == 3
    assert (np.diff(model.log_likelihoods) > 0).all()
    assert model.hist["train_loss"] == run.get_variable("hmm.train_loss")
    assert len(model.hist["train_loss"]) == 1
    assert model.fs == 250
    assert model.model.transitions.shape == (19, 19)


def test_the_ready_pipeline_finds_the_heart_rate_that_the_annotation_has(trained) -> None:
    dataset, _, path = trained
    (found,) = list((dataset >> hmm_predict_pipeline(path)).batches())
    reference = (dataset >> hmm_preprocessing_pipeline()).next_batch()
    for i, name in enumerate(found.ids):
        states = found.hmm_annotation[i]
        assert states.shape == (reference.signal[i].shape[1],)
        marks = reference.annotation[i]
        beats = marks.sample[marks.symbol == "N"] / 250
        measured = found.ecg_parameters[i]
        assert measured["hr"] == pytest.approx(60 / np.median(np.diff(beats)), rel=0.03), name
        assert 0.04 < measured["qrs"] < 0.16
        assert 0.3 < measured["qt"] < 0.5


def test_states_with_durations_of_their_own_are_learned_saved_and_kept_in_step_with_the_beats(
    trained, tmp_path
) -> None:
    dataset, run, _ = trained
    plain = run.get_model("hmm")
    batch = (dataset >> hmm_preprocessing_pipeline()).next_batch()
    model = Hmm(n_iter=0, durations=True).build(plain.model)
    model.train_on_batch(batch)
    model.end_run()
    mean = model.durations @ np.arange(1, model.durations.shape[1] + 1) / 250
    # A QRS of 60 to 120 ms, and a beat of 0.5 to 1.2 s.
    assert 0.06 < mean[list(WAVES["QRS"])].sum() < 0.12
    assert 0.5 < mean.sum() < 1.2
    found, loose = model.predict_on_batch(batch), plain.predict_on_batch(batch)
    for own, other in zip(found, loose, strict=True):
        assert 0.5 < np.mean(own == other) < 1
        beats = [np.sum((s[1:] == 0) & (s[:-1] > 0)) for s in (own, other)]
        assert beats[0] == pytest.approx(beats[1], rel=0.05)
    model.save(tmp_path / "long.model")
    again = from_dump(tmp_path / "long.model")
    assert all(np.array_equal(a, b) for a, b in zip(again.predict_on_batch(batch), found, strict=True))
    assert len(again.get_weights()) == len(plain.get_weights()) + 1


def test_a_dump_is_loaded_without_code_and_predicts_the_same(trained) -> None:
    dataset, run, path = trained
    features = (dataset >> hmm_preprocessing_pipeline()).next_batch()
    again = from_dump(path)
    assert type(again) is Hmm
    ours, theirs = run.get_model("hmm").predict_on_batch(features), again.predict_on_batch(features)
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    loss = run.get_model("hmm").test_on_batch(features)["loss"]
    assert again.test_on_batch(features)["loss"] == loss


def test_a_model_of_ones_own_learns_its_states_from_ragged_records() -> None:
    model = HMModel(features="signal").build(SMALL)
    for part in (batch(300, 1000), batch(750)):
        assert model.train_on_batch(part) == {}
    assert model.end_run()["loss"] < 1
    np.testing.assert_allclose(model.model.means[:, 0], [-1, 1], atol=0.05)
    np.testing.assert_allclose(model.model.covariances[:, 0, 0], 0.09, atol=0.02)
    states = model.predict_on_batch(batch(200))[0]
    assert np.mean(states == np.arange(200) // 50 % 2) > 0.99


def test_training_goes_on_from_a_checkpoint_to_the_same_model(tmp_path) -> None:
    whole, first, again = (HMModel(features="signal").build(SMALL) for _ in range(3))
    for part in (batch(300), batch(500)):
        whole.train_on_batch(part)
    first.train_on_batch(batch(300))
    first.save_state(tmp_path)
    again.load_state(tmp_path)
    again.train_on_batch(batch(500))
    assert whole.end_run() == again.end_run()
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), again.get_weights(), strict=True))


def test_damaged_and_foreign_weights_are_dump_errors(tmp_path) -> None:
    model = HMModel(features="signal").build(SMALL)
    model._write(tmp_path)
    weights = tmp_path / "weights.safetensors"
    arrays = load_file(weights)
    header = model._header()
    save_file(
        {**arrays, "transitions": arrays["transitions"] * 2},
        weights,
        {"hmm": '{"features": "x", "channel": 0, "covariance": "full"}'},
    )
    with pytest.raises(DumpError, match="is not a distribution"):
        HMModel()._read(weights, header)
    save_file(arrays, weights, {"hmm": '{"features": "x", "channel": -1, "covariance": "full"}'})
    with pytest.raises(DumpError, match="The dump of HMModel is damaged"):
        HMModel()._read(weights, header)
    save_file(arrays, weights)
    with pytest.raises(DumpError, match="damaged"):
        HMModel()._read(weights, header)


def test_what_it_cannot_take_is_said() -> None:
    model = HMModel(features="signal").build(SMALL)
    with pytest.raises(ConfigError, match="there is no metric of targets"):
        model.train_on_batch(batch(300), "f1")
    with pytest.raises(ModelError, match="is not fitted yet"):
        HMModel(features="signal").predict_on_batch(batch(300))
    model.train_on_batch(batch(300))
    with pytest.raises(InputError, match="trained on signals of 250 Hz, and record 'R0' has 500 Hz"):
        model.predict_on_batch(batch(300, fs=500.0))
    rows = [np.array(own) for own in batch(300, 200).signal]
    rows[1][0, 5] = np.nan
    bad = batch(300, 200).replace(signal=Ragged.from_arrays(rows))
    with pytest.raises(InputError, match="The observations of record 'R1' are empty, or NaN"):
        model.predict_on_batch(bad)
    bare = Hmm(features="signal")
    bare.train_on_batch(batch(300))
    with pytest.raises(InputError, match=r"0 samples are marked as state 0 \(QRS\), and 2 or more are needed"):
        bare.end_run()


BEAT = (("(", 10), ("p", 20), (")", 31), ("(", 40), ("N", 50), (")", 60), ("(", 70), ("t", 90), (")", 120))


def test_marks_become_states_in_the_order_of_a_beat() -> None:
    marks = [(code, at + shift) for shift in (0, 200) for code, at in BEAT]
    states = states_of(np.array([at for _, at in marks]), [code for code, _ in marks], 400, 250.0)
    assert (states[:10] == UNKNOWN).all()
    for part, start, stop in (
        ("P", 10, 32),
        ("PQ", 32, 40),
        ("QRS", 40, 61),
        ("ST", 61, 70),
        ("T", 70, 121),
        ("ISO", 121, 210),
    ):
        own = states[start:stop]
        assert set(own.tolist()) == set(WAVES[part]), part
        assert (np.diff(own) >= 0).all()
    assert (states[321:] == UNKNOWN).all()


def test_a_beat_without_p_may_end_iso_in_pq_and_what_is_unknown_may_be_anything() -> None:
    marks = [(code, at + shift) for shift in (0, 200) for code, at in (BEAT if not shift else BEAT[3:])]
    states = states_of(np.array([at for _, at in marks]), [code for code, _ in marks], 400, 250.0)
    allowed = allowed_states(states, 250.0)
    assert (states[121:240] >= 11).all()
    assert (states[121:240] <= 13).all()
    assert allowed[180, 11:14].all()
    assert not allowed[180, :11].any()
    assert allowed[238, 17:].all()
    assert allowed[:8].all()
    assert allowed[350:].all()


def test_the_loss_of_a_test_is_the_negative_log_likelihood_per_sample() -> None:
    """By the forward algorithm, written out here."""
    model, own = HMModel(), batch(40, 30)
    model.model, model.features = SMALL, "signal"
    total = 0.0
    for i in range(2):
        x = own.signal[i][0].astype(float)
        density = np.exp(-((x[:, None] - [-1.0, 1.0]) ** 2) / (2 * 0.5)) / np.sqrt(2 * np.pi * 0.5)
        alpha = np.array([0.5, 0.5]) * density[0]
        for p in density[1:]:
            alpha = alpha @ np.array([[0.9, 0.1], [0.1, 0.9]]) * p
        total += np.log(alpha.sum())
    assert model.test_on_batch(own)["loss"] == pytest.approx(-total / 70, rel=1e-6)
    assert model.hist["val_loss"] == [pytest.approx(-total / 70, rel=1e-6)]
    model._signature = InputSignature(None, 250.0)
    with pytest.raises(InputError, match=r"500(\.0)? Hz"):
        model.test_on_batch(batch(40, fs=500.0))


def test_the_end_of_a_run_keeps_the_loss_and_forgets_the_records() -> None:
    model = HMModel()
    model.model, model.features, model.n_iter = SMALL, "signal", 2
    model.train_on_batch(batch(60, 40))
    found = model.end_run()
    assert model.hist["train_loss"] == [found["loss"]]
    assert model.test_on_batch(batch(60, 40))["loss"] == pytest.approx(found["loss"], rel=1e-9)
    assert model.end_run() == {}


def test_records_of_another_rate_than_the_first_are_refused_in_training() -> None:
    model = HMModel()
    model.model, model.features = SMALL, "signal"
    model.train_on_batch(batch(40, fs=250.0))
    with pytest.raises(InputError, match="500"):
        model.train_on_batch(batch(40, fs=500.0))
    two = batch(40, 40)
    mixed = HMModel()
    mixed.model, mixed.features = SMALL, "signal"
    with pytest.raises(InputError, match="500"):
        mixed.train_on_batch(two.replace(meta=Meta({"fs": [250.0, 500.0], "leads": [("II",)] * 2}, 2)))
