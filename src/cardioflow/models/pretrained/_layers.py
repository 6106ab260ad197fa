"""Give a layer of a network the weights of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import DumpError

__all__ = ["set_layer"]


def set_layer(model: Any, layer: str, weights: Sequence[NDArray[np.float32]], path: str | Path) -> None:
    """Give the layer of the Keras model ``model`` its ``weights``, which were read from ``path``.

    Raises:
        DumpError: when their shapes are others than those of the layer.
    """
    own = model.get_layer(layer)
    wanted, given = [tuple(w.shape) for w in own.weights], [w.shape for w in weights]
    if wanted != given:
        raise DumpError(
            f"{str(path)!r} has weights of shapes {given} for the layer {layer!r}, and the network needs {wanted}. "
            "Pass the file of the model that the loader is named after."
        )
    own.set_weights(weights)
