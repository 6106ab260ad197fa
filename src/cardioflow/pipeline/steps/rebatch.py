"""Fill batches up again after a filter, or cut large ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.pipeline.steps.base import StreamStep

__all__ = ["Rebatch"]


@final
@dataclass(frozen=True)
class Rebatch(StreamStep):
    """Make batches of ``batch_size`` rows of what comes; batches of one epoch are never mixed with the next."""

    batch_size: int
    drop_last: bool = False
    """Whether the rest of an epoch, smaller than ``batch_size``, is left out."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InputError(f"rebatch(batch_size={self.batch_size}): expected 1 or more.")

    @classmethod
    def examples(cls) -> tuple[Rebatch, ...]:
        return (cls(3), cls(3, drop_last=True))

    def stream(self, batches: Iterator[EcgBatch]) -> Iterator[EcgBatch]:
        held: list[EcgBatch] = []
        n_held = 0
        for batch in batches:
            if held and held[0].epoch != batch.epoch:
                yield from self._rest(held, n_held)
                held, n_held = [], 0
            held.append(batch)
            n_held += len(batch)
            if n_held >= self.batch_size:
                joined = _joined(held)
                n_full = n_held // self.batch_size * self.batch_size
                for start in range(0, n_full, self.batch_size):
                    # What was skipped on the way travels with the first of the new batches.
                    piece = joined[start : start + self.batch_size]
                    yield piece if start == 0 else piece.replace(skipped=())
                held, n_held = ([joined[n_full:].replace(skipped=())], n_held - n_full) if n_held > n_full else ([], 0)
        yield from self._rest(held, n_held)

    def _rest(self, held: list[EcgBatch], n_held: int) -> Iterator[EcgBatch]:
        if held and n_held and not self.drop_last:
            yield _joined(held)


def _joined(held: list[EcgBatch]) -> EcgBatch:
    return held[0] if len(held) == 1 else type(held[0]).concat(held)
