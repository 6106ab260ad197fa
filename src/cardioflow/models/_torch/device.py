"""Where a PyTorch model computes, and in which precision."""

from __future__ import annotations

import torch

from cardioflow.errors import ModelError
from cardioflow.models.training import TrainingOptions

__all__ = ["autocast", "device_of"]

_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def device_of(name: str) -> torch.device:
    """Return the device of that name; for ``"auto"`` the accelerator if there is one, otherwise the CPU.

    Raises:
        ModelError: when there is no such device.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(f'The device {name!r} cannot be used: {why}. Pass device="cpu" or "auto".') from error
    return device


def autocast(device: torch.device, options: TrainingOptions) -> torch.autocast:
    """Return the context in which the forward pass has the precision of ``options``.

    Raises:
        ModelError: for float16 on the CPU, which is slower than float32 there.
    """
    if options.precision == "float16" and device.type == "cpu":
        raise ModelError('precision="float16" needs an accelerator. Pass precision="bfloat16" on the CPU.')
    kind = _TYPES.get(options.precision)
    return torch.autocast(device.type, dtype=kind or torch.bfloat16, enabled=kind is not None)
