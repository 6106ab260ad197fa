"""The seed of torch's generators for one step of training."""

from __future__ import annotations

from functools import cache

import torch

__all__ = ["seed_step"]


def seed_step(seed: int) -> None:
    """Seed the generators that a step can draw from.

    ``torch.manual_seed`` also keeps a stack trace for each kind of device that
    torch was not built for, 1.3 ms in all, which is why it is not called where
    there is only the CPU.
    """
    if _has_accelerator():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@cache
def _has_accelerator() -> bool:
    return bool(torch.accelerator.is_available())
