"""Keep some labels, and the records that have one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms.base import Transform

__all__ = ["KeepLabels"]


@final
@dataclass(frozen=True)
class KeepLabels(Transform):
    """Keep the labels in ``keep_list``, and the records that have at least one of them.

    A record with several labels loses the others. ``batch.classes`` keeps the
    same labels. A batch that loses all its records becomes an empty batch,
    which a run skips.

    Raises:
        LabelError: when a label cannot occur, or the labels are binarized already.
    """

    keep_list: Sequence[str]

    def __post_init__(self) -> None:
        _parameters.names(self, "keep_list")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        _targets.check_known(batch, self.action_name, "keep_list", self.keep_list)
        kept = [tuple(k for k in own if k in self.keep_list) for own in _targets.texts(batch, self.action_name)]
        # A record without a label is dropped below; until then its row needs some value.
        target = _targets.column([k or ("",) for k in kept], batch.component("target"))
        classes = batch.classes and tuple(c for c in batch.classes if c in self.keep_list)
        return batch.replace(target=target, classes=classes).take(np.array([bool(k) for k in kept], dtype=bool))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(["A", "N"]),)
