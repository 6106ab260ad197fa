"""The structured state-space model of the PTB-XL benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.convolution import conv1d
from cardioflow.models.layers.state_space import StateSpace
from cardioflow.models.zoo._network import ZooNetwork
from cardioflow.models.zoo._published import Published

__all__ = ["S4"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class S4(ZooNetwork):
    """Four state-space layers of 512 channels and 8 states, with 2 183 239 trained parameters for 12 leads, 71 labels.

    Mehari and Strodthoff, "Towards quantitative precision for ECG analysis:
    leveraging state space models, self-supervision and patient metadata", IEEE JBHI
    2023, after Gu et al., "Efficiently modeling long sequences with structured state
    spaces", ICLR 2022. Trained on crops of 2.5 s at 100 Hz. As in the benchmarks, the
    dynamics and time steps of the states are fixed, and what is read from them is
    learned. Layers are bidirectional; each has a residual sum and layer
    normalization after it; the benchmarks' variant with batch normalization, whose code
    loses the residual, is not here. See ``layers.StateSpace`` for where the computation
    differs. With two cores, jax 0.10.2 waits in it for ever unless the environment
    variable ``NPROC`` gives it more threads, such as 8.
    """

    published: ClassVar[Published | None] = Published(2_183_239, (12, 250), 71, 100, source="Mehari 2023")
    example_settings: ClassVar[Mapping[str, Any]] = {"width": 8, "depth": 2, "n_state": 4}
    fixed_length: ClassVar[str | None] = "its kernel is as long as the signal. Cut the signals to one length"
    min_samples: ClassVar[int] = 2

    width: int = 512
    """The number of channels."""
    depth: int = 4
    """The number of layers."""
    n_state: int = 8
    """The number of states per channel."""
    dropout: float = 0.2

    def features(self, x: Any) -> Any:
        layers = keras.layers
        x = conv1d(x, self.width, 1, name="stem-conv")
        for number in range(1, self.depth + 1):
            name = f"block{number}"
            y = layers.Activation("gelu", name=f"{name}-gelu")(StateSpace(self.n_state, name=f"{name}-s4")(x))
            y = layers.SpatialDropout1D(self.dropout, name=f"{name}-dropout")(y)
            value = layers.Dense(self.width, name=f"{name}-value")(y)
            gate = layers.Dense(self.width, activation="sigmoid", name=f"{name}-gate")(y)
            y = layers.Multiply(name=f"{name}-glu")([value, gate])
            x = layers.Add(name=f"{name}-add")([x, y])
            x = layers.LayerNormalization(epsilon=1e-5, name=f"{name}-norm")(x)
        return layers.GlobalAveragePooling1D(name="head-mean")(x)
