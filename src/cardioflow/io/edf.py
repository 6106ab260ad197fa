"""EDF and EDF+: the European Data Format of sleep and Holter recorders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, final

from cardioflow.io._derived import recorded
from cardioflow.io._edf.read import count_samples, read_edf
from cardioflow.io._record_json import without_person
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Edf"]


@final
class Edf(Format):
    """EDF, EDF+C and EDF+D (Kemp 1992; Kemp and Olivan 2003): 16-bit samples, texts with times.

    Voltages become millivolts; a signal of another dimension keeps it. Signals of
    different rate are refused until ``channels`` names those of one. In EDF+D the
    time between data records, given by the first annotation of each, is NaN.
    Annotations: a letter of PhysioNet's vocabulary is its code, ``(AFIB`` a rhythm
    change, any other text a note; ``duration_s`` is how long they last. Age and
    sex are those of EDF+'s patient field; who the person is only with ``identify``.

    Lenient: a recording that was never closed has as many records as the file
    holds; a file longer than it says is read (an error with ``strict``); NULs and
    decimal commas in the header. Our own reader, because edfio 0.4 takes EDF+D as
    contiguous and maps whole files for a range; values are those of edfio.

    Written: EDF+, by edfio, with 16 bits over the source's own range or that of
    the samples; a round trip is within half a step of it. A missing sample cannot
    be written. A year before 1985 or after 2084 stands in the recording field
    alone. Marks that have both a code and a note become one text; their
    channel, ``num`` and ``subtype`` have no place. Comments are one text at the
    start, ``# one<tab># two``, and the age is a subfield ``age=61`` of the patient
    field, whose birth date is written only with ``identify``.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".edf", ".rec")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        # Some devices write NUL where the standard has spaces.
        return head[:8].strip(b" \0") == b"0" and len(head) >= 256 and head[252:256].strip(b" \0").isdigit()

    def read(self, path: Path, request: ReadRequest) -> Record:
        return read_edf(path, request)

    def n_samples(self, path: Path) -> int | None:
        return count_samples(path)

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        from cardioflow.io._edf.write import write_edf  # edfio, needed only here

        record = recorded(record)
        known = replace(record, meta=without_person(record.meta, identify=identify))
        return write_edf(known, self.signal_of(record), self.target(path))
