"""A U-Net over time that labels every sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError
from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.crop_like import CropLike
from cardioflow.models.targets import LabelPerSample
from cardioflow.models.zoo._model import ZooModel
from cardioflow.models.zoo._published import Published

__all__ = ["Unet1d"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Unet1d(ZooModel):
    """A U-Net that gives each sample the probabilities of its states; 168 060 parameters for one lead, four states.

    Moskalenko, Zolotykh and Osipov, "Deep learning for ECG segmentation",
    Neuroinformatics 2019, in the public implementation for LUDB at 500 Hz: levels of
    4 to 64 filters with two convolutions of 9 samples each, batch normalization
    and ReLU, transposed convolutions of 8 samples upwards, and a softmax over none,
    P, QRS and T. 167 324 are trained. Signals may have any length where theirs is
    a multiple of 16; the two are equal at those.

    The targets are states from 0, one per sample, in a component of the batch.
    """

    published: ClassVar[Published | None] = Published(168_060, (1, 4000), 4, 500, "all", source="Moskalenko 2019")
    example_settings: ClassVar[Mapping[str, Any]] = {"filters": (4, 8), "n_states": 3}

    filters: tuple[int, ...] = (4, 8, 16, 32, 64)
    """The number of filters of each level; every level has half the samples of the one before."""
    n_states: int = 4
    kernel: int = 9
    component: str = "mask"
    """The component of the batch that has the state of each sample."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_states < 2:
            raise ConfigError(f"unet1d(n_states={self.n_states}) has nothing to tell apart. Pass 2 states or more.")

    def build(self, input_shape: tuple[int, int | None]) -> Self:
        """Build and compile the network for signals of ``input_shape``, (lead, time); a time of ``None`` is any."""
        layers = keras.layers
        signal, x = self._input(input_shape)
        levels = []
        for number, filters in enumerate(self.filters, 1):
            if number > 1:
                x = layers.MaxPooling1D(2, padding="same", name=f"down{number}-pool")(x)
            x = self._conv(self._conv(x, filters, f"down{number}-1"), filters, f"down{number}-2")
            levels.append(x)
        for number in range(len(levels) - 1, 0, -1):
            x = self._up(x, levels[number - 1], number)
        self.targets = LabelPerSample(self.component)
        self._finish(signal, layers.Softmax(name="answer-softmax")(x), keras.losses.SparseCategoricalCrossentropy())
        return self

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:
        shape = batch.component("signal").shapes[0]
        made = cls(**settings)
        made._check_pretrained_rate(batch)
        return made.build((int(shape[0]), int(shape[1])))

    def _up(self, x: Any, level: Any, number: int) -> Any:
        layers, filters = keras.layers, level.shape[-1]
        x = layers.Conv1DTranspose(x.shape[-1], 8, strides=2, padding="same", name=f"up{number}-lift")(x)
        x = CropLike(name=f"up{number}-crop")([x, level])
        x = layers.Concatenate(name=f"up{number}-concat")([x, level])
        x = self._conv(x, filters, f"up{number}-1")
        # What tells the states apart is the answer, which fine-tuning replaces.
        if number == 1:
            return self._conv(x, self.n_states, "answer-2", relu=False)
        return self._conv(x, filters, f"up{number}-2")

    def _conv(self, x: Any, filters: int, name: str, *, relu: bool = True) -> Any:
        layers = keras.layers
        x = layers.Conv1D(filters, self.kernel, padding="same", name=f"{name}-conv")(x)
        x = layers.BatchNormalization(name=f"{name}-norm")(x)
        return layers.ReLU(name=f"{name}-relu")(x) if relu else x
