"""Rename channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.batch.leads import standard_name
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["RenameChannels"]


@final
@dataclass(frozen=True)
class RenameChannels(Transform):
    """Rename channels: ``rename_channels({"ECG": "I"})``.

    Names that a record lacks are ignored, because the records of a data set
    differ. Old names may have any device's spelling.

    Raises:
        InputError: for a record in which two channels would get the same name.
    """

    rename_dict: Mapping[str, str]

    def __post_init__(self) -> None:
        given = self.rename_dict
        if not isinstance(given, Mapping) or not all(isinstance(t, str) for pair in given.items() for t in pair):
            raise InputError(
                f"{self.action_name}(rename_dict={given!r}) is not a mapping of names to names, such as {{'ECG': 'I'}}."
            )
        _parameters.set_fields(self, rename_dict=_parameters.frozen(given))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        _, meta = batch.signal_and_meta
        table = {standard_name(old): new for old, new in self.rename_dict.items()}
        renamed = []
        reasons: dict[str, CardioFlowError] = {}
        for i in range(len(batch)):
            own = tuple(table.get(standard_name(n), n) for n in _leads.lead_names(batch, self.action_name, i))
            if len(set(own)) < len(own):
                twice = next(n for n in own if own.count(n) > 1)
                reasons[batch.ids[i]] = InputError(
                    f"{self} gives two channels of record {batch.ids[i]!r} the name {twice!r}. Drop one of them first.",
                    record=batch.ids[i],
                )
            renamed.append(own)
        raise_bad_records(reasons)
        return batch.replace(meta=meta.with_columns(leads=renamed))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls({"ECG": "I", "v1": "C1"}),)
