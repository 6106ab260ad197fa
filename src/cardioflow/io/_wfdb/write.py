"""Writing a WFDB record: a signal file for each format that its leads have, marks, and last the header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import standard_unit
from cardioflow.core.atomic import whole_file
from cardioflow.errors import InputError
from cardioflow.io._codecs.pack import pack
from cardioflow.io._person import KEY_COMMENT, id_in, is_key, key_in, patient_key
from cardioflow.io._wfdb.digitise import DIFFERENCES, Digital, digitise
from cardioflow.io._wfdb.layout import FLAC
from cardioflow.io._wfdb.metadata import age_and_sex, device
from cardioflow.io._wfdb.write_marks import annotation_bytes
from cardioflow.io.base import Record

__all__ = ["write_record"]

_RESOLUTION: Final = {8: 12, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}
_MOST_IN_FLAC: Final = 8
_SEXES: Final = ("M", "F")


def write_record(record: Record, signal: NDArray[np.float32], header: Path) -> tuple[Path, ...]:
    """Write a record and return its files: annotations (``atr``) if it has any, signals, and ``header`` last.

    Leads side by side that have one format share a signal file, ``.dat``, or ``.d0``, ``.d1``, … where there are
    several.
    """
    name = header.stem
    if not re.fullmatch(r"[-\w]+", name, re.ASCII):
        raise InputError(f"{name!r} cannot name a WFDB record; use letters, digits, '-' and '_' (header(5)).")
    digital = digitise(record, signal)
    content: dict[str, bytes] = {}
    if record.annotation is not None:
        content["atr"] = annotation_bytes(record.annotation)
    files = list(_files(digital))
    endings = ["dat"] if len(files) == 1 else [f"d{i}" for i in range(len(files))]
    lines = []
    for ending, leads in zip(endings, files, strict=True):
        content[ending] = _signal_bytes(np.stack([lead.samples for lead in leads], axis=1), leads[0].fmt)
        lines += [_signal_line(lead, f"{name}.{ending}") for lead in leads]
    content["hea"] = _header_text(record, lines, name, signal.shape[1]).encode()
    with ExitStack() as files_of_record:
        # All are complete before the first gets its name, and what is opened first gets it last: the header.
        for ending, raw in reversed(content.items()):
            files_of_record.enter_context(whole_file(header.with_suffix(f".{ending}"))).write_bytes(raw)
    return tuple(header.with_suffix(f".{ending}") for ending in content)


def _files(digital: Sequence[Digital]) -> Iterator[list[Digital]]:
    for fmt, group in groupby(digital, key=lambda lead: lead.fmt):
        leads = list(group)
        size = _MOST_IN_FLAC if fmt in FLAC else len(leads)
        yield from (leads[i : i + size] for i in range(0, len(leads), size))


def _signal_bytes(frames: NDArray[np.int64], fmt: int) -> bytes:
    """Return the bytes of ``frames``, of shape (time, lead)."""
    if fmt in FLAC:
        from cardioflow.io._wfdb.flac import flac_bytes  # libsndfile, needed only here

        return flac_bytes(frames, fmt)
    if fmt == DIFFERENCES:
        return np.diff(frames, axis=0, prepend=frames[:1]).astype(np.int8).tobytes()
    return pack(frames.reshape(-1), fmt)


def _signal_line(lead: Digital, file: str) -> str:
    """Return the line of a lead, but for its name at the end."""
    total = int(lead.samples.sum()) & 0xFFFF
    total -= (total & 0x8000) << 1
    unit = "" if lead.unit == "mV" else f"/{_word(standard_unit(lead.unit))}"
    baseline = f"({lead.baseline})" if lead.baseline or unit else ""
    bits = _RESOLUTION.get(lead.fmt, lead.fmt - 500)
    gain = lead.gain if lead.calibrated else 0
    return f"{file} {lead.fmt} {gain:.15g}{baseline}{unit or '/mV'} {bits} 0 {lead.samples[0]} {total} 0"


def _word(unit: str) -> str:
    return re.sub(r"\s+", "_", unit) or "NU"


def _header_text(record: Record, lines: Sequence[str], name: str, n: int) -> str:
    meta = record.meta
    first = f"{name} {len(lines)} {record.fs:.12g} {n}"
    moment = meta.get("timestamp")
    if isinstance(moment, datetime):
        fraction = f".{moment.microsecond:06d}".removesuffix("000") if moment.microsecond else ""
        first += f" {moment:%H:%M:%S}{fraction} {moment:%d/%m}/{moment.year:04d}"
    names = meta.get("signame")
    if not (isinstance(names, tuple) and len(names) == len(lines)):
        names = record.leads
    named = [f"{line} {' '.join(str(said).split()) or 'unnamed'}" for line, said in zip(lines, names, strict=True)]
    return "\n".join([first, *named, *_comments(meta)]) + "\n"


def _comments(meta: Mapping[str, Any]) -> list[str]:
    comments = [" ".join(str(comment).splitlines()).strip() for comment in meta.get("comments") or ()]
    # What a WFDB header has no other place for, unless a comment tells it already.
    age, sex, maker = meta.get("age"), meta.get("sex"), meta.get("device")
    told_age, told_sex = age_and_sex(tuple(comments))
    if (age is not None and told_age is None) or (sex in _SEXES and told_sex is None):
        comments.append(f"Age: {'?' if age is None else age}  Sex: {sex or '?'}")
    if maker and device(tuple(comments)) is None:
        comments.append(f"Device: {' '.join(str(maker).split())}")
    key = meta.get("patient_key")
    if is_key(key) and key not in (key_in(comments), patient_key(id_in(comments))):
        comments.append(f"{KEY_COMMENT}{key}")
    return [f"#{comment}" for comment in comments]
