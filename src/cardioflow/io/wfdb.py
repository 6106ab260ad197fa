"""WFDB: the format of PhysioNet's databases, a text header beside signal and annotation files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.leads import standard_name
from cardioflow.batch.meta import Meta
from cardioflow.errors import FormatError, MixedRatesError
from cardioflow.io._derived import complete, recorded
from cardioflow.io._rates import MIXED_REMEDY
from cardioflow.io._record_json import without_person
from cardioflow.io._wfdb.annotation import read_annotation
from cardioflow.io._wfdb.chosen import chosen
from cardioflow.io._wfdb.files import read_header
from cardioflow.io._wfdb.header import Header
from cardioflow.io._wfdb.known_headers import KNOWN
from cardioflow.io._wfdb.layout import Choice
from cardioflow.io._wfdb.record_meta import metadata, metadata_columns
from cardioflow.io._wfdb.salvage import whole_part
from cardioflow.io._wfdb.segments import described, read_segments
from cardioflow.io._wfdb.signals import count_frames, read_signals
from cardioflow.io._wfdb.together import Together, read_heads, read_together
from cardioflow.io._wfdb.write import write_record
from cardioflow.io.base import Columns, Format, ReadRequest, Record, with_ending

__all__ = ["Wfdb"]

# A record line; then a signal line with a known format, or a segment with its length, or nothing when there are none.
_RECORD_LINE = re.compile(rb"[-\w][-\w./]*?(/\d+)?[ \t]+(\d+)(?:[ \t]+\d[^\n]*)?\s*")
_SIGNAL_FORMAT = rb"[ \t]+(?:0|8|16|24|32|61|80|160|212|31[01]|508|516|524)(?=[x:+\s]|$)"
_SIGNAL_LINE = re.compile(rb"\S+" + _SIGNAL_FORMAT)
# Most headers begin with these two lines, and a folder may have 100 000 of them.
_USUAL = re.compile(rb"[A-Za-z0-9][-\w.]*[ \t]+0*[1-9]\d*(?:[ \t]+\d[^\n]*)?\n[^\s#]\S*" + _SIGNAL_FORMAT)
_SEGMENT_LINE = re.compile(rb"\S+[ \t]+\d+\s*")

_MARKS = frozenset({"annotation"})
_WAVES = ("(", ")", "p", "t", "u")


@final
class Wfdb(Format):
    """WFDB records: the header's signals in millivolts, its comments, and the annotations beside it.

    A path may be the record's name, or any of its files. Values are those of
    dividing in float64 by the header's gain, rounded once to float32; a gain of
    0 means 200 (header(5)) and is flagged in ``meta["uncalibrated"]``, the leads
    in ``uncalibrated_leads``. The missing sample is NaN. Lenient: a signal file longer than the header says
    (an error with ``strict``), a checksum that does not agree (a flag in
    ``meta["checksum_ok"]``; an error with ``strict``; 0 counts as none, because
    all headers of CinC 2017 have it). Limb leads are held against their laws
    (``einthoven_rms``, ``goldberger_rms``: RMS of the residual over that of the
    leads), because in some databases they do not hold: LUDB's leads have gains
    of their own. Where I and II were recorded, ``swapped_electrodes`` is what
    ``dsp.leads.suspect_swapped_electrodes`` suspects.

    Written: the source's own integers, with its gain, baseline and format, while
    the samples still are exactly those; otherwise 16 bits with the largest gain
    of three digits that holds them. A float32 holds 24 bits: of larger integers,
    in format 32, the highest 24 are kept. Annotations go into ``atr``.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".hea", ".dat", ".mat")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        if b"\0" in head:
            return False
        if _USUAL.match(head):
            return True
        lines = (line for line in map(bytes.strip, head.split(b"\n")) if line and not line.startswith(b"#"))
        first = _RECORD_LINE.fullmatch(next(lines, b""))
        if first is None:
            return False
        if first[1] is None and int(first[2]) == 0:
            return True
        second = next(lines, b"")
        # A number at the end of a name with folders (p10/3001) is not one of segments.
        is_segment = first[1] is not None and _SEGMENT_LINE.fullmatch(second) is not None
        return is_segment or _SIGNAL_LINE.match(second) is not None

    @classmethod
    def recognises_all(cls, paths: Sequence[str | Path]) -> bool:
        heads = read_heads([os.fspath(path) for path in paths])
        return heads is not None and all(cls.recognises(head) for _, head in heads)

    def read(self, path: Path, request: ReadRequest) -> Record:
        return _finish(_begin(path), request)

    def read_columns(self, paths: Sequence[str | Path], request: ReadRequest) -> Columns | None:
        found = _together(paths, request)
        if found is None:
            return None
        columns: dict[str, Any] = {
            "fs": [header.fs for header in found.headers],
            "leads": [choice.leads for choice in found.choices],
            "units": [choice.units for choice in found.choices],
        }
        if "meta" in request.components:
            columns |= metadata_columns(found, identify=request.identify)
        return Columns(found.signal, Meta(columns, len(paths)), None)

    def read_many(self, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
        found = _together(paths, request)
        return self._one_by_one(paths, request) if found is None else _records(found, request)

    def _one_by_one(self, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
        # All headers first, then all samples: text and samples in turn would push each other out of the processor's
        # cache, which was measured to cost a fifth.
        found: list[tuple[Header, str] | FormatError] = []
        for path in paths:
            try:
                found.append(_begin(path))
            except FormatError as error:
                found.append(error)
        records: list[Record | FormatError] = []
        for begun in found:
            try:
                records.append(begun if isinstance(begun, FormatError) else _finish(begun, request))
            except FormatError as error:
                records.append(error)
        return records

    def n_samples(self, path: Path) -> int | None:
        header, at = _begin(path)
        if header.segments:
            header = described(header, at)
        per_frame = {signal.kind.per_frame for signal in header.signals}
        return count_frames(header, at) * per_frame.pop() if len(per_frame) == 1 else None

    @classmethod
    def target(cls, path: Path) -> Path:
        # A signal file's name will do for the record's.
        return with_ending(path.with_suffix("") if path.suffix in cls.suffixes else path, ".hea")

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        record = recorded(record)
        meta = without_person(record.meta, identify=identify)
        return write_record(replace(record, meta=meta), self.signal_of(record), self.target(path))


def _together(paths: Sequence[str | Path], request: ReadRequest) -> Together | None:
    """Return what ``read_together`` returns; ``None`` also where it is not asked for signals alone."""
    if "signal" not in request.components or "annotation" in request.components:
        return None
    try:
        return read_together([os.fspath(path) for path in paths], _plain(request))
    except FormatError:
        # Read one by one, each record tells what is wrong with it.
        return None


def _records(found: Together, request: ReadRequest) -> list[Record | FormatError]:
    records: list[Record | FormatError] = []
    for i, (header, choice) in enumerate(zip(found.headers, found.choices, strict=True)):
        signal = found.signal[i]
        meta = {}
        if "meta" in request.components:
            meta = metadata(header, choice, signal, found.verdicts[i], identify=request.identify)
        records.append(Record(signal, header.fs, choice.leads, choice.units, meta))
    return records


def _plain(request: ReadRequest) -> ReadRequest:
    """Return ``request`` with a tuple of channels: they are looked up by, so a list will not do."""
    channels = request.channels
    if channels is None or type(channels) is tuple:
        return request
    return replace(request, channels=(channels,) if isinstance(channels, str | int) else tuple(channels))


def _begin(path: Path) -> tuple[Header, str]:
    at, raw = read_header(os.fspath(path))
    return KNOWN.parsed(raw, at), at


def _finish(begun: tuple[Header, str], request: ReadRequest) -> Record:
    header, path = begun
    try:
        return _read(header, path, request)
    except FormatError as error:
        error.record = error.record or header.name
        raise


def _read(header: Header, path: str, request: ReadRequest) -> Record:
    if header.segments:
        header = described(header, path, damaged=request.damaged == "read")
    request = _plain(request)
    if request.damaged == "read":
        return _salvaged(header, path, replace(request, damaged="refuse"))
    return _whole(header, path, request)


def _salvaged(header: Header, path: str, request: ReadRequest) -> Record:
    """Return what is whole of a record, with ``meta["damage"]``."""
    stated = header
    made, _ = chosen(tuple([signal.kind for signal in header.signals]), None, request.derive)
    # Computed leads take all that are stored.
    header, damage = whole_part(header, path, None if made else request.channels)
    record = _whole(header, path, request, damage, stated if len(header.signals) < len(stated.signals) else None)
    marks = record.annotation
    if marks is not None and record.signal is not None and header.n_frames != stated.n_frames:
        kept = marks.window(0, record.signal.shape[1])
        if len(kept) < len(marks):
            damage.append(f"{len(marks) - len(kept)} marks lie behind the last sample")
        record = replace(record, annotation=kept)
    return replace(record, meta={**record.meta, "damage": tuple(damage)} if record.meta else record.meta)


def _whole(
    header: Header, path: str, request: ReadRequest, damage: list[str] | None = None, stated: Header | None = None
) -> Record:
    """Return a record; ``stated`` is its header with the signals that were left out, if any were."""
    channels = request.channels
    if stated is not None and any(isinstance(channel, int) for channel in channels or ()):
        raise FormatError(
            f"{path} lacks some of its signals, so the numbers channels={channels!r} would mean other leads. Name the "
            "leads."
        )
    kinds = tuple([signal.kind for signal in header.signals])
    made, choice = chosen(kinds, channels, request.derive)
    if choice is None:
        # The leads to choose from are known when those that are missing have been computed.
        whole = _whole(header, path, replace(request, channels=None, derive="never"), damage, stated)
        return complete(whole, made, channels)
    per_frame = _per_frame(header, choice, path, marks_only=request.components == _MARKS)
    span = _span(header, path, request)
    signal, agrees = None, None
    if "signal" in request.components:
        if not choice.numbers:
            raise FormatError(f"{path} describes no signal; expected at least one. Its annotations can be read alone.")
        if header.segments:
            signal, agrees = read_segments(header, path, choice.numbers, span, strict=request.strict, damage=damage)
        else:
            signal, agrees = read_signals(header, path, choice.numbers, span, strict=request.strict)
        if agrees is False and request.strict:
            raise FormatError(
                f"{path}: the checksum of a signal does not match its samples. The file was changed or damaged; "
                "fetch the record again, or read without strict=True."
            )
    marks = None
    notes: list[str] = []
    if "annotation" in request.components:
        leads = choice.all_leads if stated is None else tuple(standard_name(s.kind.name) for s in stated.signals)
        marks = read_annotation(header, path, request.ann_ext, leads, per_frame, damage=damage, warnings=notes)
        if stated is not None:
            files = {signal.file for signal in header.signals}
            marks = marks.of_leads([i for i, signal in enumerate(stated.signals) if signal.file in files])
        marks = _asked_for(marks, choice, path, request, (span[0] * per_frame, span[1] * per_frame))
    meta = metadata(header, choice, signal, agrees, identify=request.identify) if "meta" in request.components else {}
    if notes and meta:
        meta["warnings"] += tuple(notes)
    return Record(signal, header.fs * per_frame, choice.leads, choice.units, meta, marks)


def _asked_for(
    marks: Annotation, choice: Choice, path: str, request: ReadRequest, samples: tuple[int, int]
) -> Annotation:
    """Return the marks of the channels and of the part that ``request`` names."""
    if request.channels is not None:
        marks = _of_leads(marks, choice, path, request.ann_ext)
    return marks.window(*samples) if request.start_s or request.stop_s is not None else marks


def _of_leads(marks: Annotation, choice: Choice, path: str, ext: str | None) -> Annotation:
    """Return the marks of the chosen leads.

    Raises:
        FormatError: when the annotation file that was asked for delineates other leads only.
    """
    kept = marks.of_leads(choice.numbers)
    waves = marks.take(np.isin(marks.symbol, _WAVES) & (marks.channel > 0))
    if ext is not None and len(waves) and not len(waves.of_leads(choice.numbers)):
        others = sorted({choice.all_leads[i - 1] for i in waves.channel.tolist()})
        raise FormatError(
            f"{path}: the annotation {ext!r} marks {', '.join(others)} alone, which is not among the channels that are "
            "read. Read it with them, or without channels."
        )
    return kept


def _per_frame(header: Header, choice: Choice, path: str, *, marks_only: bool) -> int:
    """Return the samples per frame that the chosen signals have in common; marks alone may be counted in frames."""
    if len(choice.rates) < 2:
        return choice.rates[0] if choice.rates else 1
    if marks_only:
        return 1
    some = [header.signals[i].kind for i in choice.numbers]
    groups = "; ".join(
        f"{[kind.name for kind in some if kind.per_frame == rate]} at {header.fs * rate:g} Hz" for rate in choice.rates
    )
    rates = {i: header.fs * header.signals[i].kind.per_frame for i in choice.numbers}
    raise MixedRatesError(f"{path} has signals with different rates: {groups}. {MIXED_REMEDY}", rates)


def _span(header: Header, path: str, request: ReadRequest) -> tuple[int, int]:
    """Return the frames [start, stop) that are asked for, inside the record."""
    n = count_frames(header, path)
    if not request.start_s and request.stop_s is None:
        return 0, n
    start = round(request.start_s * header.fs)
    stop = n if request.stop_s is None else min(round(request.stop_s * header.fs), n)
    if not 0 <= start < max(stop, 1):
        raise FormatError(
            f"{path}: seconds {request.start_s:g} to {request.stop_s} are not in the record, "
            f"which lasts {n / header.fs:g} s."
        )
    return start, stop
