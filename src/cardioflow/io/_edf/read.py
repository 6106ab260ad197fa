"""From the bytes of an EDF or BDF file to a record."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.leads import resolve, standard_name
from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError, InputError, MixedRatesError
from cardioflow.io._codecs.unpack import unpack
from cardioflow.io._derived import computed_leads
from cardioflow.io._edf.codes import Coded, from_text
from cardioflow.io._edf.header import Header, Signal, parse, size_of
from cardioflow.io._edf.marks import COMMENT, Text, read_records
from cardioflow.io._edf.metadata import metadata_of
from cardioflow.io._edf.salvage import timed, whole_part
from cardioflow.io._limits import most_bytes
from cardioflow.io._rates import MIXED_REMEDY
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, open_plain
from cardioflow.io.base import ReadRequest, Record

__all__ = ["count_samples", "read_edf"]

# Annotations of a file that has no signal are counted in milliseconds.
_FS_OF_NOTHING: Final = 1000.0
_PIECE: Final = 1 << 20
_FILLED: Final = re.compile(r"\bn_samples=(\d{1,15})\b")


def read_edf(path: Path, request: ReadRequest) -> Record:
    """Read one EDF, EDF+ or BDF file."""
    with naming(path):
        try:
            with open_plain(path) as file:
                return _read(file, request)
        except (OSError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"cannot be read: {error}. Check the path and its permissions.") from error


def count_samples(path: Path) -> int | None:
    """Return the samples of each signal of an EDF or BDF file without gaps, when they have one rate."""
    with naming(path):
        try:
            with open_plain(path) as file:
                header = _header(file, strict=False)
        except OSError as error:
            raise FormatError(f"cannot be read: {error}. Check the path and its permissions.") from error
    per_record = {s.per_record for s in header.signals if not s.is_annotation and s.per_record}
    return header.n_records * per_record.pop() if len(per_record) == 1 and not header.kind.endswith("D") else None


def _header(file: BinaryIO, *, strict: bool) -> Header:
    head = file.read(256)
    header = parse(head + file.read(size_of(head) - 256))
    return replace(header, n_records=_count_records(header, os.fstat(file.fileno()).st_size, strict=strict))


def _header_and_damage(file: BinaryIO, request: ReadRequest) -> tuple[Header, tuple[str, ...]]:
    if request.damaged == "refuse":
        return _header(file, strict=request.strict), ()
    head = file.read(256)
    return whole_part(parse(head + file.read(size_of(head) - 256)), os.fstat(file.fileno()).st_size)


def _read(file: BinaryIO, request: ReadRequest) -> Record:
    header, damage = _header_and_damage(file, request)
    wanted, request = _chosen(header, request)
    meta = metadata_of(header, wanted, request) if "meta" in request.components else {}
    meta.update({"damage": damage} if meta and damage else {})
    begins: list[float | None] = []
    texts: list[Text] = []
    holders = [s for s in header.signals if s.is_annotation and s.per_record]
    # Times are needed wherever a record may not follow on the one before it.
    if holders and ("annotation" in request.components or header.kind.endswith("D") or not header.duration_s):
        whole = _records(file, header, 0, header.n_records)
        begins, texts = _texts(whole, header, holders)
    if wanted and not header.duration_s:
        if request.damaged == "refuse":
            raise FormatError(
                "says that a data record with samples lasts 0 s, so their rate is unknown. Pass damaged='read' to read "
                "what is whole."
            )
        header, told = timed(header, begins, damage)
        meta.update(told if meta else {})
    if not wanted or not header.duration_s:
        return _only_texts(texts, request, header, meta)
    fs = wanted[0].per_record / header.duration_s
    places, first = _places(header, begins, fs, wanted[0].per_record)
    n_samples = int(places[-1]) + wanted[0].per_record if header.n_records else 0
    filled = _FILLED.search(header.recording)
    if filled and n_samples - wanted[0].per_record < int(filled[1]) <= n_samples:
        # The last data record was filled up by our writer.
        n_samples = int(filled[1])
    if meta and holders and header.n_records:
        if not begins:
            # Comments stand at the start, so that a range of a long recording needs no more of it.
            begins, texts = _texts(_records(file, header, 0, 1), header, holders)
        if meta["timestamp"] is not None and begins[0]:
            # Less than a second after the header's time (2.2.4), but for what was cut out of a longer recording.
            meta["timestamp"] = _later(meta["timestamp"], begins[0])
        lines = [line for one in texts if _is_comment(one, begins) for line in one.text.split("\t")]
        meta["comments"] = tuple(line.removeprefix(COMMENT) for line in lines)
    texts = [one for one in texts if not _is_comment(one, begins)]
    marks = _marks(texts, first, fs, header, wanted)
    if "signal" not in request.components:
        blank = np.broadcast_to(np.float32(0), (len(wanted), n_samples))
        wave = Waveform(blank, fs, tuple(s.label for s in wanted), _units(wanted))
        only = replace(request, components=frozenset({"annotation"} & request.components))
        return replace(make_record(wave, only, {}, marks), meta=meta)
    return _signal(file, header, wanted, request, (meta, marks, places, fs, n_samples))


def _is_comment(one: Text, begins: list[float | None]) -> bool:
    """Return whether a text is one with which our writer keeps comments: at the start, and marked as such."""
    return one.text.startswith(COMMENT) and bool(begins) and abs(one.onset_s - (begins[0] or 0.0)) < 1e-6


def _signal(
    file: BinaryIO,
    header: Header,
    wanted: tuple[Signal, ...],
    request: ReadRequest,
    known: tuple[dict[str, Any], Annotation, NDArray[np.int64], float, int],
) -> Record:
    meta, marks, places, fs, n_samples = known
    start = round(request.start_s * fs)
    stop = n_samples if request.stop_s is None else min(round(request.stop_s * fs), n_samples)
    if not 0 <= start < stop:
        raise FormatError(
            f"lasts {n_samples / fs:g} s, which has nothing between start_s={request.start_s:g} and "
            f"stop_s={request.stop_s}."
        )
    per_record = wanted[0].per_record
    inside = np.flatnonzero((places + per_record > start) & (places < stop))
    first, last = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 0)
    n_bytes = (stop - start) * len(wanted) * 4
    if n_bytes > most_bytes((last - first) * header.bytes_per_record):
        raise FormatError(
            f"has gaps that make {(stop - start) / fs:g} s of {(last - first) * header.duration_s:g} s recorded. "
            "Read a range of it, with start_s and stop_s."
        )
    signal = np.full((len(wanted), stop - start), np.nan, np.float32)
    # In pieces, so that a long recording needs little more memory than its result.
    step = max(_PIECE // header.samples_per_record, 1)
    for at in range(first, last, step):
        end = min(at + step, last)
        raw = _records(file, header, at, end)
        spots = (places[at:end, None] - start + np.arange(per_record)).reshape(-1)
        kept = (spots >= 0) & (spots < stop - start)
        for row, one in zip(signal, wanted, strict=True):
            row[spots[kept]] = _physical(raw[:, one.start : one.start + one.per_record], one)[kept]
    wave = Waveform(signal, fs, tuple(s.label for s in wanted), _units(wanted), _steps(wanted))
    # Marks and samples are cut already.
    return make_record(wave, replace(request, start_s=0.0, stop_s=None), meta, marks.window(start, stop))


def _count_records(header: Header, size: int, *, strict: bool) -> int:
    """Return how many data records there are; a recording that was never closed (-1) has as many as the file holds."""
    if not header.bytes_per_record:
        raise FormatError("says that its data records have no samples.")
    holds = (size - header.n_bytes) // header.bytes_per_record
    if header.n_records < 0:
        return holds
    need = header.n_bytes + header.n_records * header.bytes_per_record
    if size < need:
        raise FormatError(
            f"is truncated, or has a wrong number of data records: it has {size} bytes, but {header.n_records} records "
            f"need {need}. Fetch it again, or correct the number to at most {holds}."
        )
    if strict and holds > header.n_records:
        raise FormatError(
            f"holds {holds} data records, but says {header.n_records}. Correct it, or read without strict=True."
        )
    return header.n_records


def _chosen(header: Header, request: ReadRequest) -> tuple[tuple[Signal, ...], ReadRequest]:
    """Return the signals asked for, of one rate, and the request without its channels, which that settles."""
    signals = [s for s in header.signals if not s.is_annotation and s.per_record]
    if request.damaged == "read":
        whole = [s for s in signals if s.has_scale]
        channels = (request.channels,) if isinstance(request.channels, str | int) else request.channels or ()
        if len(whole) < len(signals) and any(isinstance(channel, int) for channel in channels):
            raise FormatError(
                f"lacks some of its signals, so the numbers channels={request.channels!r} would mean other leads. Name "
                "the leads."
            )
        signals = whole
    names = [standard_name(s.label) for s in signals]
    if len({s.per_record for s in signals}) == 1 and computed_leads(names, _units(signals), request.derive):
        # The leads to choose from are known when those that are missing have been computed.
        return tuple(signals), request
    rows: Sequence[int] = range(len(signals))
    if request.channels is not None:
        try:
            rows = resolve(names, request.channels)
        except InputError as error:
            raise FormatError(str(error)) from error
        signals = [signals[i] for i in rows]
    rates = {s.per_record for s in signals}
    if len(rates) > 1:
        groups = "; ".join(
            f"{[s.label for s in signals if s.per_record == n]} at {n / (header.duration_s or 1):g} Hz"
            for n in sorted(rates)
        )
        own = {i: s.per_record / (header.duration_s or 1) for i, s in zip(rows, signals, strict=True)}
        raise MixedRatesError(f"has signals with different rates: {groups}. {MIXED_REMEDY}", own)
    settled = None if request.channels is None else tuple(range(len(signals)))
    return tuple(signals), replace(request, channels=settled, derive="never")


def _records(file: BinaryIO, header: Header, start: int, stop: int) -> NDArray[np.signedinteger[Any]]:
    """Return data records [start, stop) as (record, sample)."""
    file.seek(header.n_bytes + start * header.bytes_per_record)
    need = (stop - start) * header.bytes_per_record
    raw = file.read(need)
    if len(raw) < need:
        raise FormatError(f"gave {len(raw)} of {need} bytes; it is being changed.")
    n = need // header.bytes_per_sample
    samples = unpack(raw, 16 if header.bytes_per_sample == 2 else 24, 0, n)
    return samples.reshape(stop - start, header.samples_per_record)


def _physical(digital: NDArray[np.signedinteger[Any]], signal: Signal) -> NDArray[np.float32]:
    """Return the physical values in millivolts, or in the signal's own unit, record after record."""
    (p_min, p_max), (d_min, d_max) = signal.physical, signal.digital
    if not signal.has_scale:
        raise FormatError(
            f"gives {signal.label!r} the physical range {p_min:g} to {p_max:g} for the digital {d_min} to {d_max}; "
            "both ends must differ."
        )
    gain = (p_max - p_min) / (d_max - d_min)
    # The line through both ends, written as edfio does, so that results agree to the bit.
    values = (digital.reshape(-1) + (p_max / gain - d_max)) * gain
    per_unit = millivolts_per(signal.dimension)
    if per_unit not in {None, 1.0}:
        values *= per_unit
    return values.astype(np.float32)


def _units(signals: Sequence[Signal]) -> tuple[str, ...]:
    return tuple("mV" if millivolts_per(s.dimension) else s.dimension or "unknown" for s in signals)


def _steps(signals: tuple[Signal, ...]) -> tuple[float, ...]:
    """Return the millivolts of one step of each signal, where samples are whole numbers of them: where 0 is 0 mV."""
    steps = []
    for one in signals:
        (p_min, p_max), (d_min, d_max) = one.physical, one.digital
        step = (p_max - p_min) / (d_max - d_min)
        per_unit = millivolts_per(one.dimension)
        if per_unit is None or abs(p_max / step - d_max) > 1e-6:
            return ()
        steps.append(step * per_unit)
    return tuple(steps)


def _texts(
    records: NDArray[np.signedinteger[Any]], header: Header, holders: list[Signal]
) -> tuple[list[float | None], list[Text]]:
    begins: list[float | None] = []
    texts: list[Text] = []
    for number, one in enumerate(holders):
        part = records[:, one.start : one.start + one.per_record]
        width = header.bytes_per_sample
        # Texts lie in the bytes of the samples; 24-bit ones were widened to four.
        plain = np.ascontiguousarray(part).view(np.uint8).reshape(len(part), -1, 2 if width == 2 else 4)[:, :, :width]
        rows = np.ascontiguousarray(plain).reshape(len(part), -1)
        times, said = read_records(row.tobytes() for row in rows)
        begins = times if number == 0 else begins
        texts.extend(said)
    return begins, texts


def _places(header: Header, begins: list[float | None], fs: float, per_record: int) -> tuple[NDArray[np.int64], float]:
    """Return the first sample of each data record, counted from the first one's, and when that one begins.

    In a discontinuous file (EDF+D) the time between records is given by each
    record's first annotation (clause 2.2.4); elsewhere they follow on each other.
    """
    first = begins[0] if begins and begins[0] is not None else 0.0
    if not header.kind.endswith("D"):
        return np.arange(header.n_records, dtype=np.int64) * per_record, first
    known = [begin for begin in begins if begin is not None]
    if len(known) < header.n_records:
        raise FormatError(
            f"is discontinuous ({header.kind}), but only {len(known)} of its {header.n_records} data records tell when "
            "they begin (clause 2.2.4)."
        )
    places = np.rint((np.array(known, np.float64) - first) * fs)
    if (np.diff(places) < per_record).any():
        at = int(np.flatnonzero(np.diff(places) < per_record)[0]) + 1
        raise FormatError(f"has data record {at} begin before record {at - 1} ends, at {known[at]:g} s.")
    if places.size and places[-1] >= 2**53:
        raise FormatError(f"has data records that lie {known[-1] - first:g} s apart.")
    return places.astype(np.int64), first


def _marks(texts: list[Text], first: float, fs: float, header: Header, wanted: Sequence[Signal]) -> Annotation:
    """Return texts as marks, without those of signals that are not ``wanted``."""
    labels = [s.label for s in header.signals if not s.is_annotation and s.per_record]
    ours = [s.label for s in wanted]
    rows: list[tuple[int, float, Coded]] = []
    for onset, duration, text in texts:
        at = round((onset - first) * fs)
        mark = from_text(text, labels)
        if mark.signal and labels[mark.signal - 1] not in ours:
            continue
        if abs(at) < 2**53:
            signal = ours.index(labels[mark.signal - 1]) + 1 if mark.signal else 0
            rows.append((at, duration or 0.0, mark._replace(signal=signal)))
    rows.sort(key=lambda row: row[0])
    marks = [mark for *_, mark in rows]
    return Annotation(
        np.array([at for at, *_ in rows], np.int64),
        np.array([mark.symbol for mark in marks], np.str_) if marks else np.empty(0, "<U1"),
        tuple(mark.note for mark in marks),
        np.array([mark.signal for mark in marks], np.int64),
        np.array([mark.num for mark in marks], np.int64),
        np.array([mark.subtype for mark in marks], np.int64),
        np.array([lasting for _, lasting, _ in rows], np.float64),
    )


def _only_texts(texts: list[Text], request: ReadRequest, header: Header, meta: dict[str, Any]) -> Record:
    if "signal" in request.components:
        raise FormatError("holds annotations and no signal that can be read; read it with components='annotation'.")
    marks = _marks(texts, 0.0, _FS_OF_NOTHING, header, ()) if "annotation" in request.components else None
    if marks is not None and (request.start_s or request.stop_s is not None):
        stop = 2**62 if request.stop_s is None else round(request.stop_s * _FS_OF_NOTHING)
        marks = marks.window(round(request.start_s * _FS_OF_NOTHING), stop)
    return Record(None, _FS_OF_NOTHING, (), (), meta, marks)


def _later(start: datetime, seconds: float) -> datetime | None:
    try:
        return start + timedelta(seconds=round(seconds, 6))
    except OverflowError:
        return None
