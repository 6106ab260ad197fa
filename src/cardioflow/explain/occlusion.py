"""How a prediction changes when a part of the record is hidden."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import ConfigError, InputError
from cardioflow.explain._inputs import Asked, Predict, asked, predictor
from cardioflow.explain.relevance import Relevance
from cardioflow.models.base import BaseModel

__all__ = ["Fill", "occlusion"]

Fill = Literal["line", "zero", "mean"]


def occlusion(
    model: BaseModel | Predict,
    batch: EcgBatch,
    target: int | None = None,
    *,
    window_s: float = 0.3,
    step_s: float | None = None,
    per_lead: bool = False,
    fill: Fill = "line",
    batch_size: int = 64,
) -> Relevance:
    """Return how much the prediction falls when the samples around each one are hidden.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks",
    ECCV 2014. A window moves over the record; the relevance of a sample is the
    mean fall of the score over the windows that hid it. It works for every
    model. A fall says that the model used what was there, and not that a
    physician would; a part that is shown twice, in two leads or two beats, can
    be hidden without a fall.

    Args:
        model: A model, or a function of a batch that returns (record, class), such as one that asks a bundle.
        batch: Records as the model takes them, of one shape.
        target: The number of the class; by default the one that is predicted for each record.
        window_s: The length of the window in seconds; 0.3 s hides a QRS complex or a P wave.
        step_s: How far it moves, by default half of its length.
        per_lead: Whether one lead at a time is hidden, and not all of them: as many times the work.
        fill: What stands in the window: a ``"line"`` between the samples beside it, which makes no steps;
            ``"zero"``; or ``"mean"`` of the lead.
        batch_size: How many hidden records the model is asked about at once.

    Raises:
        InputError: when the window has no sample or is longer than the record, or the batch cannot be explained.
        ConfigError: for an unknown ``fill``, or a ``batch_size`` below 1.
        ModelError: when the model does not predict one row of numbers per record.
    """
    if fill not in ("line", "zero", "mean"):
        raise ConfigError(f"fill={fill!r} is not 'line', 'zero' or 'mean'.")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ConfigError(f"batch_size={batch_size!r} is not a whole number from 1 on.")
    predict = predictor(model)
    own = asked(predict, batch, target)
    starts, length = _windows(own, window_s, window_s / 2 if step_s is None else step_s)
    n_records, n_leads = own.x.shape[:2]
    groups = [[lead] for lead in range(n_leads)] if per_lead else [list(range(n_leads))]
    jobs = [(record, leads, start) for record in range(n_records) for leads in groups for start in starts]
    fall, times = np.zeros(own.x.shape), np.zeros(own.x.shape)
    for first in range(0, len(jobs), batch_size):
        some = jobs[first : first + batch_size]
        records = np.array([record for record, _, _ in some])
        hidden = own.x[records].copy()
        for row, (_, leads, start) in enumerate(some):
            hidden[row, leads, start : start + length] = _filled(hidden[row, leads], start, length, fill)
        p = np.asarray(predict(_rows(own.rows, records, hidden)), np.float64)
        for (record, leads, start), row in zip(some, p, strict=True):
            fall[record, leads, start : start + length] += own.score[record] - row[own.target[record]]
            times[record, leads, start : start + length] += 1
    return Relevance(fall / np.maximum(times, 1), own.target, own.score, own.leads, np.full(n_records, np.nan))


def _windows(own: Asked, window_s: float, step_s: float) -> tuple[list[int], int]:
    """Return where windows begin, the last one at the end of the record, and their length, in samples."""
    rates = np.unique(own.rows.fs)
    if len(rates) > 1:
        raise InputError(f"The records have the rates {rates.tolist()} Hz. Explain those of one rate together.")
    if not np.isfinite([window_s, step_s]).all():
        raise InputError(f"window_s={window_s!r} and step_s={step_s!r} are not both finite. Pass seconds.")
    length, step = round(window_s * float(rates[0])), round(step_s * float(rates[0]))
    n_samples = own.x.shape[-1]
    if not 1 <= length <= n_samples or not 1 <= step <= length:
        raise InputError(
            f"window_s={window_s:g} is {length} samples and step_s={step_s:g} {step}, of {n_samples}. Pass a "
            "window that is not longer than the record, and a step of at least one sample that leaves none out."
        )
    last = n_samples - length
    return sorted({*range(0, last, step), last}), length


def _filled(x: NDArray[np.float32], start: int, length: int, fill: Fill) -> NDArray[np.float32]:
    """Return what stands in the window instead, (lead, length)."""
    if fill == "zero":
        return np.zeros((len(x), length), np.float32)
    if fill == "mean":
        return np.repeat(x.mean(axis=1, keepdims=True), length, axis=1)
    # From the samples beside the window, so that what is hidden leaves no trace.
    n = x.shape[1]
    if start == 0 and length == n:
        return np.zeros((len(x), length), np.float32)
    # At an end of the record there is a sample on one side alone.
    before, after = x[:, start - 1 if start else length], x[:, start + length if start + length < n else start - 1]
    share = np.linspace(0, 1, length + 2, dtype=np.float32)[1:-1]
    found: NDArray[np.float32] = before[:, None] * (1 - share) + after[:, None] * share
    return found


def _rows(rows: EcgBatch, records: NDArray[np.intp], x: NDArray[np.float32]) -> EcgBatch:
    shape = np.tile(np.array(x.shape[1:], np.int64), (len(x), 1))
    return rows.take(records).replace(signal=Ragged(x.reshape(-1), shape))
