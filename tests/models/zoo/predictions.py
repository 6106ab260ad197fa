"""Predict with small networks of the zoo, their weights drawn by NumPy, and save them: ``predictions.py OUT``.

These have, together, every kind of layer that the zoo has; the others would only compile longer.
"""

from __future__ import annotations

import sys

import numpy as np

from cardioflow import registry

NAMES = ("crnn", "hubert_ecg", "net1d", "patch_transformer", "s4", "unet1d", "xresnet1d101")


def main(out: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 2, 700)).astype(np.float32)
    found = {}
    for name in NAMES:
        member = registry.models.get(name)
        built = member(**member.example_settings).build((2, 700))
        rng = np.random.default_rng(1)
        # Kept away from 0 for the variances of batch normalization.
        built.model.set_weights([rng.uniform(0.1, 0.3, w.shape).astype(w.dtype) for w in built.model.get_weights()])
        found[name] = built.model.predict_on_batch(x)
    np.savez(out, **found)


if __name__ == "__main__":
    main(sys.argv[1])
