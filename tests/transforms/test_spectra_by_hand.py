"""Spectra and wavelets of signals whose transforms are known: tones, impulses, steps and constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.errors import InputError


def tone(hz: float, fs: float, seconds: float = 2.0, phase: float = 0.0) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    return np.asarray(np.cos(2 * np.pi * hz * t + phase), np.float32)


def batch_of(*signals: Any, fs: Any = 100.0, **more: Any) -> EcgBatch:
    arrays = [np.atleast_2d(np.asarray(s, np.float32)) for s in signals]
    return EcgBatch.from_arrays(arrays, fs=fs, ids=[f"r{i}" for i in range(len(arrays))], **more)


# -- Fourier ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("norm", "factor"), [("backward", 1.0), ("forward", 1 / 200), ("ortho", 200**-0.5)])
def test_a_tone_is_two_lines_of_half_its_size(norm: str, factor: float) -> None:
    spectrum = batch_of(tone(10, 100)).fft(norm=norm).signal[0][0]
    # Bin k of n is k fs / n Hz: 10 Hz is bin 20 of 200, and its mirror bin 180.
    expected = np.zeros(200, np.complex64)
    expected[[20, 180]] = 100 * factor
    np.testing.assert_allclose(spectrum, expected, atol=2e-4 * factor)


def test_the_phase_of_a_tone_is_that_of_its_line() -> None:
    spectrum = batch_of(tone(10, 100, phase=np.pi / 3)).rfft().signal[0][0]
    assert np.angle(spectrum[20]) == pytest.approx(np.pi / 3, abs=1e-5)
    assert spectrum.shape == (101,)


def test_an_impulse_has_all_frequencies_and_a_constant_none_but_zero() -> None:
    done = batch_of(np.eye(1, 64)[0], np.ones(64)).rfft().signal
    np.testing.assert_allclose(done[0], np.ones((1, 33)), atol=1e-6)
    np.testing.assert_allclose(done[1], 64 * np.eye(1, 33), atol=1e-5)


@pytest.mark.parametrize("n", [50, 200, 333])
def test_energy_is_the_same_in_time_and_frequency(n: int) -> None:
    x = np.random.default_rng(n).normal(size=(3, n))
    spectrum = batch_of(x).fft(norm="ortho").signal[0]
    np.testing.assert_allclose((np.abs(spectrum) ** 2).sum(axis=-1), (x**2).sum(axis=-1), rtol=1e-5)


def test_more_bins_are_zeros_behind_the_signal_and_fewer_cut_it() -> None:
    x = np.arange(1, 9)
    longer, shorter = (batch_of(x).fft(n).signal[0][0] for n in (16, 4))
    np.testing.assert_allclose(longer, np.fft.fft(np.concatenate([x, np.zeros(8)])), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shorter, np.fft.fft([1, 2, 3, 4]), rtol=1e-5, atol=1e-5)


def test_each_lead_record_and_segment_is_transformed_alone() -> None:
    a, b, c = tone(5, 100), tone(20, 100), tone(35, 250, 1.2)
    done = batch_of(np.stack([a, b]), np.stack([c, -c]), fs=[100.0, 250.0]).rfft().signal
    assert [np.abs(row).argmax() for row in done[0]] == [10, 40]
    # 35 Hz of 300 samples at 250 Hz is bin 42.
    assert [np.abs(row).argmax() for row in done[1]] == [42, 42]
    np.testing.assert_allclose(done[1][1], -done[1][0], atol=1e-5)
    cut = batch_of(np.concatenate([a, b])).split_signals(200, 200).rfft().signal[0]
    assert cut.shape == (2, 1, 101)
    assert np.abs(cut).argmax(axis=-1).ravel().tolist() == [10, 40]


def test_a_gap_makes_its_own_lead_unknown_and_no_other() -> None:
    x = np.stack([tone(5, 100), tone(20, 100)])
    x[0, 7] = np.nan
    done = batch_of(x, x[1:]).rfft().signal
    assert np.isnan(done[0][0]).all()
    assert np.isfinite(done[0][1]).all()
    assert np.isfinite(done[1]).all()


def test_what_was_there_stays_beside_the_result() -> None:
    batch = batch_of(tone(10, 100), leads=["II"])
    done = batch.rfft(dst="spectrum")
    assert done.signal == batch.signal
    assert done.meta == batch.meta
    assert done.column("spectrum").kind == "static"
    # A component that does not run along time is left as it is where time is cut.
    sliced = done.slice_signals(slice(0, 50))
    np.testing.assert_array_equal(sliced.component("spectrum")[0], done.component("spectrum")[0])
    assert sliced.signal[0].shape == (1, 50)


@pytest.mark.parametrize("action", ["standardize", "min_max_scale", "robust_scale", "remove_baseline"])
def test_an_action_on_samples_refuses_a_spectrum(action: str) -> None:
    with pytest.raises(InputError, match=rf"{action} needs real samples, but 'signal' is complex\. Call irfft"):
        getattr(batch_of(tone(10, 100)).rfft(), action)()


# -- wavelets ----------------------------------------------------------------------------------


def test_haars_wavelet_of_four_samples_by_hand() -> None:
    """Sums and differences of neighbours over the square root of 2: (1, 3, 7, 5) gives (4, 12) and (-2, 2)."""
    done = batch_of([1, 3, 7, 5]).dwt("haar")
    np.testing.assert_allclose(done.signal[0], np.array([[[4, 12], [-2, 2]]]) / np.sqrt(2), rtol=1e-6)
    every = batch_of([1, 3, 7, 5]).wavedec("haar")
    # Two levels: the sum over 2, their difference, and the details of before.
    np.testing.assert_allclose(every.signal[0], [[8, -4, -np.sqrt(2), np.sqrt(2)]], rtol=1e-6)
    assert every.signal_levels == ((4, 1, 1, 2),)
    np.testing.assert_allclose(batch_of([1, 3, 7, 5]).pdwt("a", "haar", level=2).signal[0], [[8]], rtol=1e-6)
    np.testing.assert_allclose(batch_of([1, 3, 7, 5]).pdwt("d", "haar", level=2).signal[0], [[-4]], rtol=1e-6)


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym5", "coif2"])
def test_a_constant_has_no_details_in_any_wavelet(wavelet: str) -> None:
    done = batch_of(np.full(64, 3.0)).dwt(wavelet, "periodization").signal[0]
    np.testing.assert_allclose(done[0, 0], 3 * np.sqrt(2), rtol=1e-5)
    np.testing.assert_allclose(done[0, 1], 0, atol=1e-5)


def test_levels_stay_with_their_record_when_rows_change_places() -> None:
    x = [np.random.default_rng(i).normal(size=(2, n)) for i, n in enumerate((64, 101, 30))]
    done = batch_of(*x).wavedec("db2", level=2).take([2, 0]).waverec("db2")
    for signal, expected in zip(done.signal, (x[2], x[0]), strict=True):
        assert signal.shape == expected.shape
        np.testing.assert_allclose(signal, expected, atol=1e-5)


def test_segments_are_restored_in_their_place() -> None:
    x = np.random.default_rng(0).normal(size=(1, 200))
    cut = batch_of(x).split_signals(64, 68)
    back = cut.wavedec("db3").waverec("db3")
    np.testing.assert_allclose(back.signal[0], cut.signal[0], atol=1e-5)
    rows = cut.unstack_signals().dwt("db3").idwt("db3")
    for k in range(3):
        np.testing.assert_allclose(rows.signal[k], cut.signal[0][k], atol=1e-5)


@pytest.mark.parametrize(("fs", "expected"), [(100.0, [40.625, 10.15625]), (1000.0, [406.25, 101.5625])])
def test_a_scale_is_a_frequency_that_grows_with_the_rate(fs: float, expected: list[float]) -> None:
    # The central frequency of "morl" is 0.8125 cycles per sample of scale 1.
    done = batch_of(tone(10, fs, 1), fs=fs).cwt([2, 8])
    np.testing.assert_allclose(done.signal_frequencies[0], expected, rtol=1e-6)


def test_a_tone_is_loudest_at_the_scale_of_its_frequency() -> None:
    scales = 0.8125 * 250 / np.array([5, 10, 20, 40])
    for k, hz in enumerate((5, 10, 20, 40)):
        done = batch_of(tone(hz, 250, 4), fs=250).cwt(scales)
        middle = np.abs(done.signal[0][0, :, 300:700]).max(axis=-1)
        assert int(middle.argmax()) == k
        np.testing.assert_allclose(done.signal_frequencies[0], [5, 10, 20, 40], rtol=1e-6)


def test_both_ways_to_compute_a_continuous_transform_agree() -> None:
    batch = batch_of(np.random.default_rng(1).normal(size=(2, 256)))
    one, other = (batch.cwt([3, 7.5], method=method).signal[0] for method in ("conv", "fft"))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("scales", [[np.inf], [np.nan], [1, -1], [], "abc", [[1, 2]], None, ["2"] * 0])
def test_scales_are_finite_numbers_above_zero(scales: Any) -> None:
    with pytest.raises(InputError, match=r"cwt\(scales=.*\) is not a list of numbers above zero"):
        batch_of(tone(10, 100)).cwt(scales)


# -- spectrograms -----------------------------------------------------------------------------------


def test_a_tone_is_in_its_row_at_every_time_whatever_the_rate() -> None:
    batch = batch_of(tone(10, 100, 4), tone(10, 250, 4), fs=[100.0, 250.0])
    done = batch.spectrogram(nperseg=100, noverlap=50, window="hann")
    for i, fs in enumerate((100.0, 250.0)):
        frequencies, times = done.signal_frequencies[i], done.signal_times[i]
        np.testing.assert_allclose(frequencies, np.arange(51) * fs / 100)
        # The middle of the first window, and then half a window on.
        np.testing.assert_allclose(times, 50 / fs + np.arange(len(times)) * 50 / fs)
        assert done.signal[i].shape == (1, 51, len(times))
        assert {float(frequencies[k]) for k in done.signal[i][0].argmax(axis=0)} == {10.0}


def test_the_density_of_a_tone_adds_up_to_its_power() -> None:
    # A cosine of 1 mV has half a mV squared; the density is per Hz, and a bin is 1 Hz wide.
    done = batch_of(tone(10, 100, 4)).spectrogram(nperseg=100, noverlap=0, window="boxcar", detrend=False)
    np.testing.assert_allclose(done.signal[0][0].sum(axis=0), 0.5, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nperseg": 0}, r"spectrogram\(nperseg=0\) is not an integer of at least 1"),
        ({"nperseg": 64.0}, r"nperseg=64\.0\) is not an integer"),
        ({"nperseg": "64"}, r"nperseg='64'\) is not an integer"),
        ({"nperseg": True}, r"nperseg=True\) is not an integer"),
        ({"noverlap": -1}, r"noverlap=-1\) is not an integer of at least 0"),
        ({"nperseg": 64, "noverlap": 64}, r"noverlap=64\) is not below the 64 samples of a window"),
        ({"noverlap": 256}, r"noverlap=256\) is not below the 256 samples of a window"),
        ({"window": np.hanning(30), "noverlap": 30}, r"noverlap=30\) is not below the 30 samples of a window"),
    ],
)
def test_a_window_that_would_not_move_on_is_refused_and_not_shortened(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        batch_of(tone(10, 100, 10)).spectrogram(**options)


def test_a_window_of_numbers_has_its_own_length() -> None:
    batch = batch_of(tone(10, 100, 4))
    named = batch.spectrogram(window="hann", nperseg=50)
    # "hann" is periodic: 51 symmetric values without the last.
    given = batch.spectrogram(window=np.hanning(51)[:-1])
    np.testing.assert_allclose(given.signal[0], named.signal[0], rtol=1e-4, atol=1e-9)


def test_a_gap_is_refused_with_its_record_because_it_would_spread_over_whole_windows() -> None:
    x = tone(10, 100)
    x[3] = np.nan
    with pytest.raises(InputError, match=r"'r1': 1 of its 200 samples are not finite"):
        batch_of(tone(10, 100), x).spectrogram()


# -- other axes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axes", "shape"), [(None, (3, 2)), ((1, 0), (3, 2)), ((0, 1), (2, 3)), ((-1, 0), (3, 2))])
def test_axes_are_turned_as_numpy_does(axes: Any, shape: tuple[int, ...]) -> None:
    x = np.arange(6.0).reshape(2, 3)
    done = batch_of(x).signal_transpose(axes, dst="turned").component("turned")[0]
    assert done.shape == shape
    np.testing.assert_array_equal(done, np.transpose(x, axes))


@pytest.mark.parametrize("axes", [(2, 1), (0, 0), (0,), (0, -3), (0, 1, 2)])
def test_each_axis_is_named_once(axes: Any) -> None:
    with pytest.raises(
        InputError, match=r"does not name each of the 2 axes of the signals once\. Pass them as \(1, 0\)"
    ):
        batch_of(np.ones((2, 3))).signal_transpose(axes)


@pytest.mark.parametrize("axes", [(1.0, 0.0), 1, "10", (True, False), {0, 1}])
def test_axes_are_whole_numbers(axes: Any) -> None:
    with pytest.raises(InputError, match=r"signal_transpose\(axes=.*\): expected numbers of axes, such as \(1, 0\)"):
        batch_of(np.ones((2, 3))).signal_transpose(axes)


def test_what_is_not_a_signal_has_no_axes_to_turn() -> None:
    with pytest.raises(InputError, match="signal_transpose needs a signal, but 'meta' holds Meta"):
        batch_of(np.ones((2, 3))).signal_transpose(src="meta")
    with pytest.raises(InputError, match="fft needs a signal, but 'meta' holds Meta"):
        batch_of(np.ones((2, 3))).fft(src="meta")


EMPTY = [
    "fft",
    "ifft",
    "rfft",
    "irfft",
    "dwt",
    "wavedec",
    "spectrogram",
    "signal_transpose",
    "unstack_signals",
    "squeeze",
]


@pytest.mark.parametrize("action", EMPTY)
def test_a_batch_that_a_filter_emptied_stays_empty(action: str) -> None:
    done = getattr(batch_of(tone(10, 100)).take([]), action)()
    assert (len(done), len(done.signal), done.ids) == (0, 0, ())
