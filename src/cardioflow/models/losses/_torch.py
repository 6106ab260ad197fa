"""Losses on PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

__all__ = ["TorchOps"]


class TorchOps:
    """The operations of losses, in PyTorch."""

    log = staticmethod(torch.log)
    exp = staticmethod(torch.exp)
    softplus = staticmethod(functional.softplus)

    def log_softmax(self, x: Any) -> Any:
        return functional.log_softmax(x, dim=-1)

    def maximum(self, x: Any, least: float) -> Any:
        return torch.clamp(x, min=least)

    def minimum(self, x: Any, most: float) -> Any:
        return torch.clamp(x, max=most)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        return torch.sum(x, dim=axes)

    def constant(self, values: tuple[float, ...], like: Any) -> Any:
        return torch.tensor(values, dtype=like.dtype, device=like.device)

    def compared(self, x: Any, values: Any) -> Any:
        return (x >= values).to(x.dtype)

    def log_sum_exp(self, x: Any) -> Any:
        return torch.logsumexp(x, dim=-1)
