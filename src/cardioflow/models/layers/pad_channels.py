"""Zeros beside the channels of a signal."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["PadChannels"]


@keras.saving.register_keras_serializable(package="cardioflow")
class PadChannels(keras.layers.Layer):
    """Add ``before`` and ``after`` channels of zeros: (row, time, channel) to (row, time, before + channel + after).

    The shortcut of a residual block that widens without weights.
    """

    def __init__(self, before: int, after: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = before
        self.after = after

    def call(self, inputs: Any) -> Any:
        return keras.ops.pad(inputs, ((0, 0), (0, 0), (self.before, self.after)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n_channels = input_shape[-1]
        return (*input_shape[:-1], None if n_channels is None else self.before + n_channels + self.after)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "before": self.before, "after": self.after}
