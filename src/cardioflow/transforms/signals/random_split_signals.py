"""Cut windows at random places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.columns import Windows
from cardioflow.batch.timeline import cut
from cardioflow.dsp.cutting import random_starts
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import RandomTransform
from cardioflow.transforms.signals._counts import check_counts

__all__ = ["RandomSplitSignals"]


@final
@dataclass(frozen=True)
class RandomSplitSignals(RandomTransform):
    """Cut ``n_segments`` windows of ``length`` samples at random places of each signal.

    The result is (segment, lead, length). Places are drawn uniformly and with
    replacement. A signal shorter than ``length`` becomes ``n_segments`` equal
    segments that end with it, with ``pad_value`` before it. Events and time
    series are cut alike, and ``batch.provenance`` keeps the start of each segment.

    Args:
        length: samples of a segment.
        n_segments: segments per record, for all or by label (``{"A": 9, "NO": 3}``), before or after
            ``binarize_labels``; a record with several labels takes the largest number.
        pad_value: the value before a signal that is too short, in the unit of the signal.

    Raises:
        InputError: when the signals are cut already.
        LabelError: when ``n_segments`` is by label and lacks one.
    """

    length: int
    n_segments: int | Mapping[str, int]
    pad_value: float = 0.0

    def __post_init__(self) -> None:
        _parameters.count(self, "length")
        _parameters.number(self, "pad_value")
        check_counts(self, "n_segments")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        counts = _targets.by_label(batch, self.action_name, "n_segments", self.n_segments)
        starts = random_starts(keys, signal.lengths, self.length, counts)
        return cut(batch, Windows(starts, counts, self.length), pad_value=self.pad_value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(256, 3), cls(150, {"A": 4, "N": 2, "O": 1, "~": 1})
