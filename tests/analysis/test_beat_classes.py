"""Early beats of the usual shape are S, wide ones V; where nothing can be said, beats are Q."""

from __future__ import annotations

import numpy as np
import pytest
from recipes.beat_classes.train import arrays_of
from sklearn.ensemble import HistGradientBoostingClassifier

from cardioflow import EcgBatch
from cardioflow.analysis.beat_classes.classify import classify_beats, evidence
from cardioflow.analysis.beat_classes.context import CONTEXT
from cardioflow.analysis.beat_classes.features import FEATURES, features, windows
from cardioflow.analysis.beat_classes.trees import Trees, card, shipped
from cardioflow.batch import Annotation
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError

FS = 360.0


def ecg(early: int | None = None, *, wide: bool = False, n: int = 60, seed: int = 0):
    """Return a lead with P, QRS and T every 0.8 s, and its beats; beat ``early`` comes 0.3 s early, without P."""
    rng = np.random.default_rng(seed)
    at = 1.0 + 0.8 * np.arange(n) + rng.normal(0, 0.01, n)
    if early is not None:
        at[early] -= 0.3
    t = np.arange(0, at[-1] + 1.5, 1 / FS)
    x = 0.01 * rng.standard_normal(t.size)

    def bump(center: float, width: float, height: float) -> None:
        nonlocal x
        x = x + height * np.exp(-0.5 * ((t - center) / width) ** 2)

    for k, own in enumerate(at):
        if k == early and wide:
            bump(own, 0.045, -1.6)
            bump(own + 0.25, 0.07, 0.6)
            continue
        bump(own - 0.16, 0.02, 0.15 if k != early else 0.05)
        bump(own, 0.012, 1.2)
        bump(own + 0.028, 0.012, -0.25)
        bump(own + 0.28, 0.04, 0.3)
    return x[None].astype(np.float32), np.round(at * FS).astype(np.int64)


def test_the_trees_say_what_scikit_learn_says_of_them() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 5)).astype(np.float32).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.array(["F", "N", "S", "V"])[(np.nan_to_num(x[:, 0]) > 0) * 2 + (np.nan_to_num(x[:, 1]) > 0.5)]
    model = HistGradientBoostingClassifier(max_iter=7, max_leaf_nodes=6, min_samples_leaf=5).fit(x, y)
    trees = Trees(**arrays_of(model))
    np.testing.assert_allclose(trees.probabilities(x), model.predict_proba(x), atol=1e-5)


def test_the_shipped_trees_fit_their_card() -> None:
    trees = shipped()
    assert tuple(card()["features"]) == FEATURES + CONTEXT
    assert int(trees.feature.max()) < len(FEATURES) + len(CONTEXT)
    assert int(shipped("first").feature.max()) < len(FEATURES)
    assert trees.roots.shape == (card()["options"]["max_iter"], 4)
    assert len(card()["training_data"]) == 22
    # Patients of the test part were not trained on.
    assert not {"mitdb/100", "mitdb/232", "mitdb/202"} & set(card()["training_data"])


def test_an_early_beat_of_the_usual_shape_is_supraventricular_and_a_wide_one_ventricular() -> None:
    signal, beats = ecg()
    assert set(classify_beats(signal, FS, beats).symbol) == {"N"}
    for wide, expected in ((False, "S"), (True, "V")):
        signal, beats = ecg(early=30, wide=wide)
        found = classify_beats(signal, FS, beats).symbol
        assert found[30] == expected
        assert set(np.delete(found, 30)) == {"N"}


def test_classes_do_not_depend_on_the_gain_and_little_on_the_rate() -> None:
    signal, beats = ecg(early=30, wide=True)
    one = classify_beats(signal, FS, beats)
    louder = classify_beats(3 * signal, FS, beats)
    np.testing.assert_allclose(louder.probability, one.probability, atol=0.05)
    half = classify_beats(signal[:, ::2], FS / 2, beats // 2)
    assert half.symbol.tolist() == one.symbol.tolist()
    assert np.allclose(one.probability.sum(axis=1), 1)


def test_few_beats_and_beats_without_samples_are_unknown() -> None:
    signal, beats = ecg(early=30)
    few = classify_beats(signal, FS, beats[:7])
    assert few.symbol.tolist() == ["Q"] * 7
    assert np.isnan(few.probability).all()
    gone = signal.copy()
    gone[:, beats[10] - 50 : beats[12] + 50] = np.nan
    found = classify_beats(gone, FS, beats)
    assert found.symbol[10:13].tolist() == ["Q"] * 3
    assert found.symbol[30] == "S"
    flat = classify_beats(np.zeros_like(signal), FS, beats)
    assert len(flat.symbol) == len(beats)
    assert classify_beats(signal, FS, []).symbol.tolist() == []
    # A lead without any sample leaves the verdict to the other one.
    both = np.concatenate([signal, np.full_like(signal, np.nan)])
    assert classify_beats(both, FS, beats).symbol.tolist() == classify_beats(signal, FS, beats).symbol.tolist()


@pytest.mark.parametrize("beats", [[5, 3], [-1, 4], [3.5, 9.0], [0, 10**9], [[1, 2]]])
def test_beats_that_are_no_rising_samples_are_refused(beats) -> None:
    signal, _ = ecg()
    with pytest.raises(InputError, match="are not rising samples of the signal"):
        classify_beats(signal, FS, beats)


def test_a_rate_or_a_shape_that_cannot_be_is_refused() -> None:
    signal, beats = ecg()
    with pytest.raises(InputError, match=r"fs=50\) is not a rate of at least 80 Hz"):
        classify_beats(signal, 50, beats)
    with pytest.raises(InputError, match=r"shape \(\d+,\)\. Pass \(lead, time\)"):
        classify_beats(signal[0], FS, beats)


def test_features_of_a_beat_are_those_of_its_neighbours_and_of_the_record() -> None:
    signal, beats = ecg(early=30)
    found = features(windows(signal, FS, beats), FS, beats)
    assert found.shape == (60, len(FEATURES))
    column = dict(zip(FEATURES, found.T, strict=True))
    rr = np.diff(beats) / FS
    assert column["rr_s"][30] == pytest.approx(rr[29])
    assert column["next_rr_s"][30] == pytest.approx(rr[30])
    assert column["rr_to_record"][30] == pytest.approx(rr[29] / np.median(rr))
    assert np.isnan(column["rr_s"][0])
    assert column["qrs_likeness_mean"][30] > 0.98


def runs_of_early_beats(n: int = 60):
    """Return a lead of atrial runs and pauses, its beats, and which are early: three of four, with another P wave."""
    fs, at, early, now = FS, [], [], 1.0
    rng = np.random.default_rng(0)
    for k in range(n):
        early.append(k % 4 != 0)
        now += (0.55 if early[-1] else 1.5) + rng.normal(0, 0.01)
        at.append(now)
    t = np.arange(0, now + 1.5, 1 / fs)
    x = 0.005 * rng.standard_normal(t.size)
    waves = [(0.0, 0.012, 1.2), (0.028, 0.012, -0.25), (0.26, 0.04, 0.3)]
    for own, soon in zip(at, early, strict=True):
        for shift, width, height in [(-0.16, 0.02, 0.15) if not soon else (-0.12, 0.015, -0.06), *waves]:
            x += height * np.exp(-0.5 * ((t - own - shift) / width) ** 2)
    return x[None].astype(np.float32), np.round(np.array(at) * fs).astype(np.int64), np.array(early)


def test_the_context_of_early_beats_is_that_of_the_beats_after_pauses_even_where_most_are_early() -> None:
    signal, beats, early = runs_of_early_beats()
    x, around = evidence(signal, FS, beats)
    column = dict(zip(FEATURES + CONTEXT, x.T, strict=True))
    # In units of what prevails, an early beat is usual; of the beats after pauses, it comes at a third of their time.
    assert abs(np.log(np.median(column["rr_to_record"][early]))) < 0.05
    np.testing.assert_allclose(column["rr_to_sure"][20:-20][early[20:-20]], np.log(0.55 / 1.5), atol=0.1)
    assert (column["p_likeness_to_sure"][8:][early[8:]] < 0).all()
    assert np.median(column["p_likeness_to_sure"][8:][~early[8:]]) > 0.9
    np.testing.assert_allclose(column["onset_of_run"][20:-20][early[20:-20]], np.log(0.55 / 1.5), atol=0.1)
    assert not around.fibrillating.any()


def test_early_beats_in_atrial_fibrillation_are_not_called_supraventricular() -> None:
    made = simulate_ecg(3, rhythm="AF", fs=250.0, duration_s=90.0, leads=("II",))
    _, around = evidence(made.signal, 250.0, made.r_peaks)
    assert around.fibrillating.mean() > 0.9
    found = classify_beats(made.signal, 250.0, made.r_peaks)
    assert not (found.symbol == "S").any()
    np.testing.assert_allclose(found.probability.sum(axis=1), 1, atol=1e-9)


def test_beats_after_a_spike_of_a_pacemaker_are_unknown_where_the_rate_shows_spikes() -> None:
    signal, beats = ecg()
    up = np.stack([np.interp(np.arange(signal.shape[1] * 1000 // 360) * 0.36, np.arange(signal.shape[1]), signal[0])])
    at = beats * 1000 // 360
    spikes = at[10:20] - 60
    up[:, spikes] += 3.0
    found = classify_beats(up.astype(np.float32), 1000.0, at)
    assert found.symbol[10:20].tolist() == ["Q"] * 10
    assert np.isnan(found.probability[10:20]).all()
    assert set(np.delete(found.symbol, np.arange(10, 20))) == {"N"}


def test_the_action_writes_events_beside_the_beats_and_leaves_paced_beats_unknown() -> None:
    signal, beats = ecg(early=30, wide=True)
    symbol = np.full(60, "N")
    symbol[5], symbol[6] = "/", "+"
    batch = EcgBatch.from_arrays(signal[None], fs=FS, leads=["II"], annotations=[Annotation(beats, symbol)])
    found = batch.classify_beats("annotation").beat_classes[0]
    # The change of rhythm is no beat.
    assert found.sample.tolist() == np.delete(beats, 6).tolist()
    assert found.symbol[5] == "Q"
    assert np.isnan(found.confidence[5])
    assert found.symbol[29] == "V"
    assert 0.25 < found.confidence[29] <= 1
    assert batch.annotation[0].symbol[30] == "N"
    with pytest.raises(InputError, match=r"cannot write events to the metadata"):
        batch.classify_beats(dst="meta")
    with pytest.raises(InputError, match=r"classify_beats\(src='signal'\) holds no events"):
        batch.classify_beats("signal")


def test_beats_of_a_long_record_are_compared_within_stretches_of_it(monkeypatch) -> None:
    signal, beats = ecg(early=40, n=80)
    whole = features(windows(signal, FS, beats), FS, beats)
    monkeypatch.setattr("cardioflow.analysis.beat_classes.features._STRETCH", 50)
    parts = features(windows(signal, FS, beats), FS, beats)
    alike = [name.startswith("alike") for name in FEATURES]
    np.testing.assert_array_equal(parts[:, np.logical_not(alike)], whole[:, np.logical_not(alike)])
    assert not np.array_equal(parts[:, alike], whole[:, alike])
    assert np.isfinite(parts[:, alike]).all()


def test_paced_beats_at_a_low_rate_are_noted_and_are_unknown_where_a_device_marked_the_spikes() -> None:
    signal, beats = ecg()
    found = classify_beats(signal, FS, beats)
    assert found.notes == ("paced beats are not told apart: spikes are seen from 500 Hz on, and this is 360 Hz",)
    # Two of the spikes lie 50 ms before their beats, the third 0.4 s before one.
    marked = classify_beats(signal, FS, beats, spikes=beats[[10, 11, 12]] - [18, 18, 144])
    assert marked.notes == ()
    assert np.flatnonzero(marked.symbol == "Q").tolist() == [10, 11]
    assert np.isnan(marked.probability[[10, 11]]).all()
    assert (marked.symbol[12:] == found.symbol[12:]).all()


def test_too_few_beats_are_unknown_and_the_reason_stands_beside_them() -> None:
    signal, beats = ecg(n=7)
    found = classify_beats(signal, FS, beats)
    assert found.symbol.tolist() == ["Q"] * 7
    assert found.notes == ("7 beats are fewer than the 8 that a beat is compared with",)
    assert classify_beats(signal, FS, beats[:0]).notes == ("0 beats are fewer than the 8 that a beat is compared with",)
