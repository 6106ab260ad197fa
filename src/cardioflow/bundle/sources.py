"""From what is to be predicted (files, folders, a data set, arrays) to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError
from cardioflow.pipeline.dataset import EcgDataset

__all__ = ["array_batches", "dataset_of", "file_batches", "is_arrays"]


def dataset_of(source: str | Path | Sequence[str | Path] | EcgDataset) -> EcgDataset:
    """Return the records that ``source`` names; each file is a record whose id is its path.

    Raises:
        InputError: when there is no file.
    """
    if isinstance(source, EcgDataset):
        return source
    named = [source] if isinstance(source, (str, Path)) else list(source)
    files: dict[str, str | Path] = {}
    for item in named:
        if Path(item).is_dir():
            files.update({str(path): path for path in EcgDataset(item).paths})
        else:
            files[str(item)] = item
    if not files:
        raise InputError("There is no file to predict. Pass the paths of ECG files, or a folder of them.")
    return EcgDataset(files)


def file_batches(dataset: EcgDataset, batch_size: int) -> Iterator[EcgBatch]:
    """Yield the records of ``dataset`` in order, with nothing read yet."""
    for start in range(0, len(dataset), batch_size):
        yield dataset.batch(range(start, min(start + batch_size, len(dataset))))


def is_arrays(source: Any) -> bool:
    """Return whether ``source`` is an array, or a list of arrays."""
    if isinstance(source, (list, tuple)):
        return bool(source) and all(isinstance(item, np.ndarray) for item in source)
    return isinstance(source, np.ndarray)


def array_batches(
    source: NDArray[Any] | Sequence[NDArray[Any]],
    *,
    fs: float | None,
    leads: Sequence[str] | None,
    units: str | Sequence[str],
    batch_size: int,
) -> Iterator[EcgBatch]:
    """Yield records of arrays in millivolts, converted where ``units`` says otherwise; their ids are "0", "1", ….

    Raises:
        InputError: for arrays that are not (lead, time) or (record, lead, time), or lack a rate or leads.
    """
    signals = _signals(source)
    if fs is None or not np.isfinite(fs) or fs <= 0:
        raise InputError(f"predict(fs={fs!r}): arrays do not tell their sampling rate. Pass fs=… in Hz, such as 500.")
    for start in range(0, len(signals), batch_size):
        part = signals[start : start + batch_size]
        rows: list[dict[str, Any]] = []
        for i, signal in enumerate(part, start):
            names = _per_lead("leads", leads, len(signal), i)
            own = _per_lead("units", [units] * len(signal) if isinstance(units, str) else units, len(signal), i)
            rows.append({"fs": float(fs), "leads": names, "units": own})
        batch = EcgBatch(
            ids=tuple(str(i) for i in range(start, start + len(part))),
            signal=Ragged.from_arrays(part),
            meta=Meta.from_rows(rows),
        )
        if any(unit != "mV" for row in rows for unit in row["units"]):
            batch = registry.transforms.get("convert_units")("mV")(batch)
        yield batch


def _signals(source: NDArray[Any] | Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
    arrays = [source] if isinstance(source, np.ndarray) and source.ndim == 2 else list(source)
    for i, array in enumerate(arrays):
        if array.ndim != 2 or not array.size or array.dtype.kind not in "fiu":
            raise InputError(
                f"Array {i} has the shape {array.shape} and the type {array.dtype}; expected real numbers of shape "
                "(lead, time). Pass one such array, a list of them, or one of shape (record, lead, time)."
            )
    return [np.ascontiguousarray(array, np.float32) for array in arrays]


def _per_lead(name: str, given: Sequence[str] | None, n_leads: int, i: int) -> tuple[str, ...]:
    if given is None:
        raise InputError(
            f"predict(leads=None): the model's dump does not say which leads it takes. Pass {name}=[…], "
            f"{n_leads} names such as 'II'."
        )
    if isinstance(given, str) or len(given) != n_leads:
        n_given = 1 if isinstance(given, str) else len(given)
        raise InputError(f"Array {i} has {n_leads} leads, and {name} has {n_given} names. Pass {n_leads} of them.")
    return tuple(given)
