"""Reorder channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["ReorderChannels"]


@final
@dataclass(frozen=True)
class ReorderChannels(Transform):
    """Reorder the channels to ``new_order``, and drop those that it does not name.

    A group means its leads in the order of reports: ``"standard"`` means all
    twelve.

    Raises:
        InputError: for a record that lacks one of them.
    """

    new_order: Sequence[str]

    def __post_init__(self) -> None:
        _parameters.names(self, "new_order")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return _leads.with_leads(batch, _leads.chosen(batch, self.action_name, self.new_order, None))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(["V6", "II"]), cls("standard")
