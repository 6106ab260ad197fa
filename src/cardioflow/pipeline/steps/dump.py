"""Write records to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, final

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.atomic import unsynced
from cardioflow.errors import CardioFlowError, InputError, WriteError
from cardioflow.io.base import Format, Record
from cardioflow.pipeline.steps.base import SinkStep
from cardioflow.registry import formats

__all__ = ["Dump"]


@final
@dataclass(frozen=True)
class Dump(SinkStep):
    """Write each record to the folder ``dst`` in the format ``fmt``, under its id, and let the batch pass.

    A ``/`` in an id, as segments have, makes a sub-folder. Each file is written
    whole or not at all, in the order of the run, once. What identifies a person
    is left out unless ``identify``. ``exists`` decides what happens where the
    file already exists: ``"raise"`` refuses the record, ``"skip"`` leaves the
    file as it is, ``"overwrite"`` replaces it.

    Raises:
        InputError: naming the record, when it cannot be written in this format or its file exists.
    """

    dst: str | Path
    fmt: str
    exists: Literal["raise", "skip", "overwrite"] = "raise"
    identify: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.exists not in ("raise", "skip", "overwrite"):
            raise InputError(f"dump(exists={self.exists!r}): expected 'raise', 'skip' or 'overwrite'.")
        able = [name for name in formats.names() if formats.get(name).write is not Format.write]
        if formats.get(self.fmt).write is Format.write:
            raise InputError(f"dump(fmt={self.fmt!r}): this format is read-only. Pass one of {able}.")

    def absent(self, batch: EcgBatch) -> list[str]:
        target = formats.get(self.fmt).target
        return [name for name in batch.ids if not target(Path(self.dst) / name).exists()]

    def write(self, batch: EcgBatch, again: frozenset[str] = frozenset()) -> Mapping[str, CardioFlowError]:
        signal, meta = batch.signal_and_meta
        if signal.ndim != 2:
            raise InputError("dump(): the signals are cut into segments. Call unstack_signals first.")
        reasons: dict[str, CardioFlowError] = {}
        for i, name in enumerate(batch.ids):
            marks: Any = None if batch.annotation is None else batch.annotation[i]
            try:
                # Thousands of files, each synced to the disk, would take ten times as long.
                with unsynced():
                    self._write(name, _record(signal[i], meta[i], marks), is_ours=name in again)
            except WriteError:
                # Not the record's fault, so it is not skipped: the next one could not be written either.
                raise
            except CardioFlowError as error:
                error.record = error.record or batch.provenance.record_id[i]
                reasons[name] = error
        return reasons

    def _write(self, name: str, record: Record, *, is_ours: bool) -> None:
        path = Path(self.dst) / name
        if ".." in path.parts or Path(name).is_absolute():
            raise InputError(f"dump(): the id {name!r} leads out of the folder. Pass EcgDataset(ids=…).")
        writer: Format = formats.get(self.fmt)()
        if self.exists != "overwrite" and not is_ours and (there := writer.target(path)).exists():
            if self.exists == "skip":
                return
            raise InputError(
                f"dump(): {there} exists already. Pass exists='skip' or exists='overwrite', or another folder."
            )
        writer.write(record, path, identify=self.identify)


def _record(signal: Any, meta: Mapping[str, Any], marks: Annotation | None) -> Record:
    rest = {k: v for k, v in meta.items() if k not in ("fs", "leads", "units")}
    return Record(signal, float(meta["fs"]), tuple(meta["leads"]), tuple(meta["units"]), rest, marks)
