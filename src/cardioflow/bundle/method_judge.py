"""Records judged one by one by a method of the package."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import iter_modules
from typing import Self, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle import methods
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.judge import Answer, Judge
from cardioflow.bundle.methods.base import Method, ReadRecord
from cardioflow.bundle.sources import file_of
from cardioflow.errors import DumpError, nearest

__all__ = ["MethodJudge", "method_names"]


def method_names() -> tuple[str, ...]:
    """Return the names that ``method`` of a description can have: the files of the folder ``methods``."""
    return tuple(sorted(m.name for m in iter_modules(methods.__path__) if m.name != "base" and m.name[0] != "_"))


@final
@dataclass(frozen=True)
class MethodJudge(Judge):
    """A method of the package with its settings."""

    method: Method

    @classmethod
    def of(cls, description: BundleDescription, files: Mapping[str, bytes]) -> Self:
        """Return the judge that ``description`` names.

        Raises:
            DumpError: when the package has no such method, or its settings are not valid.
        """
        name = description.method or ""
        if name not in method_names():
            raise DumpError(f"Entry 'method' is {name!r}, which this CardioFlow lacks. {nearest(name, method_names())}")
        module = importlib.import_module(f"{methods.__name__}.{name}")
        kind: type[Method] = getattr(module, name.title().replace("_", ""))
        return cls(kind.of(description.settings, files))

    def answers(self, batch: EcgBatch, thresholds: Mapping[str, float]) -> list[Answer]:  # noqa: ARG002 -- has none
        meta = batch.component("meta")
        signal = batch.component("signal")
        found: list[Answer] = []
        for i, record in enumerate(batch.ids):
            own = meta[i]
            units = own.get("units")
            read = ReadRecord(
                record,
                file_of(batch, i),
                signal[i],
                float(own["fs"]),
                tuple(own["leads"]),
                None if units is None else tuple(units),
            )
            found.append(self.method.answer(read))
        return found
