"""Write records to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from cardioflow.batch.action import Action
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import CardioFlowError, InputError, WriteError, raise_bad_records
from cardioflow.io.base import Format, Record
from cardioflow.registry import formats

__all__ = ["Dump"]


@final
@dataclass(frozen=True)
class Dump(Action):
    """Write each record to the folder ``dst`` in the format ``fmt``, under its id, and hand the batch on.

    A ``/`` in an id, as segments have, makes a sub-folder. Each file is written
    whole or not at all. What identifies a person is left out unless
    ``identify``. ``exists`` says what to do where the file is there already; with
    ``"raise"``, nothing is left behind of a batch that fails.
    In a run with several threads, batches are written side by side, and those
    that are prepared ahead are written too.

    Raises:
        InputError: naming the record, when it cannot be written in this format or is there already.
    """

    dst: str | Path
    fmt: str
    exists: Literal["raise", "skip", "overwrite"] = "raise"
    identify: bool = False

    def __post_init__(self) -> None:
        if self.exists not in ("raise", "skip", "overwrite"):
            raise InputError(f"dump(exists={self.exists!r}): expected 'raise', 'skip' or 'overwrite'.")
        able = [name for name in formats.names() if formats.get(name).write is not Format.write]
        if formats.get(self.fmt).write is Format.write:
            raise InputError(f"dump(fmt={self.fmt!r}): the format is only read. Those that are written: {able}.")

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        signal, meta = batch.signal_and_meta
        if signal.ndim != 2:
            raise InputError("dump(): the signals are cut into segments. Call unstack_signals first.")
        written: list[Path] = []
        reasons: dict[str, CardioFlowError] = {}
        for i, name in enumerate(batch.ids):
            marks: Any = None if batch.annotation is None else batch.annotation[i]
            try:
                written += self._write(name, _record(signal[i], meta[i], marks))
            except WriteError:
                # Not the record's fault, so it is not skipped: the next one could not be written either.
                self._remove(written)
                raise
            except CardioFlowError as error:
                error.record = error.record or batch.provenance.record_id[i]
                reasons[name] = error
        if reasons:
            self._remove(written)
            raise_bad_records(reasons)
        return batch.replace(history=(*batch.history, self.action_name))

    def _remove(self, written: list[Path]) -> None:
        if self.exists == "raise":
            # The batch is asked for again without the records at fault, and must not meet its own files.
            for file in written:
                file.unlink(missing_ok=True)

    def _write(self, name: str, record: Record) -> tuple[Path, ...]:
        path = Path(self.dst) / name
        if ".." in path.parts or Path(name).is_absolute():
            raise InputError(f"dump(): the id {name!r} leads out of the folder. Give EcgDataset(ids=…).")
        writer: Format = formats.get(self.fmt)()
        if self.exists != "overwrite" and (there := writer.target(path)).exists():
            if self.exists == "skip":
                return ()
            raise InputError(
                f"dump(): {there} is there already. Say exists='skip' or exists='overwrite', or another folder."
            )
        return writer.write(record, path, identify=self.identify)


def _record(signal: Any, meta: Mapping[str, Any], marks: Annotation | None) -> Record:
    rest = {k: v for k, v in meta.items() if k not in ("fs", "leads", "units")}
    return Record(signal, float(meta["fs"]), tuple(meta["leads"]), tuple(meta["units"]), rest, marks)
