"""What tells a token where it is, from the tokens around it."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["PositionalConvolution"]


@keras.saving.register_keras_serializable(package="cardioflow")
class PositionalConvolution(keras.layers.Conv1D):
    """A grouped convolution along the tokens of (row, token, channel), with as many channels as come in.

    Its kernel is a direction times a length for each tap, over all channels (Salimans
    and Kingma, "Weight normalization", NeurIPS 2016), as wav2vec 2.0 and HuBERT have it. An
    even kernel sees one token more before its own than after it, as in PyTorch with
    ``padding=kernel // 2`` and the last output dropped; Keras's ``"same"`` has it the
    other way round. Pad before it. Weights are direction, bias and length.

    Args:
        filters: The number of channels.
        kernel_size: The number of taps.
        kwargs: The arguments that ``keras.layers.Conv1D`` takes.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        super().build(input_shape)
        taps, *_ = self.kernel_size
        norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(self._kernel), axis=(1, 2), keepdims=True))
        # So that the kernel starts as its direction.
        self.length = self.add_weight(shape=(taps, 1, 1), initializer=lambda *_, **__: norm, name="length")

    @property
    def kernel(self) -> Any:
        if not self.built or not hasattr(self, "length"):
            return super().kernel
        ops, direction = keras.ops, self._kernel
        norm = ops.sqrt(ops.sum(ops.square(direction), axis=(1, 2), keepdims=True))
        return direction * (self.length / norm)

    def save_own_variables(self, store: Any) -> None:
        # A convolution of Keras saves its kernel as one.
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        keras.layers.Layer.load_own_variables(self, store)
