"""The two-dimensional Inception block."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["Inception2D"]


@keras.saving.register_keras_serializable(package="cardioflow")
class Inception2D(keras.layers.Layer):
    """Four parallel branches, concatenated: a 1×1 convolution, two larger convolutions, and a max pooling.

    Branches: 1×1; 1×1 then ``kernel_1``²; 1×1 then ``kernel_2``²; 3×3 max pooling
    then 1×1 (Szegedy et al., "Going deeper with convolutions", CVPR 2015,
    figure 2b). The output has ``base + 3 · branch`` channels.

    Args:
        base: The number of filters of the 1×1 convolutions that start the first three branches.
        branch: The number of filters at the end of each of the last three branches.
        kernel_1: The kernel size of the second branch.
        kernel_2: The kernel size of the third branch.
        kwargs: The arguments that every Keras layer takes.
    """

    def __init__(self, base: int, branch: int, kernel_1: int = 3, kernel_2: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.base = base
        self.branch = branch
        self.kernel_1 = kernel_1
        self.kernel_2 = kernel_2

        def conv(filters: int, side: int) -> Any:
            return keras.layers.Conv2D(filters, side, padding="same", activation="relu")

        self.point = conv(base, 1)
        self.first = (conv(base, 1), conv(branch, kernel_1))
        self.second = (conv(base, 1), conv(branch, kernel_2))
        self.maximum = (keras.layers.MaxPooling2D(3, strides=1, padding="same"), conv(branch, 1))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.point.build(input_shape)
        for branch in (self.first, self.second, self.maximum):
            shape = input_shape
            for layer in branch:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        views = [self.point(inputs)]
        for first, second in (self.first, self.second, self.maximum):
            views.append(second(first(inputs)))
        return keras.ops.concatenate(views, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.base + 3 * self.branch)

    def get_config(self) -> dict[str, Any]:
        own = {"base": self.base, "branch": self.branch, "kernel_1": self.kernel_1, "kernel_2": self.kernel_2}
        return {**super().get_config(), **own}
