"""The caller's own thread: nothing is prepared ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cardioflow.pipeline.workers.way import Failed, Pure, Way, attempt

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Caller"]


@final
class Caller(Way):
    """Makes each batch when it is asked for."""

    def __init__(self, sampler: BatchSampler, pure: Pure) -> None:
        self._sampler = sampler
        self._pure = pure

    @property
    def name(self) -> str:
        return "the caller's thread"

    def get(self, number: int) -> EcgBatch | TimedBatch | Failed:
        return attempt(self._pure, self._sampler[number])

    def close(self) -> None:
        """Nothing was opened."""
