"""What disturbances add: its size, place and spectrum by the numbers that were asked for, record by record."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow import EcgBatch
from cardioflow.batch import Annotation
from cardioflow.errors import InputError

ADDING = {
    "random_gaussian_noise": (0.1,),
    "random_coloured_noise": (1.0, 0.1),
    "random_baseline_wander": (0.3,),
    "random_powerline": ((0.05, 0.1), 50),
}
"""Actions that add what does not depend on the signal."""


def of(*arrays, fs=250.0, **kwargs) -> EcgBatch:
    return EcgBatch.from_arrays([np.asarray(a, float) for a in arrays], fs=fs, **kwargs)


def flat(n=20, leads=2, samples=4000, **kwargs) -> EcgBatch:
    return of(*np.zeros((n, leads, samples)), **kwargs)


@pytest.mark.parametrize("name", ADDING)
def test_the_same_is_added_to_any_signal(name) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 2, 900))
    added = getattr(of(*np.zeros((5, 2, 900))), name)(*ADDING[name]).signal.dense()
    done = getattr(of(*x), name)(*ADDING[name]).signal.dense()
    np.testing.assert_allclose(done - x, added, atol=3e-7)
    assert added.any(axis=-1).all()


@pytest.mark.parametrize("name", ADDING)
def test_every_record_and_every_lead_gets_its_own(name) -> None:
    added = getattr(flat(6), name)(*ADDING[name]).signal.dense()
    assert len({x.tobytes() for x in added.reshape(12, -1)}) == 12


@pytest.mark.parametrize("name", [*ADDING, "random_amplitude_scale", "random_lead_dropout", "random_time_warp"])
def test_nothing_else_of_the_batch_changes(name) -> None:
    marks = [Annotation(sample=np.array([5, 50]))] * 3
    before = of(*np.random.default_rng(0).normal(size=(3, 2, 400)), annotations=marks, targets=list("ABA"))
    done = getattr(before, name)(*ADDING.get(name, ()))
    assert (done.ids, done.classes) == (before.ids, before.classes)
    assert done.meta == before.meta
    assert done.target.tolist() == before.target.tolist()
    assert done.signal.shapes.tolist() == before.signal.shapes.tolist()
    assert done.signal != before.signal
    if name != "random_time_warp":
        assert done.annotation == before.annotation


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("random_gaussian_noise", (0.0,)),
        ("random_coloured_noise", (1.0, 0.0)),
        ("random_baseline_wander", (0.0,)),
        ("random_powerline", (0.0,)),
        ("random_amplitude_scale", (1.0, 1.0)),
        ("random_lead_dropout", (0.0,)),
        ("random_speed", (1.0, 1.0)),
    ],
)
def test_a_disturbance_of_no_size_changes_nothing(name, arguments) -> None:
    before = of(*np.random.default_rng(0).normal(size=(3, 2, 400)))
    np.testing.assert_allclose(
        getattr(before, name)(*arguments).signal.dense(), before.signal.dense(), rtol=2e-7, atol=1e-12
    )


def test_white_noise_has_no_mean_and_no_memory() -> None:
    x = flat(10).random_gaussian_noise(0.2).signal.dense().astype(float)
    assert x.std() == pytest.approx(0.2, rel=0.02)
    assert abs(x.mean()) < 4 * 0.2 / np.sqrt(x.size)
    assert abs(np.corrcoef(x[..., :-1].ravel(), x[..., 1:].ravel())[0, 1]) < 4 / np.sqrt(x.size)


@pytest.mark.parametrize("samples", [2, 3, 501, 4000])
@pytest.mark.parametrize("exponent", [0, 1, 2.0])
def test_coloured_noise_has_no_mean_and_the_deviation_that_was_asked_for_at_any_length(samples, exponent) -> None:
    x = flat(3, samples=samples).random_coloured_noise(exponent, 0.25).signal.dense().astype(float)
    np.testing.assert_allclose(x.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=-1), 0.25, rtol=1e-5)


def test_a_record_of_one_sample_gets_no_noise_that_has_no_mean() -> None:
    assert of([[3.0]]).random_coloured_noise(1.0, 0.25).signal[0].tolist() == [[3.0]]


def test_wander_stays_within_its_amplitude_and_below_its_highest_frequency() -> None:
    x = flat(20, samples=15_000).random_baseline_wander(0.4, (0.1, 0.3)).signal.dense().astype(float)
    # Three waves share the amplitude.
    assert 0.2 < np.abs(x).max() <= 0.4 + 1e-6
    f, p = scipy.signal.periodogram(x, 250, window="hann")
    assert p[..., (f > 0.05) & (f < 0.36)].sum() > 0.99 * p.sum()


def test_hum_has_one_frequency_for_a_record_and_an_amplitude_for_each_lead() -> None:
    x = flat(12, leads=3, samples=5000).random_powerline((0.05, 0.2), (50, 60)).signal.dense().astype(float)
    f, p = scipy.signal.periodogram(x, 250, window="hann")
    peak = f[p.argmax(axis=-1)]
    assert (np.ptp(peak, axis=1) == 0).all()
    assert all(min(abs(own - 50), abs(own - 60)) <= 0.25 for own in peak[:, 0])
    amplitude = np.abs(x).max(axis=-1)
    assert ((amplitude > 0.049) & (amplitude < 0.201)).all()
    assert len(np.unique(np.round(amplitude, 4))) > 30


@pytest.mark.parametrize(("fs", "is_added"), [(99.0, False), (101.0, True)])
def test_hum_is_added_below_half_the_rate_only(fs, is_added) -> None:
    # The frequency deviates by up to 0.2 Hz from 50.
    assert bool(flat(4, fs=fs).random_powerline(0.1, 50).signal.data.any()) == is_added


def test_factors_are_log_uniform_between_their_bounds() -> None:
    x = of(*np.ones((400, 2, 3))).random_amplitude_scale(0.25, 4.0).signal.dense()
    assert (x == x[:, :1, :1]).all()
    factors = np.log2(x[:, 0, 0])
    assert (factors.min(), factors.max()) == (pytest.approx(-2, abs=0.05), pytest.approx(2, abs=0.05))
    # Uniform in the logarithm: a mean of 0 and a deviation of 4 / √12.
    assert abs(factors.mean()) < 4 * 4 / np.sqrt(12 * 400)
    assert factors.std() == pytest.approx(4 / np.sqrt(12), rel=0.1)
    own = of(*np.ones((50, 3, 4))).random_amplitude_scale(0.25, 4.0, per_lead=True).signal.dense()
    assert (own == own[:, :, :1]).all()
    assert len(np.unique(own[:, :, 0])) == 150


@pytest.mark.parametrize(("p", "n_keep", "kept"), [(1.0, 0, 0), (1.0, 1, 1), (1.0, 5, 3), (0.0, 0, 3), (1.0, 3, 3)])
def test_at_least_so_many_leads_stay_as_they_are(p, n_keep, kept) -> None:
    x = np.arange(1.0, 10).reshape(3, 3)
    done = of(*[x] * 6).random_lead_dropout(p, n_keep=n_keep)
    for own in done.signal:
        alive = own.any(axis=-1)
        assert alive.sum() == kept
        assert own[alive].tolist() == x[alive].tolist()
        assert not own[~alive].any()


def test_every_lead_can_be_the_one_that_stays() -> None:
    done = of(*np.ones((60, 4, 2))).random_lead_dropout(1.0).signal.dense()
    assert (done.any(axis=-1).sum(axis=1) == 1).all()
    assert done.any(axis=-1).any(axis=0).all()


@pytest.mark.parametrize("factor", [0.5, 0.8, 2.0])
def test_a_faster_record_has_its_frequencies_multiplied(factor) -> None:
    t = np.arange(4000) / 250
    done = of(np.sin(2 * np.pi * 8 * t)[None]).random_speed(factor, factor)
    assert done.signal.lengths.tolist() == [round(4000 / factor)]
    f, p = scipy.signal.periodogram(done.signal[0][0].astype(float), 250, window="hann")
    assert f[p.argmax()] == pytest.approx(8 * factor, abs=0.1)


def test_a_warp_keeps_the_ends_and_bends_the_middle_alike_in_all_leads() -> None:
    ramp = np.arange(1000.0)
    done = of([ramp, 2 * ramp, -ramp]).random_time_warp(0.4, 4).signal[0]
    np.testing.assert_allclose(done[:, [0, -1]], [[0, 999], [0, 1998], [0, -999]], atol=1e-3)
    np.testing.assert_allclose(done[1], 2 * done[0], atol=2e-3)
    np.testing.assert_allclose(done[2], -done[0], atol=2e-3)
    speed = np.diff(done[0])
    # The map is scaled to end where the record ends, so that the mean is 1.
    assert speed.mean() == pytest.approx(1, abs=1e-5)
    assert 0.4 < speed.min() < 0.97
    assert 1.03 < speed.max() < 2


@pytest.mark.parametrize("snr", [-6, 0, 12])
def test_noise_of_a_known_power_is_scaled_by_the_ratio_alone(snr) -> None:
    rng = np.random.default_rng(2)
    x = np.zeros(10_000)
    beats = np.arange(200, 9900, 250)
    for b in beats:
        x[b - 5 : b + 6] += 2.0 * np.hanning(11)
    marks = [Annotation(sample=beats)]
    noise = rng.normal(size=(2, 30_000))
    one = of(x[None], annotations=marks).random_recorded_noise(noise, 250.0, snr)
    ten = of(x[None], annotations=marks).random_recorded_noise(10 * noise, 250.0, snr)
    # The loudness of the recording does not matter: A²/8 over the added power is the ratio.
    np.testing.assert_allclose(one.signal[0], ten.signal[0], atol=1e-4)
    added = one.signal[0][0].astype(float) - x
    assert 10 * np.log10(2.0**2 / 8 / added.var()) == pytest.approx(snr, abs=0.3)


def test_a_flat_record_and_a_silent_noise_get_nothing() -> None:
    rng = np.random.default_rng(2)
    assert not flat(2).random_recorded_noise(rng.normal(size=(1, 1000)), 250.0, 0).signal.data.any()
    x = rng.normal(size=(1, 1000))
    np.testing.assert_array_equal(of(x).random_recorded_noise(np.zeros((1, 1000)), 250.0, 0).signal[0], x.astype("f4"))


def test_noise_at_another_rate_is_resampled_and_repeats_in_a_longer_record() -> None:
    noise = np.sin(2 * np.pi * 5 * np.arange(2000) / 1000)[None]
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 4000))
    added = (of(x).random_recorded_noise(noise, 1000.0, 0, "all").signal[0] - x)[0]
    f, p = scipy.signal.periodogram(added, 250, window="hann")
    assert f[p.argmax()] == pytest.approx(5, abs=0.1)
    # 2 s of noise are 500 samples of 250 Hz.
    np.testing.assert_allclose(added[:500], added[500:1000], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("random_time_warp", ()), ("random_speed", ()), ("random_recorded_noise", (np.ones((1, 500)), 250.0))],
)
def test_missing_samples_are_refused_where_they_would_spread(name, arguments) -> None:
    x = np.zeros((1, 500))
    x[0, 7] = np.nan
    with pytest.raises(InputError, match="1 of its 500 samples are not finite"):
        getattr(of(x), name)(*arguments)


@pytest.mark.parametrize("name", [*ADDING, "random_amplitude_scale", "random_lead_dropout"])
def test_missing_samples_stay_missing_where_they_do_not_spread(name) -> None:
    x = np.ones((2, 300))
    x[1, 5:9] = np.nan
    done = getattr(of(x), name)(*ADDING.get(name, ()))
    assert np.isnan(done.signal[0]).sum() == 4
    assert np.isnan(done.signal[0][1, 5:9]).all()
