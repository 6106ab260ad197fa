"""Disturbances have the requested strength and come from the record's own random numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.batch import Annotation
from cardioflow.dsp.noise import noise_power, signal_power
from cardioflow.errors import InputError, LabelError


@pytest.fixture
def still(make):
    """Twenty flat records of two leads, so that additions can be measured."""
    return make(*[np.zeros((2, 5000))] * 20, fs=250)


def test_white_noise_has_the_deviation_asked_for_and_no_colour(still):
    done = still.random_gaussian_noise(0.05).signal.dense()
    assert done.std(axis=-1) == pytest.approx(0.05, rel=0.1)
    f, p = scipy.signal.welch(done, 250, nperseg=500)
    assert p[..., (f > 5) & (f < 60)].mean() == pytest.approx(p[..., (f > 60) & (f < 120)].mean(), rel=0.05)


def test_a_strength_is_drawn_once_per_record_from_its_range(still):
    spread = still.random_gaussian_noise((0.1, 0.3)).signal.dense().std(axis=-1)
    assert 0.09 < spread.min() < 0.15
    assert 0.25 < spread.max() < 0.31
    np.testing.assert_allclose(spread[:, 0], spread[:, 1], rtol=0.1)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_coloured_noise_falls_with_its_exponent(still, exponent):
    done = still.random_coloured_noise(exponent, 0.1).signal.dense().astype(float)
    np.testing.assert_allclose(done.std(axis=-1), 0.1, rtol=1e-4)
    f, p = scipy.signal.periodogram(done, 250)
    band = (f > 0.5) & (f < 100)
    slope = np.polyfit(np.log(f[band]), np.log(p[..., band].mean(axis=(0, 1))), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.1)


def test_wander_is_slow_and_of_the_amplitude_asked_for(still):
    done = still.random_baseline_wander(0.3, (0.1, 0.4)).signal.dense().astype(float)
    assert 0.05 < np.abs(done).max() <= 0.3
    f, p = scipy.signal.periodogram(done, 250, window="hann")
    assert p[..., f < 1].sum() > 0.999 * p.sum()


def test_mains_hum_at_one_of_the_frequencies_in_all_leads(still):
    done = still.random_powerline(0.1, (50, 60)).signal.dense().astype(float)
    f, p = scipy.signal.periodogram(done, 250, window="hann")
    peak = f[p.argmax(axis=-1)]
    assert set(np.round(peak / 10).ravel().tolist()) == {5.0, 6.0}
    assert (np.abs(done).max(axis=-1) <= 0.1 + 1e-6).all()


def test_hum_above_half_the_sampling_rate_is_not_added(make):
    assert not make(np.zeros((1, 500)), fs=90).random_powerline(1.0, 50).signal.data.any()


def test_one_factor_scales_a_record_or_one_each_lead(twelve):
    whole = twelve.random_amplitude_scale(0.5, 2)
    ratio = whole.signal.data / np.where(twelve.signal.data == 0, 1, twelve.signal.data)
    own = [ratio[a:b][twelve.signal.data[a:b] != 0] for a, b in zip(twelve.signal.offsets, twelve.signal.offsets[1:])]  # noqa: B905 -- neighbours
    for factors in own:
        assert np.ptp(factors) < 1e-5
        assert 0.5 <= factors[0] <= 2
    by_lead = twelve.random_amplitude_scale(0.5, 2, per_lead=True).signal[0]
    assert len({round(float(a.std() / b.std()), 5) for a, b in zip(by_lead, twelve.signal[0], strict=True)}) == 12


def test_leads_drop_out_with_the_given_probability_and_never_all_of_them(make):
    batch = make(*[np.ones((12, 50))] * 200)
    lost = (batch.random_lead_dropout(0.3).signal.dense() == 0).all(axis=-1)
    # 2400 draws of probability 0.3; five standard deviations are 0.047.
    assert lost.mean() == pytest.approx(0.3, abs=0.047)
    assert (batch.random_lead_dropout(1.0, n_keep=3).signal.dense()[:, :, 0].sum(axis=1) == 3).all()
    assert make(np.ones((1, 9))).random_lead_dropout(1.0).signal.data.all()


def test_a_lead_that_drops_out_is_zero_also_where_its_samples_are_missing_or_negative(make):
    x = np.full((4, 50), -1.0)
    x[:, ::7] = np.nan
    done = make(x).random_lead_dropout(1.0, n_keep=1).signal[0]
    kept = np.isnan(done).any(axis=1)
    assert kept.sum() == 1
    np.testing.assert_array_equal(done[kept], x[kept])
    assert not done[~kept].any()
    assert not np.signbit(done[~kept]).any()


def test_a_warped_record_keeps_its_length_its_ends_and_its_beats(twelve):
    done = twelve.random_time_warp(0.4)
    assert done.signal.shapes.tolist() == twelve.signal.shapes.tolist()
    np.testing.assert_allclose(done.signal[0][:, [0, -1]], twelve.signal[0][:, [0, -1]], atol=1e-5)
    moved = 0
    for i in range(3):
        before, after = twelve.annotation[i], done.annotation[i]
        assert (np.diff(after.sample) >= 0).all()
        assert after.symbol.tolist() == before.symbol.tolist()
        lead = twelve.meta[i]["leads"].index("II")
        peaks = before.symbol == "N"
        # What stood under the mark stands under it still, but for the rounding to a sample.
        slope = np.abs(np.diff(twelve.signal[i][lead])).max()
        gap = done.signal[i][lead][after.sample[peaks]] - twelve.signal[i][lead][before.sample[peaks]]
        assert np.abs(gap).max() <= 1.5 * slope
        moved = max(moved, int(np.abs(after.sample - before.sample).max()))
    assert moved > 50


def test_noise_is_added_at_the_ratio_of_nst(make):
    rng = np.random.default_rng(1)
    peaks = np.arange(100, 19_900, 200)
    x = np.zeros(20_000)
    for p in peaks:
        x[p - 5 : p + 6] += 1.6 * np.hanning(11)
    marks = Annotation(sample=peaks, symbol=np.full(len(peaks), "N"))
    noise = 0.2 * rng.standard_normal((1, 60_000))
    assert signal_power(x, 250, peaks) == pytest.approx(1.6**2 / 8, rel=1e-6)
    assert noise_power(noise[0], 250) == pytest.approx(0.04, rel=0.02)
    for snr in (24, 6, -6):
        done = make(x[None], fs=250, annotation=(marks,)).random_recorded_noise(noise, 250.0, snr)
        added = done.signal[0][0] - x
        ratio = 10 * np.log10((1.6**2 / 8) / added.var())
        assert ratio == pytest.approx(snr, abs=0.3)


def test_training_never_uses_the_second_half_of_the_noise(make):
    noise = np.concatenate([np.sin(np.arange(3000.0)), 5 + np.sin(np.arange(3000.0))])[None]
    batch = make(*[np.random.default_rng(0).standard_normal((1, 2000))] * 30)
    for part, low in (("first_half", -1.1), ("second_half", 3.9)):
        done = batch.random_recorded_noise(noise, 250.0, 0, part)
        added = (done.signal.dense() - batch.signal.dense())[:, 0]
        # Both halves are the same but for their level, which tells which one was heard.
        level = added.mean(axis=1) / added.std(axis=1)
        assert (np.abs(level - (0 if low < 0 else 5 * np.sqrt(2))) < 0.2).all()


def test_leads_use_the_channels_of_the_noise_in_turn(make):
    noise = np.stack([np.sin(np.arange(2000.0)), np.sign(np.sin(np.arange(2000.0)))])
    batch = make(np.random.default_rng(0).standard_normal((3, 1000)))
    added = batch.random_recorded_noise(noise, 250.0, 0).signal[0] - batch.signal[0]
    assert np.corrcoef(added[0], added[2])[0, 1] > 0.999
    assert np.corrcoef(added[0], added[1])[0, 1] < 0.95


def test_two_noises_are_equal_only_when_their_samples_are():
    from cardioflow.transforms.augment.random_recorded_noise import RandomRecordedNoise

    noise = np.random.default_rng(0).standard_normal((1, 500))
    assert RandomRecordedNoise(noise, 250.0) == RandomRecordedNoise(noise.copy(), 250.0)
    assert RandomRecordedNoise(noise, 250.0) != RandomRecordedNoise(-noise, 250.0)


@pytest.fixture
def labelled(make):
    x = [np.full((1, 100), float(i)) for i in range(8)]
    return make(*x, target=np.array(list("ANANANAN"), dtype=object), classes=("A", "N")).binarize_labels()


def test_mixed_records_are_weighted_sums_and_so_are_their_targets(labelled):
    done = labelled.random_mix_up(1.0)
    for i in range(8):
        value = float(done.signal[i][0, 0])
        assert (done.signal[i] == done.signal[i][0, 0]).all()
        assert done.target[i].sum() == pytest.approx(1)
        own = int(np.argmax(labelled.target[i]))
        assert done.target[i, own] >= 0.5
        shares = [(value - j) / (i - j) for j in range(8) if j != i and 0.5 <= (value - j) / (i - j) <= 1]
        assert shares


def test_a_section_of_another_record_adds_its_fraction_of_the_target(labelled):
    done = labelled.random_cut_mix(1.0)
    for i in range(8):
        x = done.signal[i][0]
        other = x != i
        assert len(set(x[other].tolist())) <= 1
        assert (np.diff(np.flatnonzero(other)) == 1).all()
        assert other.mean() <= 0.5
        if other.any():
            j = int(x[other][0])
            expected = (1 - other.mean()) * labelled.target[i] + other.mean() * labelled.target[j]
            np.testing.assert_allclose(done.target[i], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["random_mix_up", "random_cut_mix"])
def test_partners_do_not_depend_on_the_order_of_the_records(labelled, name):
    back = getattr(labelled.take(np.arange(8)[::-1]), name)(1.0)
    assert getattr(labelled, name)(1.0).signal == back.take(np.arange(8)[::-1]).signal


@pytest.mark.parametrize("name", ["random_mix_up", "random_cut_mix"])
def test_labels_must_be_binarized_before_mixing_and_a_single_record_is_unchanged(make, labelled, name):
    with pytest.raises(LabelError, match="Call binarize_labels first"):
        getattr(make(np.ones((1, 9)), target=np.array(["A"], dtype=object)), name)()
    alone = labelled.take([3])
    assert getattr(alone, name)(1.0).signal == alone.signal


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("random_gaussian_noise", (-1,), "random_gaussian_noise(std_mv=-1) goes below 0."),
        (
            "random_gaussian_noise",
            ((2, 1),),
            "random_gaussian_noise(std_mv=(2, 1)) is neither a number nor a pair (low, high) with low <= high.",
        ),
        ("random_lead_dropout", (1.5,), "random_lead_dropout(p=1.5) is not a probability: it is above 1."),
        (
            "random_time_warp",
            (1.0,),
            "random_time_warp(strength=1.0) would stop or reverse time. Pass a number below 1.",
        ),
        ("random_amplitude_scale", (2, 1), "random_amplitude_scale(low=2, high=1): low is above high. Swap them?"),
        (
            "random_recorded_noise",
            ([0.1, 0.2], 360),
            (
                "random_recorded_noise(noise=…) of shape (2,) does not hold noise: expected finite millivolts of "
                "(signal, time), at least one second."
            ),
        ),
    ],
)
def test_wrong_parameters_are_refused_at_once(still, name, arguments, text):
    with pytest.raises(InputError) as caught:
        getattr(still, name)(*arguments)
    assert str(caught.value) == text
