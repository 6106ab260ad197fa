"""The graph of gradient boosting on features."""

from __future__ import annotations

from cardioflow.models.inputs import InputShape
from cardioflow.models.zoo.features_gbm import FeaturesGbm

__all__ = ["write_graph"]


def write_graph(model: FeaturesGbm, shape: InputShape) -> bytes:  # noqa: ARG001 -- the trees know how many features
    """Return the graph of the trees, which takes NaN for a feature that is missing."""
    return model.to_onnx()
