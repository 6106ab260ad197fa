"""Writing EDF+, by edfio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import edfio
import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.units import standard_unit
from cardioflow.core.atomic import whole_file
from cardioflow.errors import InputError
from cardioflow.io._edf.codes import Coded, to_text
from cardioflow.io._edf.digitise import digitise
from cardioflow.io._edf.marks import COMMENT
from cardioflow.io._person import is_key
from cardioflow.io.base import Record

__all__ = ["write_edf"]

# A leap year, which has every day.
_STAND_IN: Final = 2000
# "Startdate dd-MMM-yyyy" begins at byte 88, "dd.mm.yy" at byte 168.
_YEAR_IN_RECORDING: Final = 88 + len("Startdate dd-MMM-")
_YEAR_IN_HEADER: Final = 168 + len("dd.mm.")


def write_edf(record: Record, signal: NDArray[np.float32], path: Path) -> tuple[Path, ...]:
    """Write one EDF+ file.

    A file is made of whole data records. Where the samples are not, the last one
    is filled up with the last sample, and the recording field says after its own
    parts how many there are: ``n_samples=650000``, which ``Edf`` reads.
    """
    meta = record.meta
    n = signal.shape[1]
    per_record = _per_record(n, record.fs)
    fill = -n % per_record
    try:
        signals = [_signal(record, i, np.pad(row, (0, fill), "edge")) for i, row in enumerate(signal)]
        moment = meta.get("timestamp")
        start = moment if isinstance(moment, datetime) else None
        edf = edfio.Edf(
            signals,
            patient=_patient(meta),
            recording=edfio.Recording(
                startdate=_day(start),
                equipment_code=_word(meta.get("device")) if meta.get("device") else "X",
                additional=[f"n_samples={n}"] if fill else [],
            ),
            data_record_duration=per_record / record.fs,
            starttime=time() if start is None else start.time().replace(tzinfo=None),
            annotations=[*_comments(meta), *_texts(record, [signal.label for signal in signals])],
        )
        with whole_file(path) as temporary:
            edf.write(temporary)
            _with_year(temporary, start)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} cannot be written as EDF+: {error}.") from error
    return (path,)


def _per_record(n: int, fs: float) -> int:
    """Return the samples of a data record: a divisor of ``n`` whose time fits 8 characters, else whole seconds."""
    # Of what divides the samples, the one nearest to a second; a data record should stay below 61 440 bytes.
    for m in sorted(
        {d for k in range(1, math.isqrt(n) + 1) if not n % k for d in (k, n // k)}, key=lambda m: abs(m - fs)
    ):
        if m < 8 * fs and _fits(m / fs, m, fs):
            return m
    for seconds in range(1, 1001):
        m = round(fs * seconds)
        if m and _fits(m / fs, m, fs):
            return m
    raise InputError(
        f"A rate of {fs!r} Hz cannot be written as EDF+, which needs a whole number of samples in a data record."
    )


def _fits(seconds: float, m: int, fs: float) -> bool:
    text = f"{seconds:.7f}".rstrip("0").rstrip(".")
    return len(text) <= 8 and m / float(text) == fs if float(text) else False


def _signal(record: Record, i: int, row: NDArray[np.float32]) -> edfio.EdfSignal:
    lead, unit = record.leads[i], record.units[i]
    if not np.isfinite(row).all():
        raise InputError(
            f"Lead {lead!r} has {int((~np.isfinite(row)).sum())} samples that are NaN or infinite, and EDF+ has no "
            "number for a missing sample. Fill them, cut them off, or write WFDB."
        )
    # What is told per lead counts only while it tells of these leads.
    n = len(record.leads)
    meta = {k: v for k, v in record.meta.items() if not isinstance(v, tuple) or len(v) == n}
    digital = digitise(meta, i, row, unit)
    return edfio.EdfSignal.from_digital(
        digital.samples,
        record.fs,
        label=lead[:16].encode("ascii", "replace").decode(),
        physical_dimension=standard_unit(digital.scale.dimension)[:8].encode("ascii", "replace").decode(),
        physical_range=_unrounded(digital.scale.physical),
        digital_range=digital.scale.digital,
        prefiltering=_prefiltering(meta, i),
        transducer_type=_ascii_text(meta, "transducer", i)[:80],
    )


def _unrounded(ends: tuple[float, float]) -> tuple[float, float]:
    """Return ends that edfio writes as ``ends``, which 8 characters hold.

    It takes the next lower and the next higher number of 8 characters, and goes one too far for a third of those
    that need no rounding: -2410.01 becomes -2410.02.
    """
    low, high = (float(end) for end in ends)
    return (
        low if low.is_integer() else math.nextafter(low, math.inf),
        high if high.is_integer() else math.nextafter(high, -math.inf),
    )


def _ascii_text(meta: Any, key: str, i: int) -> str:
    texts = meta.get(key)
    text = texts[i] if isinstance(texts, tuple) and len(texts) > i else ""
    return str(text).encode("ascii", "replace").decode()


def _patient(meta: Any) -> edfio.Patient:
    sex = meta.get("sex")
    born = meta.get("birth_date")
    return edfio.Patient(
        sex=sex if sex in {"M", "F"} else "X",
        code=_word(meta.get("patient_id")) if meta.get("patient_id") else "X",
        name=_word(meta.get("name")) if meta.get("name") else "X",
        birthdate=born if isinstance(born, date) else None,
        additional=[*(_age(meta) if not isinstance(born, date) else []), *_key(meta)],
    )


def _age(meta: Any) -> list[str]:
    """Return the age as a subfield of its own: a birth date, where EDF+ has it, would say who it is."""
    age = meta.get("age")
    return [f"age={age:.6g}"] if isinstance(age, int | float) and 0 <= age < 1000 else []


def _key(meta: Any) -> list[str]:
    """Return the key by which records of a patient are grouped when the id is left out."""
    return [f"patient_key={meta['patient_key']}"] if is_key(meta.get("patient_key")) else []


def _prefiltering(meta: Any, i: int) -> str:
    """Return the filters of a signal: as the source's header said, or in EDF+'s own form."""
    told = _ascii_text(meta, "prefiltering", i)
    if told:
        return told[:80]
    parts = []
    for key, letters in (("highpass_hz", "HP"), ("lowpass_hz", "LP"), ("notch_hz", "N")):
        value = meta.get(key)
        value = value[i] if isinstance(value, tuple) and len(value) > i else value
        if isinstance(value, int | float):
            parts.append(f"{letters}:{value:.6g}Hz")
    return " ".join(parts)


def _comments(meta: Any) -> list[edfio.EdfAnnotation]:
    """Return the comments as one text, because several of one time have no order.

    Of the characters that may part its lines (clause 2.2.2), edfio reads a tab alone.
    """
    told = meta.get("comments")
    lines = [COMMENT + " ".join(text.split()) for text in told or () if isinstance(text, str) and text.strip()]
    return [edfio.EdfAnnotation(0, None, "\t".join(lines))] if lines else []


def _day(start: datetime | None) -> date | None:
    """Return the day that edfio writes, which takes 1985 to 2084: for other years one that ``_with_year`` replaces."""
    if start is None:
        return None
    return start.date() if _is_short_year(start.year) else start.date().replace(year=_STAND_IN)


def _is_short_year(year: int) -> bool:
    """Return whether two digits tell a year (EDF+ 2.1.3.2)."""
    return 1985 <= year < 2085


def _with_year(path: Path, start: datetime | None) -> None:
    """Put a year that two digits cannot tell into a file: ``yy`` in the header, whole in the recording field.

    EDF+ 2.1.3.2 has it so for the years after 2084; those before 1985 have no other place either.
    """
    if start is None or _is_short_year(start.year):
        return
    with path.open("r+b") as file:
        file.seek(_YEAR_IN_RECORDING)
        file.write(f"{start.year:04d}".encode())
        file.seek(_YEAR_IN_HEADER)
        file.write(b"yy")


def _word(text: Any) -> str:
    return "_".join(str(text).split()).encode("ascii", "replace").decode()[:40] or "X"


def _texts(record: Record, labels: Sequence[str]) -> list[edfio.EdfAnnotation]:
    marks = record.annotation or Annotation()
    kinds = (marks.symbol.tolist(), marks.aux_note, marks.num.tolist(), marks.subtype.tolist(), marks.channel.tolist())
    texts = [to_text(Coded(*kind), labels) for kind in zip(*kinds, strict=True)]
    return [
        edfio.EdfAnnotation(round(at / record.fs, 6), round(lasting, 6) or None, text)
        for at, lasting, text in zip(marks.sample.tolist(), marks.duration_s.tolist(), texts, strict=True)
    ]
