"""The loss and the metrics of a model over many batches, computed as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import LabelError
from cardioflow.models._infer_targets import infer_targets
from cardioflow.models._scores import RequestedMetric, resolve, score
from cardioflow.models.adapter import BackendModel
from cardioflow.models.base import BaseModel
from cardioflow.models.targets import LabelPerSample, NoTarget, TargetEncoding

__all__ = ["Evaluation", "RequestedMetric", "resolve"]

Array = NDArray[Any]


class _Rows(NamedTuple):
    """The targets and predictions of one batch, and the record of each row."""

    y_true: Array
    y_pred: Array
    records: tuple[str, ...]
    loss: float | None


@final
class Evaluation:
    """Takes batches one by one, keeps their targets and predictions, and computes each metric once, from all of them.

    Args:
        model: Asked without an update.
        metrics: What ``resolve`` returned.
        per: ``"record"``: the predictions of a record's segments are averaged first; ``"segment"``: each counts.
    """

    def __init__(
        self, model: BaseModel, metrics: Sequence[RequestedMetric], per: Literal["record", "segment"] = "record"
    ) -> None:
        self._model = model
        self._metrics = metrics
        self._per = per
        self._encoding: TargetEncoding | None = None
        self._rows: list[_Rows] = []

    @property
    def n_rows(self) -> int:
        """How many rows the batches had, segments counted each."""
        return sum(len(rows.y_true) for rows in self._rows)

    def add(self, batch: EcgBatch) -> None:
        """Ask the model about ``batch``.

        Raises:
            CardioFlowError: as ``test_on_batch``.
        """
        batch = unstack(batch)
        model = self._model
        if isinstance(model, BackendModel):
            sample = model._take(batch)
            model._signature.check_rate(sample.batch)
            loss, y_pred = model._test(sample.x, sample.y)
            self._encoding = model.targets or model._seen
            y_true = sample.y
        else:
            self._encoding = infer_targets(batch, self._encoding)
            loss, y_pred = None, np.asarray(model.predict_on_batch(batch))
            y_true = self._encoding.encode(batch, y_pred)
        self._rows.append(_Rows(y_true, y_pred, batch.provenance.record_id, loss))

    def scores(self) -> dict[str, float]:
        """Return ``"loss"``, the mean over all rows, where the model has one, and each metric by its own name.

        Raises:
            LabelError: when the segments of a record have different targets, and metrics are per record.
            ModelError: when a metric fails.
        """
        if self._encoding is None:
            return {}
        found: dict[str, float] = {}
        losses = [(rows.loss, len(rows.y_true)) for rows in self._rows if rows.loss is not None]
        if losses:
            found["loss"] = float(sum(loss * n for loss, n in losses) / sum(n for _, n in losses))
        y_true = np.concatenate([rows.y_true for rows in self._rows])
        y_pred = np.concatenate([rows.y_pred for rows in self._rows])
        if self._per == "record" and not isinstance(self._encoding, LabelPerSample | NoTarget):
            records = [record for rows in self._rows for record in rows.records]
            y_true, y_pred = _per_record(records, y_true, y_pred)
        values = score(self._metrics, y_true, y_pred, self._encoding).values()
        return found | {metric.name: value for metric, value in zip(self._metrics, values, strict=True)}


def _per_record(records: Sequence[str], y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return one row per record, in the order in which they first came: its target, and the mean prediction."""
    places: dict[str, int] = {}
    place = np.array([places.setdefault(record, len(places)) for record in records])
    if len(places) == len(records):
        return y_true, y_pred
    first = np.unique(place, return_index=True)[1]
    differs = (y_true != y_true[first][place]).reshape(len(y_true), -1).any(axis=1)
    if differs.any():
        record = records[int(np.argmax(differs))]
        raise LabelError(
            f"The segments of record {record!r} have different targets, so that the record has none. "
            "Pass per='segment'.",
            record=record,
        )
    # In float64, so that the order in which segments came cannot change the last bit of a float32.
    total = np.zeros((len(places), *y_pred.shape[1:]))
    np.add.at(total, place, y_pred)
    counts = np.bincount(place).reshape(-1, *[1] * (y_pred.ndim - 1))
    return y_true[first], (total / counts).astype(y_pred.dtype)
