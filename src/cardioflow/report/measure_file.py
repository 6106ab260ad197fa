"""The measurements of a file as plain JSON values: what the command line prints and the server sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cardioflow.analysis.measure.measure import measure
from cardioflow.errors import CardioFlowError
from cardioflow.io.base import Record
from cardioflow.io.reading import check_options, read_each, recognise, request_for

__all__ = ["measure_file"]


def measure_file(path: Path, *, fmt: str | None = None, beats: bool = False, **options: Any) -> dict[str, Any]:
    """Return the measurements of the ECG in ``path``, as plain JSON values; ``options`` are those of ``load``.

    Raises:
        FormatError: if it cannot be read.
    """
    name = fmt or recognise(path)
    check_options(name, options)
    (record,) = read_each([path], name, request_for(("signal", "meta"), options), options)
    if not isinstance(record, Record) or record.signal is None:
        raise record if isinstance(record, CardioFlowError) else CardioFlowError(f"{path} holds no signal.")
    found = measure(record.signal, record.fs, leads=record.leads, units=record.units)
    facts = {"file": str(path), "fs": record.fs, "n_beats": len(found.beats.r), **found.as_dict()}
    facts["device"] = record.meta.get("measurements") or None
    if beats:
        facts["beats"] = found.beats.as_rows()
    return facts
