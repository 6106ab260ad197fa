"""The usual loss for what a model learns, by the names that PyTorch and JAX models share."""

from __future__ import annotations

from cardioflow.models.dump_header import Output

__all__ = ["DEFAULT_LOSSES"]

DEFAULT_LOSSES: dict[Output, str] = {
    "exclusive": "cross_entropy",
    "independent": "binary_cross_entropy",
    "value": "mse",
    "states": "cross_entropy",
}
