"""Writing a WFDB record: the numbers that were read where they are known, else the finest that 16 bits allow."""

from __future__ import annotations

import math
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.dsp.pack import RANGES, pack
from cardioflow.errors import InputError
from cardioflow.io._wfdb.annotation import CODES
from cardioflow.io._wfdb.layout import calibration
from cardioflow.io._write import atomically
from cardioflow.io.base import Record

__all__ = ["write_record"]

_RESOLUTION: Final = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}
# Formats that are read but not written, and what takes their samples: FLAC, and differences.
_INSTEAD: Final = {508: 80, 516: 16, 524: 24, 8: 16}


class _Digital(NamedTuple):
    """One lead as integers, and what turns them back."""

    samples: NDArray[np.int64]
    fmt: int
    gain: float
    baseline: int
    unit: str


def write_record(record: Record, signal: NDArray[np.float32], path: Path) -> tuple[Path, ...]:
    """Write header, signal file and, if the record has any, annotations (``atr``); the header last."""
    stem = path.with_suffix("") if path.suffix in {".hea", ".dat", ".mat"} else path
    name = stem.name
    if not re.fullmatch(r"[-\w]+", name, re.ASCII):
        raise InputError(f"{name!r} cannot name a WFDB record; use letters, digits, '-' and '_' (header(5)).")
    digital = _digitised(record, signal)
    written = []
    if record.annotation is not None:
        marks = stem.with_suffix(".atr")
        with atomically(marks) as temporary:
            temporary.write_bytes(_annotation_bytes(record.annotation))
        written.append(marks)
    data = stem.with_suffix(".dat")
    with atomically(data) as temporary:
        frames = np.stack([lead.samples for lead in digital], axis=1)
        temporary.write_bytes(pack(frames.reshape(-1), digital[0].fmt))
    header = stem.with_suffix(".hea")
    with atomically(header) as temporary:
        temporary.write_text(_header_text(record, digital, name, signal.shape[1]), encoding="utf-8")
    return (*written, data, header)


def _digitised(record: Record, signal: NDArray[np.float32]) -> list[_Digital]:
    kept = _kept(record, signal)
    if kept is not None:
        return kept
    leads = []
    for row, lead, unit in zip(signal, record.leads, record.units, strict=True):
        there = np.isfinite(row)
        if not there.all() and np.isinf(row).any():
            raise InputError(f"Lead {lead!r} holds infinite samples, which no format of WFDB has; remove them first.")
        largest = float(np.abs(row[there]).max()) if there.any() else 0.0
        gain = _round_down(RANGES[16][1] / largest) if largest else 1000.0
        leads.append(_Digital(_integers(row, gain, 0, 16), 16, gain, 0, _word(unit)))
    return leads


def _kept(record: Record, signal: NDArray[np.float32]) -> list[_Digital] | None:
    """Return the integers of the source, where gain, baseline and format are known and still hold the samples."""
    meta = record.meta
    told: list[Any] = [meta.get(key) for key in ("adc_gain", "baseline", "fmt", "adc_units")]
    if not all(isinstance(part, tuple) and len(part) == len(signal) for part in told):
        return None
    gains, baselines, formats, units = told
    codes = {_INSTEAD.get(int(fmt), int(fmt)) for fmt in formats}
    # One file takes one format.
    fmt = codes.pop() if len(codes) == 1 else max(codes & {16, 24, 32} or {16})
    scales = calibration(tuple(zip(gains, baselines, units, strict=True)))
    if fmt not in RANGES or scales.units != tuple(record.units):
        return None
    for form in (fmt, 16):
        leads = [
            _Digital(_integers(row, by, shift, form), form, gain, shift, unit)
            for row, by, gain, shift, unit in zip(
                signal, scales.divisors.tolist(), gains, baselines, units, strict=True
            )
        ]
        low, high = RANGES[form]
        if all(((d.samples >= low) & (d.samples <= high) | (d.samples == low - 1)).all() for d in leads):
            return leads
    return None


def _integers(row: NDArray[np.float32], gain: float, baseline: int, fmt: int) -> NDArray[np.int64]:
    missing = RANGES[fmt][0] - 1
    there = np.isfinite(row)
    values = np.rint(np.where(there, row, 0).astype(np.float64) * gain + baseline)
    # Far outside is kept outside, not wrapped, so that the caller sees it.
    whole = np.clip(values, -(2.0**62), 2.0**62).astype(np.int64)
    return np.where(there, whole, missing)


def _round_down(gain: float) -> float:
    """Return the largest number of three digits up to ``gain``, which a header writes exactly."""
    gain = min(gain, 1e9)
    step = 10.0 ** (math.floor(math.log10(gain)) - 2)
    return float(f"{math.floor(gain / step) * step:.6g}")


def _word(unit: str) -> str:
    return re.sub(r"\s+", "_", unit) or "NU"


def _header_text(record: Record, digital: list[_Digital], name: str, n: int) -> str:
    meta = record.meta
    first = f"{name} {len(digital)} {record.fs:.12g} {n}"
    moment = meta.get("timestamp")
    if isinstance(moment, datetime):
        fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
        first += f" {moment:%H:%M:%S}{fraction} {moment:%d/%m}/{moment.year:04d}"
    lines = [first]
    names = meta.get("signame")
    if not (isinstance(names, tuple) and len(names) == len(digital)):
        names = record.leads
    for lead, said in zip(digital, names, strict=True):
        total = int(lead.samples.sum()) & 0xFFFF
        total -= (total & 0x8000) << 1
        unit = "" if lead.unit == "mV" else f"/{lead.unit}"
        baseline = f"({lead.baseline})" if lead.baseline or unit else ""
        lines.append(
            f"{name}.dat {lead.fmt} {lead.gain:.15g}{baseline}{unit or '/mV'} {_RESOLUTION[lead.fmt]} 0 "
            f"{int(lead.samples[0])} {total} 0 {' '.join(str(said).split()) or 'unnamed'}"
        )
    return "\n".join([*lines, *_comments(meta)]) + "\n"


def _comments(meta: Any) -> list[str]:
    comments = [" ".join(str(comment).splitlines()).strip() for comment in meta.get("comments") or ()]
    age, sex = meta.get("age"), meta.get("sex")
    if not comments and (age is not None or sex is not None):
        comments = [f"Age: {'?' if age is None else age}  Sex: {sex or '?'}"]
    return [f"#{comment}" for comment in comments]


def _annotation_bytes(marks: Annotation) -> bytes:
    """Return marks in the MIT format, annot(5)."""
    codes = {symbol: code for code, symbol in enumerate(CODES) if symbol != " "}
    own = sorted({str(s) for s in marks.symbol.tolist()} - set(codes))
    if len(own) > 8 or any(len(symbol.split()) != 1 for symbol in own):
        raise InputError(f"Marks have the symbols {own}; besides PhysioNet's codes a WFDB file takes 8, of no spaces.")
    out = bytearray()
    if own:
        # Codes 42 to 49 are free for definitions of the file's own.
        codes.update({symbol: 42 + i for i, symbol in enumerate(own)})
        for text in (
            "## annotation type definitions",
            *(f"{codes[symbol]} {symbol} {symbol}" for symbol in own),
            "## end of definitions",
        ):
            out += _word_of(22, 0) + _text_of(text)
    before, channel, number = 0, 0, 0
    for at, symbol, note, chan, num, sub in zip(
        marks.sample.tolist(),
        marks.symbol.tolist(),
        marks.aux_note,
        marks.channel.tolist(),
        marks.num.tolist(),
        marks.subtype.tolist(),
        strict=True,
    ):
        step = at - before
        if not 0 <= step < 1024:
            out += _skip(step, at)
            step = 0
        out += _word_of(codes[str(symbol)], step)
        before = at
        if sub:
            out += _word_of(61, sub & 0xFF)
        if chan != channel:
            out += _word_of(62, chan & 0xFF)
            channel = chan
        if num != number:
            out += _word_of(60, num & 0xFF)
            number = num
        if note:
            out += _text_of(note)
    return bytes(out + b"\0\0")


def _skip(step: int, at: int) -> bytes:
    if not -(2**31) <= step < 2**31:
        raise InputError(f"A mark at sample {at} lies {step} samples after the one before it; WFDB holds up to 2^31.")
    high, low = (step >> 16) & 0xFFFF, step & 0xFFFF
    return _word_of(59, 0) + high.to_bytes(2, "little") + low.to_bytes(2, "little")


def _word_of(code: int, low: int) -> bytes:
    return (code << 10 | low).to_bytes(2, "little")


def _text_of(text: str) -> bytes:
    raw = text.encode("latin-1", "replace")[:255]
    return _word_of(63, len(raw)) + raw + bytes(len(raw) % 2)
