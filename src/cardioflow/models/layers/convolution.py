"""One-dimensional convolutions as published networks have them: padded alike for every length."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["conv1d", "conv_norm", "norm"]


def conv1d(x: Any, filters: int, kernel: int, stride: int = 1, *, name: str, **options: Any) -> Any:
    """Return the convolution of ``x``, (row, time, channel), with ⌈time / stride⌉ samples.

    An odd kernel is centred on every ``stride``-th sample from the first one on,
    as in PyTorch with ``padding=kernel // 2``. Keras's ``"same"`` shifts the
    kernel by a sample for some lengths, so that weights trained at one length
    would not fit another. Even kernels are padded as ``"same"``.

    Args:
        x: The input.
        filters: The number of output channels.
        kernel: The number of samples of the kernel.
        stride: Every how many samples an output is computed.
        name: The name of the layer.
        options: Further arguments of ``keras.layers.Conv1D``.
    """
    layers, padding = keras.layers, "same"
    if stride > 1 and kernel % 2:
        padding = "valid"
        if kernel > 1:
            x = layers.ZeroPadding1D(kernel // 2, name=f"{name}_pad")(x)
    options = {"kernel_initializer": "he_normal", **options}
    return layers.Conv1D(filters, kernel, strides=stride, padding=padding, name=name, **options)(x)


def norm(x: Any, *, name: str, gamma: str = "ones") -> Any:
    """Return ``x`` after batch normalization with PyTorch's constants, which most published networks have."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=name)(x)


def conv_norm(
    x: Any, filters: int, kernel: int, stride: int = 1, *, name: str, relu: bool = True, gamma: str = "ones"
) -> Any:
    """Return ``x`` after a convolution without a bias, batch normalization and, if ``relu``, a ReLU."""
    x = conv1d(x, filters, kernel, stride, name=f"{name}_conv", use_bias=False)
    x = norm(x, name=f"{name}_norm", gamma=gamma)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
