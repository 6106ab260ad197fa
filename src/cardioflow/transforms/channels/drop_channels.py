"""Drop channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["DropChannels"]


@final
@dataclass(frozen=True)
class DropChannels(Transform):
    """Drop channels, chosen by name, by group (``"limb"``, ``"precordial"``) or by number.

    ``meta["leads"]`` and ``meta["units"]`` lose them too. CardIO ignored names
    that a record lacks.

    Args:
        names: lead names in any device's spelling, and groups.
        indices: numbers of channels; negative ones count from the end.

    Raises:
        InputError: for a record that lacks one of them, or has no other channel.
    """

    names: Sequence[str] | None = None
    indices: Sequence[int] | None = None

    def __post_init__(self) -> None:
        _leads.check_choice(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        dropped = _leads.chosen(batch, self.action_name, self.names, self.indices)
        counts = batch.component("signal").shapes[:, -2]
        kept = [[k for k in range(n) if k not in own] for n, own in zip(counts, dropped, strict=True)]
        for i, own in enumerate(kept):
            if not own:
                raise InputError(
                    f"{self} leaves no channel of record {batch.ids[i]!r}. Keep one, or leave the record out.",
                    record=batch.ids[i],
                )
        return _leads.with_leads(batch, kept)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("limb"), cls(["V1", "avr"], indices=[0, -1])
