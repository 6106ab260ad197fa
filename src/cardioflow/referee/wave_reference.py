"""Waves that cardiologists marked, lead by lead, as the referee needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError, InputError
from cardioflow.io.reading import files_in, read_each, request_for
from cardioflow.referee.boundaries import POINTS, Point, Points

__all__ = ["LeadReference", "WaveRecord", "points_of", "wave_records"]

_KINDS: Final[Mapping[str, tuple[Point, Point, Point]]] = {
    "p": ("P on", "P peak", "P end"),
    "N": ("QRS on", "QRS peak", "QRS end"),
    "t": ("T on", "T peak", "T end"),
}
_PHASES_S: Final = 0.2
"""How far apart two marked peaks of one wave may lie; in LUDB it is up to 10 ms, and no two beats are as close."""


@final
@dataclass(frozen=True)
class LeadReference:
    """The waves that were marked in one lead."""

    points: Points
    span_s: tuple[float, float]
    """From the first mark to the last; outside, waves may be unmarked."""
    missing_brackets: int
    """Waves without an onset or an end."""


@final
@dataclass(frozen=True, eq=False)
class WaveRecord:
    """A record and its reference."""

    id: str
    signal: NDArray[np.float32]
    """(lead, time) in mV."""
    fs: float
    leads: tuple[str, ...]
    rhythm: str
    """As the header says it; empty where it does not."""
    by_lead: tuple[LeadReference, ...]
    """One per lead, or one for all leads, where the cardiologist looked at all of them at once."""


def wave_records(folder: Path, only: Sequence[str] | None = None, ann_ext: str | None = None) -> Iterator[WaveRecord]:
    """Yield the records of ``folder`` with their marked waves.

    Args:
        folder: where the headers are. Where each lead has its annotations under its own name, as in LUDB, these are
            read; otherwise ``ann_ext``.
        only: the ids of the records to read.
        ann_ext: the suffix of the annotations of all leads, such as ``q1c`` in the QT Database.

    Raises:
        InputError: when there is no such record.
        FormatError: for a record that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is not a folder. Pass the folder of the WFDB records to score on.")
    found = {f.path.stem: f.path for f in files_in(folder) if f.path.suffix == ".hea"}
    wanted = sorted(found) if only is None else list(dict.fromkeys(only))
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        what = f"no record {missing[0]!r}" if missing else "no WFDB record"
        raise InputError(f"{str(folder)!r} has {what}. Pass another folder with data=….")
    for name in wanted:
        yield _record(found[name], ann_ext)


def _record(path: Path, ann_ext: str | None) -> WaveRecord:
    (head,) = read_each([path], "wfdb", request_for(["signal", "meta"], {"derive": "never"}), {})
    if isinstance(head, FormatError):
        raise head
    if head.signal is None:
        raise FormatError(f"{path.name} has no signal.")
    signames = tuple(head.meta.get("signame") or head.leads)
    suffixes = [ann_ext] if ann_ext is not None else list(signames)
    by_lead = []
    for suffix in suffixes:
        request = request_for(["meta", "annotation"], {"ann_ext": suffix, "derive": "never"})
        (own,) = read_each([path], "wfdb", request, {})
        if isinstance(own, FormatError):
            raise own
        by_lead.append(points_of(own.annotation or Annotation(), head.fs))
    comments = [str(c) for c in head.meta.get("comments") or ()]
    rhythm = next((c.partition(":")[2].strip(" .") for c in comments if c.startswith("Rhythm")), "")
    return WaveRecord(path.stem, head.signal, head.fs, head.leads, rhythm, tuple(by_lead))


def points_of(marks: Annotation, fs: float) -> LeadReference:
    """Return the waves of groups of ``(``, a peak and ``)``, of which brackets may be missing.

    A second peak in a group, of a wave of two phases, does not make a second wave. Peaks more than 0.2 s apart are
    those of two waves, of which the brackets between them are missing.
    """
    found: dict[Point, list[float]] = {point: [] for point in POINTS}
    symbol, time = marks.symbol.tolist(), marks.sample / fs
    missing = 0
    after = 0
    for i, code in enumerate(symbol):
        if code not in _KINDS or i < after:
            continue
        before = symbol[i - 1] if i else ""
        after = i + 1
        while after < len(symbol) and symbol[after] == code and time[after] - time[after - 1] <= _PHASES_S:
            after += 1
        on = float(time[i - 1]) if before == "(" else np.nan
        end = float(time[after]) if after < len(symbol) and symbol[after] == ")" else np.nan
        missing += int(np.isnan(on)) + int(np.isnan(end))
        for point, value in zip(_KINDS[code], (on, float(time[i]), end), strict=True):
            found[point].append(value)
    span = (float(time[0]), float(time[-1])) if len(time) else (0.0, 0.0)
    return LeadReference({point: np.array(found[point], np.float64) for point in POINTS}, span, missing)
