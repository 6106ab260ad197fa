"""Cox's partial likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Cox"]


@final
@dataclass(frozen=True)
class Cox(Loss):
    """The negative partial log-likelihood of events, with Breslow's ties, averaged over the events of the batch.

    Cox 1972; Katzman et al., BMC Med Res Methodol 2018. The model gives one
    number per record, the log risk; targets are (record, 2): the time, and 1
    for an event or 0 for a censored time. The records at risk are those of the
    batch, so that batches have to be large; of a batch without an event it is 0.
    """

    takes: ClassVar[tuple[Kind, ...]] = ("value",)
    by_row: ClassVar[bool] = False

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- numbers only
        risk, time, event = z[:, 0], y[:, 0], y[:, 1]
        at_risk = ops.compared(time[None, :], time[:, None])
        # The logarithm of 0 would be infinite: those who are not at risk get e^-1e9.
        log_total = ops.log_sum_exp(risk[None, :] + (at_risk - 1) * 1e9)
        n_records, n_events = risk.shape[0], ops.maximum(ops.sum(event, (0,)), 1.0)
        # The adapter takes the mean over records.
        return (log_total - risk) * event * n_records / n_events
