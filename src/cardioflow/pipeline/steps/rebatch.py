"""Fill batches up again after a filter, or cut large ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.pipeline.steps.base import Stream, StreamStep

__all__ = ["Rebatch"]


@final
@dataclass(frozen=True)
class Rebatch(StreamStep):
    """Make batches of ``batch_size`` rows of what comes; batches of one epoch are never mixed with the next."""

    batch_size: int
    drop_last: bool = field(default=False, kw_only=True)
    """Whether the rest of an epoch, smaller than ``batch_size``, is left out."""

    def __post_init__(self) -> None:
        size: Any = self.batch_size
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise InputError(f"rebatch(batch_size={size!r}): expected a whole number of 1 or more.")

    @classmethod
    def examples(cls) -> tuple[Rebatch, ...]:
        return (cls(3), cls(3, drop_last=True))

    def start(self) -> Stream:
        return _Rows(self.batch_size, drop_last=self.drop_last)


@final
class _Rows(Stream):
    """The rows of an epoch that do not fill a batch yet."""

    def __init__(self, batch_size: int, *, drop_last: bool) -> None:
        self._batch_size = batch_size
        self._drop_last = drop_last
        self._held: list[EcgBatch] = []

    def push(self, batch: EcgBatch) -> list[EcgBatch]:
        self._held.append(batch)
        n_held = sum(len(b) for b in self._held)
        if n_held < self._batch_size:
            return []
        joined = _joined(self._held)
        n_full = n_held // self._batch_size * self._batch_size
        # What was skipped on the way stays with the first of the new batches.
        rest = joined.replace(skipped=())
        ready = [joined[: self._batch_size]]
        ready += [rest[start : start + self._batch_size] for start in range(self._batch_size, n_full, self._batch_size)]
        self._held = [rest[n_full:]] if n_held > n_full else []
        return ready

    def flush(self) -> list[EcgBatch]:
        held, self._held = self._held, []
        if not held:
            return []
        last = _joined(held)
        # Rows may be left out here, but not the report of what was skipped before them.
        return [last[:0] if self._drop_last else last]

    def state(self) -> Mapping[str, Any]:
        return {"held": tuple(self._held)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._held = list(state["held"])


def _joined(held: list[EcgBatch]) -> EcgBatch:
    return held[0] if len(held) == 1 else type(held[0]).concat(held)
