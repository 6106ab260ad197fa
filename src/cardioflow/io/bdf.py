"""BDF: BioSemi's EDF with samples of 24 bits."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, final

from cardioflow.io._edf.header import BDF_MAGIC
from cardioflow.io._edf.read import count_samples, read_edf
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Bdf"]


@final
class Bdf(Format):
    """BDF and BDF+: read as ``Edf`` does, with 24-bit samples."""

    suffixes: ClassVar[tuple[str, ...]] = (".bdf",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:8] == BDF_MAGIC and len(head) >= 256

    def read(self, path: Path, request: ReadRequest) -> Record:
        return read_edf(path, request)

    def n_samples(self, path: Path) -> int | None:
        return count_samples(path)
