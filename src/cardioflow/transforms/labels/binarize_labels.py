"""Turn labels into columns of zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.errors import LabelError, nearest
from cardioflow.transforms import _targets
from cardioflow.transforms.base import Transform

__all__ = ["BinarizeLabels"]


@final
@dataclass(frozen=True)
class BinarizeLabels(Transform):
    """Turn labels into float32 columns (record, class): 1 for each label that the record has, else 0.

    There is a column for every label in ``batch.classes``, in that order, so that
    two classes give two columns. One label per record gives one-hot rows, several
    give multi-hot rows.

    Raises:
        LabelError: when the batch does not know all labels, a record has an
            unknown one, or the labels are binarized already.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        if batch.target is None:
            raise LabelError(
                f"{self.action_name} needs labels, and the batch has none. Load them first: "
                "load(src=…, components='target'), without src where the data set has them."
            )
        if batch.classes is None:
            raise LabelError(
                f"{self.action_name} needs all labels in batch.classes, but they are unknown. Load the target from a "
                "table, or set them: batch.replace(classes=('A', 'N'))."
            )
        place = {label: i for i, label in enumerate(batch.classes)}
        target = np.zeros((len(batch), len(place)), np.float32)
        for i, own in enumerate(_targets.texts(batch, self.action_name)):
            for label in own:
                if label not in place:
                    raise LabelError(
                        f"Record {batch.ids[i]!r} has the label {label!r}, which is not in batch.classes. "
                        f"{nearest(label, place)}",
                        record=batch.ids[i],
                    )
                target[i, place[label]] = 1
        return batch.replace(target=target)
