"""Drop labels, and the records that have no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms.base import Transform

__all__ = ["DropLabels"]


@final
@dataclass(frozen=True)
class DropLabels(Transform):
    """Drop the labels in ``drop_list``, and each record that had no other.

    A record with several labels keeps the rest of them. ``batch.classes`` loses
    the dropped labels too. A batch that loses all its records becomes an empty
    batch, which a run skips.

    Raises:
        LabelError: when a label cannot occur, or the labels are binarized already.
    """

    drop_list: Sequence[str]

    def __post_init__(self) -> None:
        _parameters.names(self, "drop_list")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        _targets.check_known(batch, self.action_name, "drop_list", self.drop_list)
        own = _targets.texts(batch, self.action_name)
        kept = [tuple(label for label in labels if label not in self.drop_list) for labels in own]
        target = _targets.column([k or o for k, o in zip(kept, own, strict=True)], batch.component("target"))
        classes = batch.classes and tuple(c for c in batch.classes if c not in self.drop_list)
        # A record without any label had nothing that could be dropped.
        stays = np.array([bool(k) or not o for k, o in zip(kept, own, strict=True)], dtype=bool)
        return batch.replace(target=target, classes=classes).take(stays)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(["~"]),)
