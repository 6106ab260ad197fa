"""Compute features for classifiers of the rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.analysis.features import Family, feature_names
from cardioflow.analysis.features import calc_features as features_of_signal
from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates, uncut
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst
from cardioflow.transforms.base import Transform

__all__ = ["CalcFeatures"]


@final
@dataclass(frozen=True)
class CalcFeatures(Transform):
    """Compute features of rhythm, shape, P waves, spectrum and quality, and write them to ``dst``.

    Each record has a row of float32, (record, feature), in the order of
    ``cardioflow.analysis.features.feature_names(families)``, which the model ``features_gbm`` takes. A feature that
    the record does not give is NaN.

    Args:
        families: some of ``"rhythm"``, ``"shape"``, ``"atrial"``, ``"spectrum"``, ``"quality"`` and ``"p_waves"``.
            The last runs the network for waves, which takes ten times as long as all others together.
        lead: the lead whose shape, spectrum and quality are measured, counted from 0.
        dst: the component to write.

    Raises:
        InputError: for a record below 80 Hz, without the lead, or with signals that are cut.
        UnknownNameError: for a family that does not exist.

    >>> pipeline.calc_features().train_on_batch("features_gbm")  # doctest: +SKIP
    """

    families: Sequence[Family] = ("rhythm", "shape", "atrial", "spectrum", "quality")
    lead: int = 0
    dst: str = "features"

    def __post_init__(self) -> None:
        check_dst(self)
        if self.dst == "meta":
            raise InputError("calc_features(dst='meta') cannot write a row of features to the metadata.")
        feature_names(self.families)
        _parameters.set_fields(self, families=_parameters.frozen(self.families))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        fs = rates(batch, self.action_name)
        rows = map_records(
            batch,
            self.action_name,
            signal,
            lambda x, i: list(features_of_signal(x, float(fs[i]), families=self.families, lead=self.lead).values()),
        )
        n = len(feature_names(self.families))
        return batch.with_component(self.dst, np.asarray(rows, np.float32).reshape(len(batch), n))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(("rhythm", "quality"), dst="own")
