"""Ask a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ragged import Ragged
from cardioflow.batch.unstack import unstack
from cardioflow.errors import InputError, ModelError
from cardioflow.models.uncertainty import uncertainty
from cardioflow.pipeline.expressions import B, V
from cardioflow.pipeline.predictions import AGGREGATES, Prediction, SegmentAggregator, per_row
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunContext

__all__ = ["PredictOnBatch"]


@final
@dataclass(frozen=True)
class PredictOnBatch(StatefulStep):
    """Ask the model ``name`` for a prediction of every record.

    To a variable (``"prediction"`` when none is named) goes a list of
    ``Prediction(id, value)``: by default one per record, the mean over its
    segments, emitted when the record's last segment is in, also when segments
    were unstacked and rebatched; ``per="segment"`` gives one per segment, and
    ``aggregate`` is ``"mean"``, ``"median"`` or ``"max"``. ``save_to=B("name")`` makes a
    component of the batch with one value per row; ``inplace=True`` puts the
    values in the place of the signals. ``uncertainty=V("name")`` writes to
    another variable how uncertain each prediction is, 0 to about 1, for models
    with a distribution of probabilities such as ``"dirichlet"``: of a record, from
    the mixture of its segments (``cardioflow.models.uncertainty``).
    """

    names_model: ClassVar[bool] = True

    name: str
    save_to: V | B | None = None
    inplace: bool = field(default=False, kw_only=True)
    per: Literal["record", "segment"] = "record"
    aggregate: Literal["mean", "median", "max"] = "mean"
    uncertainty: V | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.save_to is not None and not isinstance(self.save_to, (V, B)):
            raise InputError(f"predict_on_batch(save_to={self.save_to!r}): expected V('name') or B('name').")
        if self.per not in ("record", "segment"):
            raise InputError(f"predict_on_batch(per={self.per!r}): expected 'record' or 'segment'.")
        if self.aggregate not in AGGREGATES:
            raise InputError(
                f"predict_on_batch(aggregate={self.aggregate!r}): expected one of {', '.join(AGGREGATES)}."
            )
        if self.inplace and self.save_to is not None:
            raise InputError("predict_on_batch(inplace=True, save_to=…): pass one of them.")
        self._check_uncertainty()

    def _check_uncertainty(self) -> None:
        if self.uncertainty is None:
            return
        if not isinstance(self.uncertainty, V) or self.uncertainty.name is None:
            raise InputError(f"predict_on_batch(uncertainty={self.uncertainty!r}): expected V('name').")
        if self.inplace or isinstance(self.save_to, B) or self.aggregate != "mean":
            raise InputError(
                "predict_on_batch(uncertainty=…) writes to variables, and is of the mean over segments. Leave out "
                "inplace, aggregate and save_to=B(…)."
            )

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        model = context.models.get(self.name, batch)
        context.models.warn_if_untrained(self.name)
        predict = model.predict_on_batch if self.uncertainty is None else model.predict_moments_on_batch
        values = np.asarray(predict(batch))
        _check_rows(values, batch, self.name)
        if self.inplace:
            rows = per_row(batch, values, self.aggregate)
            return batch.replace(signal=Ragged.from_arrays([_two_axes(row) for row in rows]))
        if isinstance(self.save_to, B):
            return batch.with_component(self.save_to.name or "prediction", per_row(batch, values, self.aggregate))
        segments = unstack(batch)
        if self.per == "segment":
            found = [Prediction(i, v) for i, v in zip(segments.ids, values, strict=True)]
        else:
            found = self._aggregator(context).add(segments, values, self.aggregate)
        self._save(context, found)
        return batch

    def end(self, context: RunContext) -> None:
        # Records some of whose segments were filtered out on the way are never whole.
        self._save(context, self._aggregator(context).rest(self.aggregate))

    @staticmethod
    def _aggregator(context: RunContext) -> SegmentAggregator:
        held: SegmentAggregator = context.state.setdefault("aggregator", SegmentAggregator())
        return held

    def _save(self, context: RunContext, found: list[Prediction]) -> None:
        if self.inplace or isinstance(self.save_to, B):
            return
        if self.uncertainty is not None:
            # The mean over segments of both moments gives those of the mixture.
            told = [Prediction(i, np.asarray(uncertainty(moments))) for i, moments in found]
            context.variables.extend(self.uncertainty.name, told)
            found = [Prediction(i, moments[0]) for i, moments in found]
        context.variables.extend("prediction" if self.save_to is None else self.save_to.name, found)


def _check_rows(values: NDArray[Any], batch: EcgBatch, name: str) -> None:
    """Check that there is one prediction per segment: rows of another array would go to the wrong records."""
    signal = batch.component("signal")
    n_rows = len(batch) if signal.ndim < 3 else int(signal.shapes[:, 0].sum())
    if not values.ndim or len(values) != n_rows:
        raise ModelError(
            f"The model {name!r} returned predictions of shape {values.shape} for {n_rows} "
            f"row{'' if n_rows == 1 else 's'}. Return one per row, along the first axis."
        )


def _two_axes(row: NDArray[Any]) -> NDArray[Any]:
    return row if row.ndim == 2 else row.reshape(1, -1)
