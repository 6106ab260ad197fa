"""Processes that train one PyTorch model together, in a group of ``torch.distributed``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import distributed

from cardioflow.models.replicas import Replicas

__all__ = ["TorchReplicas"]


@final
class TorchReplicas(Replicas):
    """The default process group, which must already exist.

    ``DistributedDataParallel`` averages the means of the processes, which is the
    mean of the batch only where all have as many rows, and waits without end for one
    that has none, unless each loss is scaled and empty processes train on a row of weight 0.
    It also gives all processes the buffers of the first one. Here each counts by its
    rows, in buffers too: the running mean of a batch normalization is that of the whole
    batch; the running variance is the average of those of the processes, which lacks what
    lies between their means. Each process draws its own masks for dropout.
    """

    def __init__(self) -> None:
        super().__init__(distributed.get_rank(), distributed.get_world_size())

    def exchange(self, content: bytes) -> list[bytes]:
        found: list[Any] = [None] * self.n
        distributed.all_gather_object(found, content)
        return found

    def share(self, n_rows: int, loss: float) -> tuple[float, float] | None:
        """Return the share of the rows that is here, and the mean loss of all; ``None`` where no process has a row."""
        summed = torch.tensor([n_rows, n_rows * loss], dtype=torch.float64)
        self._sum(summed)
        n_all, of_all = summed.tolist()
        return (n_rows / n_all, of_all / n_all) if n_all else None

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Add the gradients of all processes; one that no process has stays ``None``, so that optimizers skip it."""
        trained = [p for p in parameters if p.requires_grad]
        if not trained:
            return
        is_there = torch.tensor([float(p.grad is not None) for p in trained], device=trained[0].device)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        # One exchange for all of them.
        flat = torch.cat([is_there, *(g.reshape(-1).float() for g in grads)])
        self._sum(flat)
        start = len(trained)
        for parameter, counts in zip(trained, flat[:start].tolist(), strict=True):
            if counts:
                parameter.grad = flat[start : start + parameter.numel()].view_as(parameter).to(parameter.dtype)
            start += parameter.numel()

    def average(self, buffers: Sequence[torch.Tensor], share: float) -> None:
        """Replace running means by their average over the rows of all processes."""
        with torch.no_grad():
            for buffer in buffers:
                if buffer.is_floating_point():
                    buffer.mul_(share)
                    self._sum(buffer)

    def _sum(self, values: torch.Tensor) -> None:
        """Sum ``values`` over all processes, in place."""
        if distributed.get_backend() == "nccl" and not values.is_cuda:
            on_device = values.cuda()
            distributed.all_reduce(on_device)
            values.copy_(on_device)
        else:
            distributed.all_reduce(values)
