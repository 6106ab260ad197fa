"""How usable a record and each of its leads is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, final

import numpy as np

from cardioflow.analysis.lead_names import distinct_names
from cardioflow.analysis.lead_usability import FEATURES, lead_usability
from cardioflow.bundle.methods.base import Method, ReadRecord
from cardioflow.bundle.predictions import LeadQuality, RecordPrediction
from cardioflow.bundle.schema import check, entries, is_number
from cardioflow.errors import DumpError

__all__ = ["Quality"]

_NAMED_FROM: Final = 1.0
"""What a feature must add to the log-odds of a lead's being bad, to be named as a reason."""


@final
@dataclass(frozen=True, kw_only=True)
class Quality(Method):
    """A lead is bad by the weighted sum of ``FEATURES``; a record by the sum of its leads' -log P(acceptable).

    Raises:
        DumpError: for settings of another form.
    """

    weights: tuple[float, ...]
    """One for each of ``FEATURES``."""
    bias: float
    """Of a lead's log-odds of being bad."""
    allowance: float
    """The sum of -log P(acceptable) over the leads at which a record is acceptable in one of two cases."""
    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        number = (is_number, "a number")
        check(self, {"bias": number, "allowance": number})
        if self.features != FEATURES or len(self.weights) != len(FEATURES) or not all(map(is_number, self.weights)):
            raise DumpError(
                f"Entry 'weights' or 'features' does not have one number for each of {', '.join(FEATURES)}."
            )

    @classmethod
    def of(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:  # noqa: ARG003 -- it has none
        found: Self = entries(cls, {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}, "settings")
        return found

    def answer(self, record: ReadRecord) -> RecordPrediction:
        features = lead_usability(record.signal, record.fs)
        parts = features * np.array(self.weights)
        odds = parts.sum(axis=1) + self.bias
        # -log P(acceptable) of a lead, summed: the leads of an acceptable record are all acceptable.
        logit = self.allowance - float(np.logaddexp(0, odds).sum())
        p = float(1 / (1 + np.exp(-logit)))
        if (odds >= 0).all():
            # The allowance is for some of twelve leads; a record without a good lead is not acceptable.
            p = min(p, float((1 / (1 + np.exp(odds))).max()))
        leads = {
            name: LeadQuality(
                bool(own < 0),
                float(1 / (1 + np.exp(own))),
                tuple(FEATURES[k] for k in np.argsort(-part) if part[k] > _NAMED_FROM) if own >= 0 else (),
            )
            for name, own, part in zip(distinct_names(record.leads), odds.tolist(), parts, strict=True)
        }
        label = "acceptable" if p >= 0.5 else "unacceptable"
        probabilities = {"acceptable": p, "unacceptable": 1 - p}
        return RecordPrediction(record.id, record.file, (label,), probabilities, lead_quality=leads)
