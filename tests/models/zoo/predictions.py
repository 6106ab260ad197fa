"""Predict with every small network of the zoo, its weights drawn by NumPy, and save them: ``predictions.py OUT``."""

from __future__ import annotations

import sys

import numpy as np

from cardioflow import registry
from cardioflow.models._keras import keras


def main(out: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 2, 700)).astype(np.float32)
    found = {}
    for name in registry.models.names():
        member = registry.models.get(name)
        if not hasattr(member, "blocks"):
            continue
        built = member(**member.example_settings).build((2, 700))
        rng = np.random.default_rng(1)
        # Kept away from 0 for the variances of batch normalization.
        built.model.set_weights([rng.uniform(0.1, 0.3, w.shape).astype(w.dtype) for w in built.model.get_weights()])
        found[name] = np.asarray(keras.ops.convert_to_numpy(built.model(x, training=False)))
    np.savez(out, **found)


if __name__ == "__main__":
    main(sys.argv[1])
