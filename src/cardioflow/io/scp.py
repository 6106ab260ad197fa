"""SCP-ECG (EN 1064, ISO 11073-91064): the European standard for resting ECGs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, final

from cardioflow.errors import FormatError
from cardioflow.io._marks import BEAT, Mark, annotation_of
from cardioflow.io._record import make_record
from cardioflow.io._scp.about import read_about, read_measurements, read_statements
from cardioflow.io._scp.rhythm import Beat, read_rhythm
from cardioflow.io._scp.sections import looks_like_scp, read_sections
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Scp"]


@final
class Scp(Format):
    """SCP-ECG.

    Read: sections 0 (pointers), 1 (person, device, time with zone, filters, electrode placement), 2 (Huffman: the
    default table, tables of the file with switches between them, or none), 3 (leads), 4 (QRS locations, as ``N``
    marks, ``Q`` for beats of another type than the reference), 5 and 6 (samples as they are, first or second
    differences; the reference beat added again; bimodal decimation undone by straight lines between the means that
    are stored), 7 (intervals, axes, rates), 8 (statements); the CRC of the record and of each section
    (``meta["checksum_ok"]``, an error with ``strict``). Leads that begin or end at different samples share a time
    line with NaN.

    Not read: sections 9 to 11 (the maker's own, measurements per lead, universal statement codes) and the sections
    12 to 17 of 2020. Lenient: a lead that begins at sample 0 ends with as many samples as its end says.

    Checked on the example of the C# ECG Toolkit (Huffman, second differences; every sample equal to the HL7 aECG file
    of the same recording) and a Corpuls demo file (not coded). Reference beat, own tables and bimodal decimation are
    checked on records that the tests write by the standard's text, not on files of a device: none was at hand.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".scp", ".ecg")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return looks_like_scp(head)

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = read_whole(path)
            sections = read_sections(content)
            if request.strict and not sections.checksum_ok:
                raise FormatError("holds a CRC that does not agree with its bytes; the file was changed or damaged.")
            rhythm = read_rhythm(sections, len(content))
            meta = {
                **read_about(sections, request),
                "comments": read_statements(sections, request),
                "measurements": read_measurements(sections),
                "checksum_ok": sections.checksum_ok,
            }
            return make_record(rhythm.wave, request, meta, annotation_of(_mark(beat) for beat in rhythm.beats))


def _mark(beat: Beat) -> Mark:
    like_reference = beat.kind == 0
    return Mark(beat.fiducial - 1, BEAT if like_reference else "Q", "" if like_reference else f"type {beat.kind}")
