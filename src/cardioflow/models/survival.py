"""Time until an event, of which some records are censored, as a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import LabelError, ModelError
from cardioflow.models._refuse import refuse
from cardioflow.models._target_arrays import numeric_rows
from cardioflow.models.dump_header import Output
from cardioflow.models.targets import Response, TargetEncoding

__all__ = ["Survival"]

Array = NDArray[Any]


@final
@dataclass(frozen=True)
class Survival(TargetEncoding):
    """The time until an event, and whether it was seen: (record, 2), the time and 1, or 0 where it is censored.

    The loss is by default ``"cox"``: the model gives one number per record, the
    logarithm of its risk. After ``DiscreteSurvival`` it gives the probability
    of surviving each interval. A metric, such as ``"c_index"``, is given the
    targets and a risk per record, which is higher for earlier events: of
    probabilities, minus their sum.
    """

    output: ClassVar[Output] = "value"
    usual_loss: ClassVar[str | None] = "cox"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- some encodings need the input
        y = numeric_rows(batch, numbers=True)
        if y.shape[1] != 2:
            raise LabelError(
                f"The model learns survival, and the targets have {y.shape[1]} columns. Give two: the time, and 1 for "
                "an event or 0 for a censored time."
            )
        bad = (y[:, 0] < 0) | ~np.isin(y[:, 1], (0.0, 1.0))
        refuse(batch, bad, lambda row: _not_survival(batch.ids[row], y[row]))
        return y

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- a risk is neither label nor probability
        if y_pred.ndim != 2:
            raise ModelError(
                f"The model gives {y_pred.shape[1:]} per record, so that {name!r} cannot be computed. Let it end in "
                "one number, or with DiscreteSurvival in one for each interval."
            )
        return y_true, y_pred[:, 0] if y_pred.shape[1] == 1 else -y_pred.sum(axis=1)


def _not_survival(name: str, target: Array) -> LabelError:
    return LabelError(
        f"The target of record {name!r} is {target.tolist()}, and survival is a time of at least 0 and 1 for an event "
        "or 0 for a censored time."
    )
