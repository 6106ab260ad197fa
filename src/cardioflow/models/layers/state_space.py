"""The convolution of a structured state-space model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.models._keras.backend import keras

__all__ = ["StateSpace"]


@keras.saving.register_keras_serializable(package="cardioflow")
class StateSpace(keras.layers.Layer):
    """A linear state-space model per channel, as a long convolution: (row, time, channel) to the same shape.

    The state of ``n_state`` numbers follows x' = A x + B u with the HiPPO-LegS
    matrix A and a time step per channel, which are fixed; the output is
    y = C x + D u, with C and D learned (Gu et al., "Efficiently modeling long
    sequences with structured state spaces", ICLR 2022). With ``bidirectional``, a
    second C reads a state that runs backwards.

    The published code learns C in a basis in which A is diagonal plus a rank of
    one, as ``n_state / 2`` complex numbers, and with Aᴸ folded in. Here it is the
    same map with ``n_state`` real numbers. The kernel is computed by doubling from
    the powers of the discretized A (bilinear), which for the few states of ECG
    models costs less than the Cauchy kernel and needs no complex numbers, so that
    it runs on every backend. The number of samples must be known.

    Args:
        n_state: The number of states per channel.
        bidirectional: Whether a second kernel reads the signal backwards.
        dt: The smallest and largest time step, between which channels are drawn evenly in the logarithm.
        kwargs: The arguments that every Keras layer takes.
    """

    def __init__(
        self, n_state: int = 8, *, bidirectional: bool = True, dt: tuple[float, float] = (0.001, 0.1), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.n_state = n_state
        self.bidirectional = bidirectional
        self.dt = tuple(dt)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        n_channels = input_shape[-1]
        low, high = (math.log(step) for step in self.dt)
        self.log_dt = self.add_weight(
            shape=(n_channels,),
            initializer=keras.initializers.RandomUniform(low, high),
            trainable=False,
            name="log_dt",
        )
        shape = (1 + self.bidirectional, n_channels, self.n_state)
        # A state of HiPPO-LegS n has a size of about √(2n+1); C of this scale gives outputs of about one.
        scale = 1 / self.n_state
        self.c = self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(stddev=scale), name="c")
        self.d = self.add_weight(shape=(n_channels,), initializer=keras.initializers.RandomNormal(stddev=1), name="d")
        self.built = True

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        n_samples = inputs.shape[1]
        n_fft = 2 ** math.ceil(math.log2(2 * n_samples))
        kernel = self._kernel(n_samples, n_fft)
        signal = ops.transpose(inputs, (0, 2, 1))
        padded = ops.pad(signal, ((0, 0), (0, 0), (0, n_fft - n_samples)))
        (u_re, u_im), (k_re, k_im) = ops.rfft(padded), ops.rfft(kernel)
        product = (u_re * k_re - u_im * k_im, u_re * k_im + u_im * k_re)
        found = ops.irfft(product, fft_length=n_fft)[:, :, :n_samples]
        return ops.transpose(found + signal * self.d[:, None], (0, 2, 1))

    def _kernel(self, n_samples: int, n_fft: int) -> Any:
        """Return (channel, n_fft): the forward kernel at lags from 0, the backward one at lags from -1 down."""
        ops = keras.ops
        basis = self._basis(n_samples)
        kernels = ops.einsum("dhn,hnl->dhl", self.c, basis)
        forward = kernels[0]
        if not self.bidirectional:
            return ops.pad(forward, ((0, 0), (0, n_fft - n_samples)))
        gap = ops.zeros((forward.shape[0], n_fft - 2 * n_samples), dtype=forward.dtype)
        return ops.concatenate([forward, gap, ops.flip(kernels[1], axis=-1)], axis=-1)

    def _basis(self, n_samples: int) -> Any:
        """Return (channel, state, time): the states after an impulse, of which C makes the kernel."""
        ops = keras.ops
        a, b = _legs(self.n_state)
        step = ops.exp(self.log_dt)[:, None, None]
        half = 0.5 * step * ops.convert_to_tensor(a, dtype=step.dtype)
        eye = ops.eye(self.n_state, dtype=step.dtype)
        inverse = ops.inv(eye - half)
        power = ops.matmul(inverse, eye + half)
        basis = ops.matmul(inverse, step * ops.convert_to_tensor(b[:, None], dtype=step.dtype))
        while basis.shape[-1] < n_samples:
            basis = ops.concatenate([basis, ops.matmul(power, basis)], axis=-1)
            power = ops.matmul(power, power)
        return basis[:, :, :n_samples]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"n_state": self.n_state, "bidirectional": self.bidirectional, "dt": self.dt}
        return {**super().get_config(), **own}


def _legs(n_state: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return A and B of HiPPO-LegS (Gu et al., NeurIPS 2020, equation 2)."""
    root = np.sqrt(2 * np.arange(n_state) + 1.0)
    a = -(np.tril(np.outer(root, root), -1) + np.diag(np.arange(n_state) + 1.0))
    return a, root
