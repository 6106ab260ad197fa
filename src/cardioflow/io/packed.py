"""The packed store: a data set in a few large files, made by ``EcgDataset.pack`` to be read fast and often."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

import numpy as np

from cardioflow.batch.leads import resolve
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import CardioFlowError, FormatError, InputError
from cardioflow.io._packed.store import Store, check_verify, open_store, reopened_store
from cardioflow.io.base import Columns, Format, ReadRequest, Record

__all__ = ["Packed"]


@final
class Packed(Format):
    """Records of a packed store, named ``<store>#<number>``, with signals, metadata, annotations and labels.

    Values are those that were packed, to the bit: integers with their gain
    where the source had integers, float32 otherwise. ``verify`` says when the
    store's checksums are checked: ``"read"``, each block of 256 KiB when it is
    first read; ``"open"``, all of them when the store is opened; ``"never"``.
    Stores of before checksums are read without.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".packed",)

    def __init__(self, verify: str = "read") -> None:
        self.verify = check_verify(verify)

    @classmethod
    def recognises(cls, head: bytes) -> bool:  # noqa: ARG003 -- the signature of every format
        return False  # a store is a folder; its records are recognised by their names

    def read(self, path: Path, request: ReadRequest) -> Record:
        columns = self.read_columns([path], request)
        meta = dict(columns.meta[0])
        fs, leads, units = float(meta.pop("fs")), meta.pop("leads"), meta.pop("units")
        signal = None if columns.signal is None else columns.signal[0]
        marks = None if columns.annotation is None else columns.annotation[0]
        return Record(signal, fs, leads, units, meta, marks)

    def read_columns(self, paths: Sequence[str | Path], request: ReadRequest) -> Columns:
        """Read all of ``paths`` at once.

        Raises:
            FormatError: when one of them is not in a store, or is damaged.
        """
        return self.read_rows(*_place(paths), request)

    def read_rows(self, folder: Path, rows: Sequence[int], request: ReadRequest, *, checksum: str = "") -> Columns:
        """Read the records of a store that have the numbers ``rows``, all at once.

        Raises:
            FormatError: when the store does not have one of them, or is damaged.
            InputError: when the store no longer has ``checksum``, if that is given: its numbers may be other records.
        """
        if request.ann_ext is not None:
            raise InputError(
                f"load(ann_ext={request.ann_ext!r}): the records are packed, with the annotations that they were "
                "packed with. Leave ann_ext out."
            )
        numbers = np.array(rows, np.int64)
        store = _holding(numbers, open_store(folder, self.verify), checksum)
        if store.has_changed(numbers):
            # What was checked no longer counts; and to read beyond the end of a mapped file ends the process.
            store = _holding(numbers, reopened_store(folder, self.verify), checksum)
        try:
            return _selected(_gathered(store, numbers, request), request)
        except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
            if isinstance(error, CardioFlowError):
                raise
            raise FormatError(f"{store.path} is damaged: {error}. Pack the records again.") from error


def _holding(rows: np.ndarray, store: Store, checksum: str) -> Store:
    """Return ``store`` if it has the records ``rows``, and is the one that has ``checksum``."""
    if checksum and store.checksum != checksum:
        raise InputError(
            f"{store.path} was packed again after the data set was made from it, and its records may be others now. "
            f"Make the data set again: EcgDataset({str(store.path)!r})."
        )
    if rows.size and not 0 <= rows.min() <= rows.max() < len(store):
        raise FormatError(f"{store.path} holds {len(store)} records, and number {rows.max()} was asked for.")
    return store


def _gathered(store: Store, rows: np.ndarray, request: ReadRequest) -> Columns:
    """Return the records at ``rows``, in that order."""
    signal = store.signals(rows) if "signal" in request.components else None
    marks = store.marks(rows) if "annotation" in request.components else None
    return Columns(signal, store.meta(rows), marks)


def _place(paths: Sequence[str | Path]) -> tuple[Path, list[int]]:
    """Return the store that all of ``paths`` name, and their numbers in it."""
    split = [str(p).rpartition("#") for p in paths]
    folders = {folder for folder, _, _ in split}
    if len(folders) > 1:
        raise InputError(f"Records of several stores ({', '.join(sorted(folders))}) cannot be one batch.")
    try:
        return Path(folders.pop()), [int(number) for _, _, number in split]
    except ValueError:
        raise FormatError(f"{paths[0]} does not name a record of a packed store. Expected <store>#<number>.") from None


def _selected(columns: Columns, request: ReadRequest) -> Columns:
    """Return the leads and the seconds that were asked for."""
    if request.derive != "standard":
        raise FormatError(
            f"derive={request.derive!r} is not possible for a packed store, which has the leads that were packed. Pack "
            "records that are read with it, or call derive_leads()."
        )
    if request.channels is None and not request.start_s and request.stop_s is None:
        return columns
    signals, marks, leads, units = [], [], [], []
    for i, row in enumerate(columns.meta):
        chosen = list(range(len(row["leads"]))) if request.channels is None else resolve(row["leads"], request.channels)
        start = round(request.start_s * row["fs"])
        stop = None if request.stop_s is None else round(request.stop_s * row["fs"])
        leads.append(tuple(row["leads"][c] for c in chosen))
        units.append(tuple(row["units"][c] for c in chosen))
        if columns.signal is not None:
            signals.append(columns.signal[i][list(chosen), start:stop])
        if columns.annotation is not None:
            own = columns.annotation[i]
            marks.append(
                own
                if own is None
                else own.of_leads(chosen, len(row["leads"])).window(start, 2**62 if stop is None else stop)
            )
    return Columns(
        Ragged.from_arrays(signals) if columns.signal is not None else None,
        columns.meta.with_columns(leads=leads, units=units),
        tuple(marks) if columns.annotation is not None else None,
    )
