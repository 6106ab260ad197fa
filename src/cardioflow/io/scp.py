"""SCP-ECG (EN 1064, ISO 11073-91064): the European standard for resting ECGs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, final

from cardioflow.errors import FormatError
from cardioflow.io._lead_off import with_lead_off
from cardioflow.io._marks import BEAT, Mark, annotation_of
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._scp.healforce import read_healforce
from cardioflow.io._scp.lead_quality import read_lead_off
from cardioflow.io._scp.metadata import read_measurements, read_metadata, read_statements
from cardioflow.io._scp.rhythm import Beat, read_rhythm
from cardioflow.io._scp.sections import Sections, looks_like_scp, read_sections
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Scp"]


@final
class Scp(Format):
    """SCP-ECG.

    Read: sections 0 (pointers), 1 (person, device, time with zone, filters, electrode placement), 2 (Huffman: the
    default table, tables in the file with switches between them, or none), 3 (leads), 4 (QRS locations, as ``N``
    annotations, ``Q`` for beats of another type than the reference), 5 and 6 (plain samples, first or second
    differences; the reference beat is added back; bimodal decimation is undone by linear interpolation between the
    stored means), 7 (intervals, axes, rates), 8 (statements), of 10 whether an electrode is loose or off
    (``meta["lead_off"]``, a flag per lead); the CRCs of the record and of each section
    (``meta["checksum_ok"]``, an error with ``strict``). Leads that begin or end at different samples share a time
    axis, with NaN outside each.

    Not read: sections 9 to 11 (manufacturer's data, other measurements per lead, universal statement codes) and 12 to
    18 of the 2020 edition, of which 12 holds long-term rhythms; ``meta["unread_sections"]`` lists those that a record
    has.
    The mean of three samples, which SCP-AV applies after undoing bimodal decimation, is not applied: on an ECG of LUDB
    it increased the deviation from the original (7.8 µV RMS instead of 7.4).

    Lenient: if a lead begins at sample 0, its end is taken as its number of samples (Corpuls); a reference beat that is
    declared as subtracted, but absent, is ignored (C++ port of the ECG Toolkit); records of Healforce's recorders have
    their own form (see ``_scp.healforce``) and are recognised by their checksum.

    Checked on the example of the C# ECG Toolkit (Huffman, second differences; every sample equal to the HL7 aECG file
    of the same recording, and to BioSig), a Corpuls demo file (not encoded; equal to BioSig) and two Healforce files
    (equal to that project's decoder). No file of a device with a reference beat, its own tables or bimodal decimation
    was available. Records that the tests write according to the standard are read equally by other programs: reference
    beats by PhysioNet's ``parsescp`` and by ecgdatakit, custom tables and switches by ecgdatakit, and bimodal
    decimation, to less than one step because of rounding, by the functions of SCP-AV in BioSig.
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
                raise FormatError("has a CRC that does not match its bytes. The file was changed or damaged.")
            wave, marks, skipped_s = _read_rhythm(sections, len(content))
            meta = read_metadata(sections, request)
            if meta["timestamp"] is not None and skipped_s:
                meta["timestamp"] += timedelta(seconds=skipped_s)
            meta = {
                **meta,
                "comments": read_statements(sections, request),
                "measurements": read_measurements(sections),
                "checksum_ok": sections.checksum_ok,
                "unread_sections": sections.unread,
            }
            record = make_record(wave, request, meta, annotation_of(marks))
            return with_lead_off(record, read_lead_off(sections.lead_measurements))


def _read_rhythm(sections: Sections, n_bytes: int) -> tuple[Waveform, list[Mark], float]:
    """Return samples, annotations, and the seconds from the start time in section 1 to the first sample."""
    if sections.healforce:
        wave, beats, skipped_s = read_healforce(sections)
        return wave, [Mark(int(at), BEAT) for at in beats], skipped_s
    rhythm = read_rhythm(sections, n_bytes)
    return rhythm.wave, [_mark(beat) for beat in rhythm.beats], 0.0


def _mark(beat: Beat) -> Mark:
    like_reference = beat.kind == 0
    return Mark(beat.fiducial - 1, BEAT if like_reference else "Q", "" if like_reference else f"type {beat.kind}")
