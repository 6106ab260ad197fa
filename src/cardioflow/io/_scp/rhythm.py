"""Sections 3 to 6: leads, QRS locations, the reference beat and the rhythm, put together again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._leadcodes import LEAD_CODES
from cardioflow.io._record import Waveform
from cardioflow.io._scp.huffman import Codes, read_codes
from cardioflow.io._scp.sections import Sections
from cardioflow.io._source import Cursor
from cardioflow.io._timeline import join_waves

__all__ = ["Beat", "Rhythm", "read_rhythm"]

# Even a flat lead, at one bit per sample, is stored beside leads that are not: what claims more is a bomb.
_MOST_SAMPLES_PER_BYTE = 4
# Samples from beat to beat: no heart beats faster at any rate that is recorded.
_LEAST_RR = 20


class Lead(NamedTuple):
    """Where a lead begins and ends, both counted from 1 and included."""

    name: str
    first: int
    last: int

    @property
    def n(self) -> int:
        # Some writers begin at 0 and mean the number of samples by the end (seen in the wild).
        return self.last - self.first + 1 if self.first else self.last


class Beat(NamedTuple):
    """One QRS of section 4; samples count from 1."""

    kind: int
    """0 is like the reference beat, which was subtracted from these alone."""
    first: int
    fiducial: int
    last: int


class Located(NamedTuple):
    """What section 4 tells."""

    beats: list[Beat]
    zones: list[tuple[int, int]]
    """First and last sample of what is kept at full rate."""
    fiducial: int
    """Of the reference beat, counted from 1."""
    length_ms: int


class Block(NamedTuple):
    """What sections 5 and 6 have in common."""

    nanovolts: int
    microseconds: int
    differences: int
    bimodal: int
    lead_bytes: list[bytes]


class Rhythm(NamedTuple):
    """The whole recording."""

    wave: Waveform
    beats: list[Beat]
    """Of section 4, counted in samples of ``wave`` from 1."""


def read_rhythm(sections: Sections, n_bytes: int) -> Rhythm:
    """Return the rhythm of section 6: decoded, the reference beat added again, decimation undone."""
    leads, subtracted = _read_leads(sections.needed(3, "the leads"))
    codes = read_codes(sections)
    block = _read_block(sections.needed(6, "the rhythm"), len(leads))
    total = sum(lead.n for lead in leads)
    if total > _MOST_SAMPLES_PER_BYTE * n_bytes:
        raise FormatError(f"says that its leads have {total} samples, which {n_bytes} bytes cannot hold.")
    located = _read_beats(sections.cursor(4))
    if len(located.beats) * _LEAST_RR > max(lead.n for lead in leads):
        raise FormatError(f"locates {len(located.beats)} beats in {max(lead.n for lead in leads)} samples.")
    fifth = sections.cursor(5)
    reference = None
    if fifth is not None and (subtracted or block.bimodal == 1):
        reference = _read_block(fifth, len(leads))
    # Section 5 has the rate of the recording, section 6 that of the decimated rest (clause 5.9.3).
    rate = 1 if reference is None else max(round(block.microseconds / reference.microseconds), 1)
    decoder = _Decoder(codes, block, reference if subtracted else None, located, rate)
    fs = 1e6 * rate / block.microseconds
    return Rhythm(_together(leads, decoder, fs, n_bytes), located.beats)


class _Decoder:
    """Decodes one lead after another."""

    def __init__(self, codes: Codes, block: Block, reference: Block | None, located: Located, rate: int) -> None:
        self.codes = codes
        self.block = block
        self.reference = reference
        self.located = located
        self.rate = rate
        self._places: dict[tuple[int, int], NDArray[np.float64]] = {}

    @property
    def step(self) -> float | None:
        """Millivolts that all samples are whole numbers of; ``None`` where they are put together of several."""
        return self.block.nanovolts * 1e-6 if self.rate == 1 and self.reference is None else None

    def decode(self, i: int, lead: Lead) -> NDArray[np.float32]:
        """Return the samples of lead number ``i`` in millivolts."""
        places = self._stored_places(lead)
        n = lead.n if places is None else places.size
        stored = self.codes.decode(self.block.lead_bytes[i], n, self.block.differences, f"lead {lead.name}")
        row = stored.astype(np.float64) * (self.block.nanovolts * 1e-6)
        if places is not None:
            row = np.interp(np.arange(lead.n), places, row)
        if self.reference is not None:
            beat = _reference(self.reference, self.codes, i, self.located.length_ms)
            _add(row, lead, beat, self.located)
        return row.astype(np.float32)

    def _stored_places(self, lead: Lead) -> NDArray[np.float64] | None:
        """Return where the stored samples of a lead lie, or ``None`` when every sample is stored."""
        if self.rate == 1:
            return None
        key = (lead.first, lead.last)
        if key not in self._places:
            zones = self.located.zones if self.block.bimodal == 1 else []
            self._places[key] = _stored_places(lead, zones, self.rate)
        return self._places[key]


def _together(leads: list[Lead], decoder: _Decoder, fs: float, n_bytes: int) -> Waveform:
    """Return the leads side by side, on one time line where they begin or end apart."""
    if len({(max(lead.first, 1), lead.n) for lead in leads}) == 1:
        signal = np.empty((len(leads), leads[0].n), np.float32)
        for i, lead in enumerate(leads):
            signal[i] = decoder.decode(i, lead)
        return Waveform(
            signal, fs, tuple(lead.name for lead in leads), steps=(decoder.step,) * len(leads) if decoder.step else ()
        )
    parts = []
    for i, lead in enumerate(leads):
        wave = Waveform(decoder.decode(i, lead)[None], fs, (lead.name,))
        parts.append((max(lead.first - 1, 0) / fs, wave))
    return join_waves(parts, n_bytes)


def _read_leads(cursor: Cursor) -> tuple[list[Lead], bool]:
    """Return the leads of section 3, and whether a reference beat was subtracted."""
    count, flags = cursor.u8(), cursor.u8()
    leads = []
    for _ in range(count):
        first, last, code = cursor.u32(), cursor.u32(), cursor.u8()
        lead = Lead(LEAD_CODES.get(code, f"SCP lead {code}"), first, last)
        if lead.n < 1:
            raise FormatError(f"says that lead {lead.name} goes from sample {first} to {last}.")
        leads.append(lead)
    if not leads:
        raise FormatError("names no leads in section 3.")
    return leads, bool(flags & 1)


def _read_beats(cursor: Cursor | None) -> Located:
    if cursor is None:
        return Located([], [], 0, 0)
    length_ms, fiducial, count = cursor.u16(), cursor.u16(), cursor.u16()
    beats = [Beat(cursor.u16(), cursor.u32(), cursor.u32(), cursor.u32()) for _ in range(count)]
    zones = [(cursor.u32(), cursor.u32()) for _ in range(count)] if cursor.left >= 8 * count else []
    return Located(beats, zones, fiducial, length_ms)


def _read_block(cursor: Cursor, n_leads: int) -> Block:
    nanovolts, microseconds, differences, bimodal = cursor.u16(), cursor.u16(), cursor.u8(), cursor.u8()
    if nanovolts == 0 or microseconds == 0 or differences > 2:
        raise FormatError(
            f"gives {cursor.what} {nanovolts} nV per unit, {microseconds} µs per sample and differences of order "
            f"{differences}; expected more than 0, more than 0, and 0 to 2."
        )
    lengths = [cursor.u16() for _ in range(n_leads)]
    return Block(nanovolts, microseconds, differences, bimodal, [cursor.take(n) for n in lengths])


def _stored_places(lead: Lead, zones: list[tuple[int, int]], rate: int) -> NDArray[np.float64]:
    """Return where each stored sample lies in the recording, counted from the lead's first.

    Inside protected zones every sample is stored, outside one for each ``rate``, their mean (clause 5.9.3): it lies
    in the middle of those.
    """
    places = []
    at = 0
    for first, last in sorted(zones):
        begin, end = (min(max(v - max(lead.first, 1), at), lead.n) for v in (first, last + 1))
        places.append(_middles(at, begin, rate))
        places.append(np.arange(begin, end, dtype=np.float64))
        at = end
    places.append(_middles(at, lead.n, rate))
    return np.concatenate(places)


def _middles(begin: int, end: int, rate: int) -> NDArray[np.float64]:
    starts = np.arange(begin, end, rate)
    return (starts + np.minimum(starts + rate, end) - 1) / 2


def _reference(block: Block, codes: Codes, i: int, length_ms: int) -> NDArray[np.float64]:
    n = length_ms * 1000 // block.microseconds
    size = len(block.lead_bytes[i])
    if n > _MOST_SAMPLES_PER_BYTE * 2 * max(size, 1):
        raise FormatError(f"says that its reference beat has {n} samples, which {size} bytes cannot hold.")
    stored = codes.decode(block.lead_bytes[i], n, block.differences, "the reference beat")
    return stored.astype(np.float64) * (block.nanovolts * 1e-6)


def _add(row: NDArray[np.float64], lead: Lead, beat: NDArray[np.float64], located: Located) -> None:
    """Add the reference beat to every beat of its kind, fiducial upon fiducial (clause 5.7.3)."""
    for qrs in located.beats:
        if qrs.kind != 0:
            continue
        # Both count from 1.
        shift = (qrs.fiducial - max(lead.first, 1)) - (located.fiducial - 1)
        begin = max(qrs.first - max(lead.first, 1), shift, 0)
        end = min(qrs.last - max(lead.first, 1) + 1, shift + beat.size, row.size)
        if begin < end:
            row[begin:end] += beat[begin - shift : end - shift]
