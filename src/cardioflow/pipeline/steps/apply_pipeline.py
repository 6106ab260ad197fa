"""Do the steps of another pipeline, as one step: on every row or on some, once or several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.random_keys import uniform
from cardioflow.errors import InputError
from cardioflow.pipeline.steps._nested import NestedStep, PureSteps, check_components

__all__ = ["ApplyPipeline"]

_PLACE: Final = "_place_before_apply_pipeline"


@final
@dataclass(frozen=True, init=False, eq=False)
class ApplyPipeline(NestedStep):
    """Do the steps of ``pipeline`` as one step.

    With ``p`` below 1, each row goes through them with this probability,
    drawn from its seed, epoch and record alone, and the others stay as they
    are. The steps are pure; those that train or write belong in the outer
    pipeline.

    Args:
        pipeline: A template.
        p: The probability of each row.
        n_times: How often the steps are done, one time after the other; random ones draw anew.

    Raises:
        InputError: naming a step that is not pure; or in a run, when the steps make a component that the rows which
            do not go through them lack.
    """

    def __init__(self, pipeline: Any, p: float = 1.0, n_times: int = 1) -> None:
        if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
            raise InputError(f"apply_pipeline(p={p!r}): expected a probability, from 0 to 1.")
        if isinstance(n_times, bool) or not isinstance(n_times, int) or n_times < 1:
            raise InputError(f"apply_pipeline(n_times={n_times!r}): expected a whole number of at least 1.")
        object.__setattr__(self, "parts", (PureSteps.of(pipeline, "apply_pipeline"),))
        object.__setattr__(self, "p", p)
        object.__setattr__(self, "n_times", n_times)

    p: float
    n_times: int

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        if self.p >= 1:
            return self._after(batch, self._done(batch), self.n_times)
        chosen = uniform(batch.keys(self.action_name), 1)[:, 0] < self.p
        if not chosen.any():
            return self._after(batch, batch, self.n_times)
        # Segments of one record are told apart by their places, whatever ids the steps give them.
        numbered = batch.with_component(_PLACE, np.arange(len(batch)))
        done = self._done(numbered.take(chosen))
        if _PLACE not in done.columns:
            # The steps read the records anew, which are whole then.
            places = {record: i for i, record in enumerate(batch.provenance.record_id)}
            done = done.with_component(_PLACE, np.array([places[own] for own in done.provenance.record_id], np.intp))
        left = numbered.take(~chosen)
        check_components((left, done), "apply_pipeline")
        mixed = type(batch).concat([left, done])
        order = np.argsort(mixed.component(_PLACE), kind="stable")
        return self._after(batch, mixed.take(order).without_component(_PLACE), self.n_times)

    def _done(self, batch: EcgBatch) -> EcgBatch:
        for _ in range(self.n_times):
            batch = self.parts[0](batch)
        return batch

    def __str__(self) -> str:
        return f"apply_pipeline({len(self.parts[0].steps)} steps, p={self.p}, n_times={self.n_times})"
