"""Batches through a bundle: in order, several at a time, and record by record where a batch fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.judge import Answer
from cardioflow.bundle.predictions import SkippedRecord
from cardioflow.bundle.sources import file_of
from cardioflow.errors import CardioFlowError

__all__ = ["answers_in_order", "answers_of"]

Work = Callable[[EcgBatch], Sequence[Answer]]


def answers_in_order(batches: Iterable[EcgBatch], work: Work, jobs: int) -> Iterator[Answer]:
    """Yield the answers for ``batches`` in their order; ``jobs`` of them are worked on at a time, in threads."""
    if jobs == 1:
        for batch in batches:
            yield from answers_of(batch, work)
        return
    waiting: list[Future[list[Answer]]] = []
    with ThreadPoolExecutor(jobs) as pool:
        for batch in batches:
            waiting.append(pool.submit(lambda own: list(answers_of(own, work)), batch))
            # Few of them wait, so that memory does not grow with the number of records.
            if len(waiting) > 2 * jobs:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def answers_of(batch: EcgBatch, work: Work) -> Iterator[Answer]:
    """Yield what ``work`` returns for ``batch``, or where it fails, for its records one by one."""
    try:
        yield from work(batch)
    except CardioFlowError as error:
        if len(batch) > 1:
            # One of the records is at fault, or they do not go together, as those of different leads.
            for row in batch:
                yield from answers_of(row, work)
        else:
            yield SkippedRecord(batch.ids[0], file_of(batch, 0), error.step, str(error))
