"""The settings that the Keras models of the zoo share, and how they take weights of a dump."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, DumpError, InputError
from cardioflow.models import dump
from cardioflow.models._keras.backend import keras
from cardioflow.models._keras.parts import part_of, parts_of
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.training import TrainingOptions
from cardioflow.models.zoo._published import Published

__all__ = ["ZooModel"]


@dataclass(eq=False, repr=False, kw_only=True)
class ZooModel(KerasBaseModel):
    """A Keras model of the zoo; its fields are the keys of its config.

    Layers are named after their block, ``block03-conv1``, from the signal to the
    answer; freezing and learning rates go by blocks.
    """

    example_settings: ClassVar[Mapping[str, Any]] = {}
    published: ClassVar[Published | None] = None
    """The size that its authors give, which a test holds it to."""
    fixed_length: ClassVar[str | None] = None
    """Why the network takes signals of one length only, as the end of a sentence; ``None`` if it takes any."""
    min_samples: ClassVar[int] = 1
    """With fewer samples, nothing would be left to compute with."""

    learning_rate: float = 1e-3
    """The learning rate of the optimizer, which is Adam, or AdamW with a ``weight_decay``."""
    weight_decay: float = 0.0
    any_length: bool = False
    """Whether batches may differ in the number of samples, each batch of one length."""
    pretrained: str | None = None
    """The path of a dump of the same network, from which all blocks but ``answer`` take their weights."""
    freeze: str | tuple[str, ...] | None = None
    """The blocks that are not trained; ``"encoder"``, all but the answer, makes a linear probe."""
    layer_decay: float = 1.0
    """By how much the learning rate of each block is multiplied for the block before it."""
    leads: tuple[str, ...] | Literal["any"] | None = None
    """The leads by name, or ``"any"`` to take any leads in any order; by default those of the first batch."""
    units: tuple[str, ...] | Literal["any"] | None = None
    """The unit of each lead, or ``"any"``; by default those of the first batch."""

    def __post_init__(self) -> None:
        leads, units = self.leads, self.units
        super().__init__()
        self.leads, self.units = leads, units
        freeze = tuple(self.freeze) if isinstance(self.freeze, list) else self.freeze
        self.training = TrainingOptions(freeze=freeze, layer_decay=self.layer_decay)
        if self.any_length and self.fixed_length is not None:
            raise ConfigError(f"{type(self).__name__}(any_length=True) is not possible: {self.fixed_length}.")

    @final
    def blocks(self) -> tuple[str, ...]:
        """Return the names of the blocks that have weights, from the signal to the answer."""
        self._require_model()
        return parts_of(self.model)

    @final
    def _input(self, input_shape: tuple[int, int | None]) -> tuple[Any, Any]:
        """Return the input of the network, (row, lead, time), and its signal as (row, time, lead)."""
        n_leads, n_samples = input_shape
        if n_samples is None and self.fixed_length is not None:
            raise InputError(f"{type(self).__name__} cannot be built for any length: {self.fixed_length}.")
        if n_samples is not None and n_samples < self.min_samples:
            raise InputError(
                f"{type(self).__name__} got signals of {n_samples} samples, but needs at least {self.min_samples}. "
                "Cut longer segments."
            )
        signal = keras.layers.Input((n_leads, None if self.any_length else n_samples), name="signal")
        return signal, keras.layers.Permute((2, 1), name="signal_by_time")(signal)

    @final
    def _finish(self, signal: Any, output: Any, loss: Any) -> None:
        """Make the model from its input to its output, and compile it."""
        self.model = keras.Model(signal, output, name=type(self).__name__)
        if self.pretrained is not None:
            self._take_pretrained(self.pretrained)
        kind, decay = keras.optimizers.Adam, {}
        if self.weight_decay:
            kind, decay = keras.optimizers.AdamW, {"weight_decay": self.weight_decay}
        self.model.compile(loss=loss, optimizer=kind(self.learning_rate, **decay))

    @final
    def _check_pretrained_rate(self, batch: EcgBatch) -> None:
        """Refuse a first batch of another rate than the dump's network was trained on.

        Raises:
            InputError: naming the record and both rates.
        """
        if self.pretrained is not None:
            own = type(self)()
            own._take_header(dump.read_header(self.pretrained))
            own._signature.check_rate(batch)

    def _take_pretrained(self, path: str) -> None:
        header = dump.read_header(path)
        if not type(self).accepts(header):
            raise DumpError(
                f"{path!r} is the dump of {header.model}, and pretrained is that of a {type(self).__name__}. Pass the "
                "path of the right dump."
            )
        other = type(self)().load(path)
        self.leads, self.units = self.leads or other.leads, self.units or other.units
        theirs = {layer.name: layer for layer in other.model.layers}
        for layer in self.model.layers:
            if not layer.weights or part_of(layer) == "answer":
                continue
            weights = theirs[layer.name].get_weights() if layer.name in theirs else []
            shapes = [tuple(w.shape) for w in layer.weights], [w.shape for w in weights]
            if shapes[0] != shapes[1]:
                raise DumpError(
                    f"The layer {layer.name!r} has weights of shapes {shapes[0]}, and that of {path!r} {shapes[1]}. "
                    "Pass the settings with which the pretrained network was built, and signals of as many leads."
                )
            layer.set_weights(weights)
