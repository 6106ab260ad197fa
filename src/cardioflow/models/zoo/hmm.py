"""CardIO's hidden Markov model of the heart beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beat_states import N_STATES, UNKNOWN, allowed_states, first_model, states_of
from cardioflow.analysis.gaussian_hmm import Covariance, GaussianHmm
from cardioflow.analysis.semi_markov import gamma_durations
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.models.hmm import HMModel

__all__ = ["Hmm"]


class Hmm(HMModel):
    """The 19 states of a heart beat as a hidden Markov model: QRS 0–2, ST 3–4, T 5–10, ISO 11–13, P 14–16, PQ 17–18.

    ``cardioflow.ready_pipelines`` has the pipelines that prepare records for it, train it and find states, and
    ``calc_ecg_parameters(src=…)`` measures intervals from the states. The first model comes from the marks in the
    batch's annotation: brackets around ``p``, ``t`` and beats, as in QTDB. EM then fits it to all records at once.
    CardIO published no accuracy for it; ``docs/models.md`` has ours. It differs from CardIO's in four ways: each state
    has its own first mean and covariance and not those of its wave, EM sees all records and not the last batch,
    ``follow_marks`` and ``durations`` are new, and the rate of the records is checked.

    Args:
        features: The component with the observations.
        channel: Which lead of it.
        n_iter: The largest number of updates of EM; 0 keeps the first model with CardIO's transitions.
        tol: EM ends when the log-likelihood of all records gains less than this.
        covariance: ``"full"`` or ``"diag"``.
        follow_marks: Whether EM keeps to the marks where there are some, so that boundaries stay where the annotators
            put them. By default EM is free, as CardIO's was.
        durations: Whether states are decoded with gamma distributions of how long they last (``SemiMarkov``), which are
            learned after EM: from the marks where they show all states, and else from the states that the fitted model
            finds. The loss stays that of the model without them.
    """

    def __init__(
        self,
        features: str = "hmm_features",
        channel: int = 0,
        n_iter: int = 25,
        tol: float = 1e-2,
        covariance: Covariance = "full",
        *,
        follow_marks: bool = False,
        durations: bool = False,
    ) -> None:
        super().__init__(features, channel, n_iter, tol)
        self.learns_durations = durations
        self.covariance: Covariance = covariance
        self.follow_marks = follow_marks
        self._states: list[NDArray[np.int64]] = []

    def _collect(self, batch: EcgBatch, sequences: Sequence[NDArray[Any]]) -> None:
        super()._collect(batch, sequences)
        marks = batch.annotation
        for i, x in enumerate(sequences):
            own = None if marks is None else marks[i]
            if isinstance(own, Annotation):
                self._states.append(states_of(own.sample, own.symbol.tolist(), len(x), float(batch.fs[i])))
            else:
                self._states.append(np.full(len(x), UNKNOWN))

    def _begin(self) -> GaussianHmm:
        if self.model is None:
            return first_model(self._collected, self._states, self.covariance)
        return self.model

    def _allowed(self) -> list[NDArray[np.bool_]] | None:
        fs = self.fs or 250.0
        return [allowed_states(own, fs) for own in self._states] if self.follow_marks else None

    def _learned_durations(self) -> NDArray[Any] | None:
        if not self.learns_durations:
            return super()._learned_durations()
        fitted = self._fitted()
        marked = [own for own in self._states if (own != UNKNOWN).any()]
        shown = {int(k) for own in marked for k in own[np.flatnonzero(np.diff(own)) + 1]}
        if len(shown - {UNKNOWN}) < N_STATES:
            marked = fitted.decode(self._collected)
        return gamma_durations(marked, N_STATES, stay=np.diag(fitted.transitions))

    def _forget(self) -> None:
        super()._forget()
        self._states = []

    def _training(self) -> dict[str, NDArray[Any]]:
        return super()._training() | {f"states/{i:06d}": own for i, own in enumerate(self._states)}

    def _take_training(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super()._take_training(arrays)
        self._states = [arrays[name] for name in sorted(arrays) if name.startswith("states/")]
