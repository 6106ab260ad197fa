"""Keep some channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["KeepChannels"]


@final
@dataclass(frozen=True)
class KeepChannels(Transform):
    """Keep channels, chosen by name, by group (``"limb"``, ``"precordial"``) or by number.

    They keep the order of the record; ``reorder_channels`` changes it.

    Args:
        names: lead names in any device's spelling, and groups.
        indices: numbers of channels; negative ones count from the end.

    Raises:
        InputError: for a record that lacks one of them.
    """

    names: Sequence[str] | None = None
    indices: Sequence[int] | None = None

    def __post_init__(self) -> None:
        _leads.check_choice(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        kept = _leads.chosen(batch, self.action_name, self.names, self.indices)
        return _leads.with_leads(batch, [sorted(own) for own in kept])

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("precordial"), cls(indices=[1, 0])
