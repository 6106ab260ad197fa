"""The zoo's layers against other computations of the same numbers; ``test_networks.py`` runs it on torch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from scipy.signal import cont2discrete, spectrogram

from cardioflow.models.layers import LogSpectrogram, PadChannels, StateSpace
from cardioflow.models.layers.convolution import conv1d
from cardioflow.models.layers.state_space import _legs


def numpy(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_the_log_spectrogram_is_scipys() -> None:
    x = np.random.default_rng(0).normal(size=(2, 500, 3)).astype(np.float32) + 4
    found = numpy(LogSpectrogram()(x))
    for lead in range(3):
        _, _, power = spectrogram(x[:, :, lead].astype(np.float64), nperseg=64, noverlap=32)
        # SciPy has (row, frequency, window), and removes the mean of each window. What is left of it is rounding.
        np.testing.assert_allclose(found[:, :, 1:, lead], np.log(power.transpose(0, 2, 1))[:, :, 1:], atol=2e-3)
    assert np.all(found[:, :, 0] >= np.log(1e-10) - 1e-4)
    assert np.isfinite(numpy(LogSpectrogram()(np.zeros((1, 200, 1), np.float32)))).all()


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_state_space_layer_steps_through_the_discretized_hippo_system(bidirectional) -> None:
    n_samples, n_channels, n_state = 75, 3, 6
    u = np.random.default_rng(1).normal(size=(2, n_samples, n_channels)).astype(np.float32)
    layer = StateSpace(n_state, bidirectional=bidirectional)
    found = numpy(layer(u))
    step, c, d = np.exp(numpy(layer.log_dt)), numpy(layer.c), numpy(layer.d)
    assert ((step >= 0.001) & (step <= 0.1)).all()
    a, b = _legs(n_state)
    # HiPPO-LegS: A has -(n+1) on its diagonal and -√((2n+1)(2k+1)) below it.
    assert a[0, 0] == -1
    assert a[3, 1] == pytest.approx(-np.sqrt(7 * 3))
    expected = d * u
    for channel in range(n_channels):
        ad, bd, *_ = cont2discrete((a, b[:, None], np.eye(n_state), np.zeros((n_state, 1))), step[channel], "bilinear")
        powers = np.stack([np.linalg.matrix_power(ad, k) @ bd[:, 0] for k in range(n_samples)])
        kernel = powers @ c[0, channel]
        for row in range(2):
            expected[row, :, channel] += np.convolve(u[row, :, channel], kernel)[:n_samples]
            if bidirectional:
                back = np.convolve(u[row, ::-1, channel], powers @ c[1, channel])[:n_samples][::-1]
                # The backward kernel starts at the next sample: the forward one has the present.
                expected[row, :-1, channel] += back[1:]
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (5, 1), (1, 2), (3, 3)])
@pytest.mark.parametrize("n_samples", [20, 21, 22])
def test_odd_kernels_are_centred_as_in_pytorch_at_every_length(kernel, stride, n_samples) -> None:
    x = np.random.default_rng(2).normal(size=(1, n_samples, 2)).astype(np.float32)
    signal = keras.layers.Input((n_samples, 2))
    model = keras.Model(signal, conv1d(signal, 4, kernel, stride, name="c"))
    weight, bias = model.get_layer("c").get_weights()
    expected = torch.nn.functional.conv1d(
        torch.tensor(x.transpose(0, 2, 1)),
        torch.tensor(weight.transpose(2, 1, 0)),
        torch.tensor(bias),
        stride=stride,
        padding=kernel // 2,
    )
    np.testing.assert_allclose(numpy(model(x)).transpose(0, 2, 1), expected.numpy(), atol=1e-5)


def test_channels_of_zeros_are_added_on_both_sides() -> None:
    found = numpy(PadChannels(1, 2)(np.ones((1, 3, 2), np.float32)))
    assert found[0].tolist() == [[0, 1, 1, 0, 0]] * 3
