"""Spectra and wavelets equal NumPy's, SciPy's and PyWavelets', and their inverses restore the signal."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import scipy.signal

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.augment.random_time_warp import RandomTimeWarp


@pytest.fixture(scope="module", params=["ragged", "cut"])
def batch(request, records):
    few = records.take(range(4))
    return few if request.param == "ragged" else few.split_signals(1001, 700)


def compare(component, batch, func, rtol=2e-6):
    for i, x in enumerate(batch.signal):
        expected = func(x.astype(np.float64))
        assert component[i].shape == expected.shape
        np.testing.assert_allclose(component[i], expected, atol=rtol * max(1.0, np.abs(expected).max()), rtol=1e-4)


@pytest.mark.parametrize("name", ["fft", "rfft"])
@pytest.mark.parametrize("kwargs", [{}, {"n": 512}, {"norm": "ortho"}, {"n": 12001, "norm": "forward"}])
def test_a_fourier_transform_equals_numpys(batch, name, kwargs):
    done = getattr(batch, name)(**kwargs, dst="spectrum")
    assert done.spectrum.dtype == np.complex64
    compare(done.spectrum, batch, lambda x: getattr(np.fft, name)(x, **kwargs))


def test_an_inverse_fourier_transform_restores_the_signal(batch):
    np.testing.assert_allclose(batch.fft().ifft().signal.data.real, batch.signal.data, atol=1e-5)
    even = batch.signal.lengths % 2 == 0
    if even.all():
        np.testing.assert_allclose(batch.rfft().irfft().signal.data, batch.signal.data, atol=1e-5)


def test_a_signal_of_odd_length_is_restored_if_its_length_is_given(make):
    batch = make(np.random.default_rng(0).standard_normal((2, 101)))
    np.testing.assert_allclose(batch.rfft().irfft(101).signal[0], batch.signal[0], atol=1e-6)
    assert batch.rfft().irfft().signal[0].shape == (2, 100)


@pytest.mark.parametrize(("wavelet", "mode"), [("db4", "symmetric"), ("haar", "periodization"), ("sym5", "zero")])
def test_one_level_of_wavelets_equals_pywavelets(batch, wavelet, mode):
    done = batch.dwt(wavelet, mode)
    compare(done.signal, batch, lambda x: np.stack(pywt.dwt(x, wavelet, mode, axis=-1), axis=-2))
    back = done.idwt(wavelet, mode)
    for i, x in enumerate(batch.signal):
        np.testing.assert_allclose(back.signal[i][..., : x.shape[-1]], x, atol=1e-5)


@pytest.mark.parametrize("part", ["a", "d"])
@pytest.mark.parametrize("level", [1, 3])
def test_a_single_band_equals_downcoef(batch, part, level):
    done = batch.pdwt(part, "db2", level=level)
    compare(
        done.signal,
        batch,
        lambda x: np.apply_along_axis(lambda row: pywt.downcoef(part, row, "db2", level=level), -1, x),
        rtol=1e-5,
    )


@pytest.mark.parametrize("level", [None, 2])
def test_all_levels_equal_wavedec_and_are_restored_to_the_exact_length(batch, level):
    done = batch.wavedec("db3", level=level)
    compare(done.signal, batch, lambda x: np.concatenate(pywt.wavedec(x, "db3", level=level, axis=-1), axis=-1), 1e-5)
    back = done.waverec("db3")
    assert back.signal.shapes.tolist() == batch.signal.shapes.tolist()
    np.testing.assert_allclose(back.signal.data, batch.signal.data, atol=1e-5)


@pytest.mark.parametrize(("wavelet", "method"), [("morl", "fft"), ("mexh", "conv"), ("cmor1.5-1.0", "fft")])
def test_a_continuous_transform_equals_pywavelets_and_keeps_its_frequencies(records, wavelet, method):
    batch = records.take([0])
    done = batch.cwt([4, 8.5, 20], wavelet, method)
    compare(
        done.signal,
        batch,
        lambda x: np.moveaxis(pywt.cwt(x, [4, 8.5, 20], wavelet, method=method, axis=-1)[0], 0, -2),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        done.signal_frequencies[0], pywt.scale2frequency(wavelet, np.array([4, 8.5, 20])) * 300, rtol=1e-6
    )


@pytest.mark.parametrize(
    "kwargs", [{}, {"nperseg": 128, "noverlap": 64}, {"mode": "magnitude", "window": "hann"}, {"mode": "complex"}]
)
def test_a_spectrogram_equals_scipys_with_its_axes(batch, kwargs):
    done = batch.spectrogram(dst="map", **kwargs)
    compare(done.map, batch, lambda x: scipy.signal.spectrogram(x, 300.0, **kwargs)[2], rtol=1e-5)
    frequencies, times, _ = scipy.signal.spectrogram(batch.signal[0].astype(float), 300.0, **kwargs)
    np.testing.assert_allclose(done.map_frequencies[0], frequencies, rtol=1e-6)
    np.testing.assert_allclose(done.map_times[0], times, rtol=1e-6)
    assert done.signal == batch.signal


def test_a_window_may_be_given_as_numbers(records):
    batch, window = records.take([0]), np.hanning(100)
    done = batch.spectrogram(window=window, nperseg=100)
    expected = scipy.signal.spectrogram(batch.signal[0].astype(float), 300.0, window=window, nperseg=100)[2]
    np.testing.assert_allclose(done.signal[0], expected, atol=1e-5 * expected.max())


def test_a_signal_shorter_than_the_window_is_one_window(make):
    assert make(np.ones((1, 20))).spectrogram(noverlap=100).signal[0].shape == (1, 11, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("dwt", ("db99",), "dwt(wavelet='db99'): there is no discrete wavelet of that name. Did you mean 'db9'"),
        ("dwt", ("db4", "symetric"), "dwt(mode='symetric') is unknown. Did you mean 'symmetric'"),
        ("cwt", ([1], "morlet"), "cwt(wavelet='morlet'): there is no continuous wavelet of that name. Did you mean"),
        ("cwt", ([0],), "cwt(scales=[0]) is not a list of numbers above zero."),
        ("fft", (0,), "fft(n=0) is not an integer of at least 1."),
        ("rfft", (None, "orto"), "rfft(norm='orto') is unknown. Pass one of 'backward', 'ortho', 'forward'."),
    ],
)
def test_wrong_parameters_are_refused_at_once(make, name, arguments, text):
    with pytest.raises(InputError) as caught:
        getattr(make(np.ones((1, 9))), name)(*arguments)
    assert str(caught.value).startswith(text)


def test_coefficients_that_do_not_fit_together_are_refused(make):
    batch = make(np.ones((1, 30)))
    with pytest.raises(InputError, match=r"idwt needs \(lead, 2, coefficient\), as dwt gives it"):
        batch.idwt()
    with pytest.raises(InputError, match=r"needs the component 'signal_levels', which wavedec writes"):
        batch.waverec()
    with pytest.raises(InputError, match=r"wavedec cannot take record 'A00000' .* 30 samples allow 2 levels of db4"):
        batch.wavedec(level=9)
    with pytest.raises(InputError, match=r"spectrogram does not have the option 'npersg'. Did you mean 'nperseg'"):
        batch.spectrogram(npersg=3)
    with pytest.raises(InputError, match=r"rfft cannot take record 'A00000'"):
        batch.rfft().rfft()


def test_wavelets_of_what_is_not_a_signal_are_refused(records):
    few = records.take(range(2))
    for component in ("meta", "rate"):
        odd = few.with_component("rate", np.array([60, 70]))
        with pytest.raises(InputError, match=rf"dwt cannot read the component '{component}'"):
            odd.dwt("db1", src=component, dst="wavelets")
    flat = few.with_component("flat", Ragged.from_arrays([np.arange(8.0), np.arange(9.0)]))
    with pytest.raises(InputError, match="dwt cannot read the component 'flat'"):
        flat.dwt("db1", src="flat", dst="wavelets")


def test_counts_are_kept_as_pythons_own_numbers():
    made = RandomTimeWarp(n_knots=np.int16(4))
    assert type(made.n_knots) is int
    assert made == RandomTimeWarp(n_knots=4)
    for wrong in (1, 4.0, True, "4"):
        with pytest.raises(InputError, match="n_knots"):
            RandomTimeWarp(n_knots=wrong)


def test_a_sample_that_is_not_finite_is_named_with_its_lead(records):
    few = records.take(range(2))
    x = [np.stack([row[0], row[0]]) for row in few.signal]
    x[1][1, 7:9] = np.nan
    both = few.replace(signal=Ragged.from_arrays([x[0], np.where(np.arange(x[1].shape[1]) == 9, np.inf, x[1])]))
    odd = few.replace(signal=Ragged.from_arrays(x), meta=few.meta.with_columns(leads=[("I", "V5")] * 2))
    said = rf"'{few.ids[1]}': 2 of its {x[1].size} samples are not finite .* in lead 'V5'"
    with pytest.raises(InputError, match=said):
        finite(odd, "step")
    with pytest.raises(InputError, match=r": 4 of its .*, the first in lead 'I'\."):
        finite(both.replace(meta=odd.meta), "step")
    one = EcgBatch(ids=("a",)).with_component("flat", Ragged.from_arrays([np.array([1.0, np.inf])]))
    with pytest.raises(InputError, match=r"'a': 1 of its 2 samples are not finite .*, the first in lead 0\."):
        finite(one, "step", "flat")
