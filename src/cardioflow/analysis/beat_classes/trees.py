"""Boosted decision trees that the package ships, as arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trees", "card", "shipped"]

Doubles = NDArray[np.float64]

_DEEPEST: Final = 64


@final
@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of trees for each class, whose softmax is the probability.

    All nodes of all trees stand one after another. A beat goes to ``left`` where its feature is at most
    ``threshold``, or where it is missing and ``missing_left`` says so; a leaf points to itself.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    """Of leaves."""
    roots: NDArray[np.int32]
    """The first node of each tree, (iteration, class)."""
    baseline: NDArray[np.float32]
    """What each class begins with."""

    def probabilities(self, x: Doubles) -> Doubles:
        """Return the probability of each class, of shape (row, class), for rows of features."""
        scores = np.tile(self.baseline.astype(np.float64), (len(x), 1))
        rows = np.arange(len(x))
        x = x.astype(np.float32)
        for own in self.roots:
            for k, root in enumerate(own):
                node = np.full(len(x), root)
                for _ in range(_DEEPEST):
                    values = x[rows, self.feature[node]]
                    goes_left = np.where(np.isnan(values), self.missing_left[node], values <= self.threshold[node])
                    following = np.where(goes_left, self.left[node], self.right[node])
                    if (following == node).all():
                        break
                    node = following
                scores[:, k] += self.value[node]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))


@lru_cache(maxsize=2)
def shipped(name: Literal["first", "second"] = "second") -> Trees:
    """Return the trees of the package: the first find ventricular beats, and the second know the context, too."""
    with files("cardioflow.analysis.beat_classes").joinpath(f"_{name}.npz").open("rb") as file:
        held = np.load(file, allow_pickle=False)
        return Trees(**{name: held[name] for name in held.files})


def card() -> dict[str, Any]:
    """Return what the trees were trained on and how, and the weights of the classes."""
    text = files("cardioflow.analysis.beat_classes").joinpath("card.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
