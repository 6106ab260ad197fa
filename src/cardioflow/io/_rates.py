"""Leads with different rates in one record: one of its rates, or all brought to a common one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cardioflow.batch.annotation import Annotation, merged
from cardioflow.dsp.resampling import resampled
from cardioflow.errors import FormatError, MixedRatesError
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["MIXED_REMEDY", "settled"]

MIXED_REMEDY = "Choose leads with channels=[…], a rate with group=0, or resample all to one rate with common_fs=…."


def settled(reader: Format, path: Path, request: ReadRequest, found: Record | FormatError) -> Record | FormatError:
    """Return what ``request`` says of a record that was refused for its rates; any other is returned as it is.

    With ``group``, the leads of that rate; with ``common_fs``, all leads,
    resampled as ``resample_signals`` does, as long as the shortest of them.
    """
    if not isinstance(found, MixedRatesError) or (request.group is None and request.common_fs is None):
        return found
    groups = found.groups
    try:
        if request.group is not None:
            if not 0 <= request.group < len(groups):
                return FormatError(f"{path} has {len(groups)} rates, so there is no group {request.group}.")
            return reader.read(path, replace(request, channels=groups[request.group]))
        parts = [reader.read(path, replace(request, channels=own)) for own in groups]
        return _joined(parts, groups, list(found.rates), float(request.common_fs or 0))
    except FormatError as error:
        return error


def _joined(parts: Sequence[Record], groups: Sequence[Sequence[int]], order: Sequence[int], fs: float) -> Record:
    place = {lead: (part, row) for part, own in enumerate(groups) for row, lead in enumerate(own)}
    rows = [place[lead] for lead in order]
    signals = [_brought(part, fs) for part in parts]
    signal = None
    if all(s is not None for s in signals):
        n = min(s.shape[1] for s in signals if s is not None)
        signal = np.stack([signals[part][row, :n] for part, row in rows])
    first = parts[0]
    meta = {key: _column(key, parts, rows) for key in first.meta}
    marks = _marks(parts, rows, fs, 2**62 if signal is None else signal.shape[1])
    leads = tuple(parts[part].leads[row] for part, row in rows)
    return Record(signal, fs, leads, tuple(parts[part].units[row] for part, row in rows), meta, marks)


def _marks(parts: Sequence[Record], rows: Sequence[tuple[int, int]], fs: float, n: int) -> Annotation | None:
    """Return the marks of all parts at the common rate; those of no lead in particular, which all have, once."""
    number = {place: i for i, place in enumerate(rows, 1)}
    found = []
    for part, record in enumerate(parts):
        if record.annotation is None:
            return None
        marks = record.annotation.take((record.annotation.channel > 0) | (part == 0))
        channel = [number.get((part, own - 1), 0) for own in marks.channel.tolist()]
        found.append(replace(marks, channel=np.array(channel, np.int64)).resampled(fs / record.fs, n))
    return merged(found)


def _brought(part: Record, fs: float) -> Any:
    if part.signal is None:
        return None
    n_leads, n_samples = part.signal.shape
    starts = np.arange(n_leads, dtype=np.int64) * n_samples
    old, new = np.full(n_leads, part.fs), np.full(n_leads, fs)
    data, counts = resampled(
        np.ascontiguousarray(part.signal).reshape(-1), starts, np.full(n_leads, n_samples), old, new
    )
    return data.reshape(n_leads, int(counts[0]))


def _column(key: str, parts: Sequence[Record], rows: Sequence[tuple[int, int]]) -> Any:
    """Return the metadata ``key``: per lead where every part has one value per lead, else the first part's."""
    values = [part.meta.get(key) for part in parts]
    per_lead = all(isinstance(v, tuple) and len(v) == len(p.leads) for v, p in zip(values, parts, strict=True))
    return tuple(values[part][row] for part, row in rows) if per_lead else values[0]  # type: ignore[index]
