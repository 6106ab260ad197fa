"""Spectra and wavelets of ragged records, segments and components, with their axes in hertz and seconds."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import scipy.signal

from cardioflow import EcgBatch
from cardioflow.batch import Ragged
from cardioflow.errors import InputError

RNG = np.random.default_rng(4)
RATES = [100.0, 250.0]


@pytest.fixture
def batch() -> EcgBatch:
    """Records of 64 and 101 samples at 100 and 250 Hz, and a component of them as float64."""
    signals = [RNG.normal(size=(2, n)) for n in (64, 101)]
    made = EcgBatch.from_arrays(signals, fs=RATES, leads=("I", "II"))
    return made.with_component("own", Ragged.from_arrays([3 * x for x in signals], dtype=np.float64))


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 32, 128])
def test_transforms_of_ragged_records_and_of_segments_are_numpys(batch, n, norm) -> None:
    for own in (batch, batch.split_signals(20, 15)):
        for name in ("fft", "rfft"):
            done = getattr(own, name)(n, norm)
            for x, y in zip(own.signal, done.signal, strict=True):
                expected = getattr(np.fft, name)(x.astype(float), n, norm=norm)
                np.testing.assert_allclose(y, expected, atol=2e-5, rtol=1e-5)
            assert done.signal.dtype == np.complex64


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_inverses_restore_each_record_to_its_own_length(batch, norm) -> None:
    back = batch.fft(norm=norm).ifft(norm=norm)
    for x, y in zip(batch.signal, back.signal, strict=True):
        np.testing.assert_allclose(y.real, x, atol=1e-5)
        np.testing.assert_allclose(y.imag, 0, atol=1e-5)
    even = batch.take([0]).rfft(norm=norm).irfft(norm=norm)
    np.testing.assert_allclose(even.signal[0], batch.signal[0], atol=1e-5)
    odd = batch.take([1]).rfft(norm=norm).irfft(101, norm)
    np.testing.assert_allclose(odd.signal[0], batch.signal[1], atol=1e-5)


def test_the_power_of_a_signal_is_that_of_its_spectrum(batch) -> None:
    done = batch.fft(norm="ortho")
    for x, y in zip(batch.signal, done.signal, strict=True):
        np.testing.assert_allclose((np.abs(y) ** 2).sum(axis=-1), (x**2).sum(axis=-1), rtol=1e-5)


@pytest.mark.parametrize("frequency", [5.0, 12.5, 40.0])
def test_a_tone_stands_at_its_frequency_at_every_rate(frequency) -> None:
    tones = [np.sin(2 * np.pi * frequency * np.arange(int(4 * fs)) / fs)[None] for fs in (100, 250, 360)]
    tones = EcgBatch.from_arrays(tones, fs=[100, 250, 360])
    spectrum = tones.rfft()
    for y, fs, n in zip(spectrum.signal, tones.fs, tones.signal.lengths, strict=True):
        assert np.abs(y[0]).argmax() * fs / n == pytest.approx(frequency)
    windows = tones.spectrogram(nperseg=100)
    for y, f in zip(windows.signal, windows.signal_frequencies, strict=True):
        assert abs(f[y[0].sum(axis=-1).argmax()] - frequency) <= f[1]
    wavelets = tones.cwt([4.0, 8.0, 16.0, 32.0], "morl")
    for i, fs in enumerate(tones.fs):
        expected = pywt.scale2frequency("morl", [4.0, 8.0, 16.0, 32.0]) * fs
        np.testing.assert_allclose(wavelets.signal_frequencies[i], expected, rtol=1e-6)


def test_the_times_of_windows_are_seconds_of_their_record(batch) -> None:
    done = batch.spectrogram(nperseg=20, noverlap=10)
    for x, y, t, fs in zip(batch.signal, done.signal, done.signal_times, RATES, strict=True):
        f, expected_t, expected = scipy.signal.spectrogram(x.astype(float), fs, nperseg=20, noverlap=10)
        np.testing.assert_allclose(t, expected_t, rtol=1e-6)
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-9)
        assert y.shape == (2, len(f), len(t))


@pytest.mark.parametrize("name", ["fft", "rfft", "dwt", "spectrogram"])
def test_another_component_may_be_read_and_written_and_the_signal_stays(batch, name) -> None:
    done = getattr(batch, name)(src="own", dst="new")
    assert done.signal is batch.signal
    assert done.own == batch.own
    tripled = getattr(batch.replace(signal=batch.signal.with_data(3 * batch.signal.data)), name)()
    for a, b in zip(done.new, tripled.signal, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)
    assert done.columns["new"].kind == "static"


@pytest.mark.parametrize("mode", ["symmetric", "periodization", "zero"])
@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym5"])
def test_one_level_and_its_inverse_are_pywavelets_for_odd_and_even_lengths(batch, wavelet, mode) -> None:
    done = batch.dwt(wavelet, mode)
    for x, y in zip(batch.signal, done.signal, strict=True):
        a, d = pywt.dwt(x.astype(float), wavelet, mode)
        np.testing.assert_allclose(y, np.stack([a, d], axis=1), atol=1e-5)
    back = done.idwt(wavelet, mode)
    for x, y in zip(batch.signal, back.signal, strict=True):
        assert y.shape[-1] == x.shape[-1] + x.shape[-1] % 2
        np.testing.assert_allclose(y[..., : x.shape[-1]], x, atol=1e-5)


@pytest.mark.parametrize("level", [None, 1, 3])
def test_all_levels_come_back_to_the_very_length_in_segments_too(batch, level) -> None:
    for own in (batch, batch.split_signals(33, 20)):
        done = own.wavedec("haar", level=level)
        assert [row[0] for row in done.signal_levels] == own.signal.lengths.tolist()
        back = done.waverec("haar")
        for x, y in zip(own.signal, back.signal, strict=True):
            np.testing.assert_allclose(y, x, atol=1e-5)


@pytest.mark.parametrize(("part", "at"), [("a", 0), ("d", 1)])
@pytest.mark.parametrize("level", [1, 2, 4])
def test_one_part_of_a_level_is_downcoef(batch, part, at, level) -> None:
    done = batch.pdwt(part, "db2", level=level)
    for x, y in zip(batch.signal, done.signal, strict=True):
        for lead in range(2):
            expected = pywt.downcoef(part, x[lead].astype(float), "db2", level=level)
            np.testing.assert_allclose(y[lead], expected, atol=2e-5)


def test_levels_of_another_wavelet_are_refused_with_the_record(batch) -> None:
    with pytest.raises(InputError, match="64 samples allow 3 levels of db4, not 5"):
        batch.take([0]).wavedec("db4", level=5)
    with pytest.raises(InputError, match="needs the component 'signal_levels', which wavedec writes"):
        batch.waverec()
    with pytest.raises(InputError, match=r"needs \(lead, 2, coefficient\), as dwt gives it"):
        batch.idwt()


@pytest.mark.parametrize("axes", [None, (1, 0), (-1, 0), [1, 0]])
def test_axes_are_exchanged_as_numpy_does(batch, axes) -> None:
    done = batch.signal_transpose(axes, dst="turned")
    for x, y in zip(batch.signal, done.turned, strict=True):
        assert y.tolist() == x.T.tolist()
    cut = batch.split_signals(10).signal_transpose((2, 0, 1), dst="turned")
    assert cut.turned[0].shape == (10, 6, 2)


def test_a_tone_of_a_segment_has_a_spectrum_of_its_own() -> None:
    fs, t = 100, np.arange(400) / 100
    x = np.concatenate([np.sin(2 * np.pi * 5 * t[:200]), np.sin(2 * np.pi * 20 * t[200:])])
    done = EcgBatch.from_arrays(x[None, None], fs=fs).split_signals(200).rfft()
    assert [int(np.abs(y[0]).argmax()) * fs / 200 for y in done.signal[0]] == [5, 20]
