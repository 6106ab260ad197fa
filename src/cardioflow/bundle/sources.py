"""From what is to be predicted (files, folders, a data set, arrays) to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.data.locations import ArrayLocation

__all__ = ["Source", "batches", "dataset_of_arrays", "dataset_of_files", "file_of", "is_arrays"]

Source = str | Path | Sequence[str | Path] | EcgDataset | NDArray[Any] | Sequence[NDArray[Any]]


def is_arrays(source: Any) -> bool:
    """Return whether ``source`` is an array, or a list of arrays."""
    if isinstance(source, (list, tuple)):
        return bool(source) and all(isinstance(item, np.ndarray) for item in source)
    return isinstance(source, np.ndarray)


def dataset_of_files(source: str | Path | Sequence[str | Path]) -> EcgDataset:
    """Return the records that ``source`` names: each file is a record whose id is its path.

    Raises:
        InputError: when there is no file.
    """
    named = [source] if isinstance(source, (str, Path)) else list(source)
    files: dict[str, str | Path] = {}
    for item in named:
        if Path(item).is_dir():
            # By path, because files of several devices in one folder often have one name.
            files.update({str(path): path for path in EcgDataset(item, ids=str).paths})
        else:
            files[str(item)] = item
    if not files:
        raise InputError("There is no file to predict. Pass the paths of ECG files, or a folder of them.")
    return EcgDataset(files)


def dataset_of_arrays(
    source: Any, *, fs: float | None, leads: Sequence[str] | None, units: str | Sequence[str] | None
) -> EcgDataset:
    """Return the records of arrays, whose ids are "0", "1", ….

    Raises:
        InputError: for arrays that are not (lead, time) or (record, lead, time), or without a sampling rate.
    """
    if fs is None:
        raise InputError("predict(fs=None): the sampling rate of arrays is not known. Pass fs=… in Hz, such as 500.")
    signals = source[None] if isinstance(source, np.ndarray) and source.ndim == 2 else source
    return EcgDataset.from_arrays(signals, fs=fs, leads=leads, units=units)


def batches(dataset: EcgDataset, batch_size: int) -> Iterator[EcgBatch]:
    """Yield the records of ``dataset`` in order, with nothing read yet."""
    for start in range(0, len(dataset), batch_size):
        yield dataset.batch(range(start, min(start + batch_size, len(dataset))))


def file_of(batch: EcgBatch, row: int) -> str | None:
    """Return the file that a record of ``batch`` is read from; ``None`` for an array."""
    place = None if batch.locations is None else batch.locations[row]
    return None if place is None or isinstance(place, ArrayLocation) else str(place.readable())
