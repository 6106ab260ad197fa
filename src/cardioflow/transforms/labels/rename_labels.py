"""Rename labels, and merge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms.base import Transform

__all__ = ["RenameLabels"]


@final
@dataclass(frozen=True)
class RenameLabels(Transform):
    """Rename labels: ``rename_labels({"N": "NO", "O": "NO"})`` merges two into one.

    Labels that the mapping does not name stay. ``batch.classes`` is renamed too,
    without duplicates, and sorted.

    Raises:
        LabelError: when a label cannot occur, or the labels are binarized already.
    """

    rename_dict: Mapping[str, str]

    def __post_init__(self) -> None:
        given = self.rename_dict
        if not isinstance(given, Mapping) or not all(isinstance(t, str) for pair in given.items() for t in pair):
            raise InputError(
                f"{self.action_name}(rename_dict={given!r}) is not a mapping of labels to labels, such as {{'~': 'U'}}."
            )
        _parameters.set_fields(self, rename_dict=_parameters.frozen(given))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        _targets.check_known(batch, self.action_name, "rename_dict", self.rename_dict)
        renamed = [self._renamed(own) for own in _targets.texts(batch, self.action_name)]
        classes = None if batch.classes is None else tuple(sorted(self._renamed(batch.classes)))
        return batch.replace(target=_targets.column(renamed, batch.component("target")), classes=classes)

    def _renamed(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.rename_dict.get(label, label) for label in labels))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls({"N": "NO", "O": "NO"}),)
