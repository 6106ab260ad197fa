"""Sections 3 to 6: leads, QRS locations, the reference beat and the rhythm, and how they are recombined."""

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

# A flat lead takes one bit per sample, but other leads take more: a file that claims more samples is a bomb.
_MOST_SAMPLES_PER_BYTE = 4
# Small files may exceed this: 10 s of twelve leads, decimated by four after beat subtraction, have six samples a byte.
_ALWAYS_ALLOWED = 1 << 18
# The C# ECG Toolkit also refuses more.
_MOST_DECIMATED = 4
# The fewest samples between beats: no heart beats faster at any common sampling rate.
_LEAST_RR = 20


class Lead(NamedTuple):
    """The first and last sample of a lead, counted from 1, both included."""

    name: str
    first: int
    last: int

    @property
    def n(self) -> int:
        # Some writers begin at 0 and write the number of samples as the end (seen in real files).
        return self.last - self.first + 1 if self.first else self.last


class Beat(NamedTuple):
    """One QRS of section 4; samples count from 1."""

    kind: int
    """0 for beats like the reference beat; it was subtracted from these only."""
    first: int
    fiducial: int
    last: int


class Located(NamedTuple):
    """The contents of section 4."""

    beats: list[Beat]
    zones: list[tuple[int, int]]
    """The first and last samples of the parts stored at the full rate."""
    fiducial: int
    """The fiducial sample of the reference beat, counted from 1."""
    length_ms: int


class Block(NamedTuple):
    """The fields that sections 5 and 6 have in common."""

    nanovolts: int
    microseconds: int
    differences: int
    bimodal: int
    lead_bytes: list[bytes]


class Rhythm(NamedTuple):
    """The whole recording."""

    wave: Waveform
    beats: list[Beat]
    """The beats of section 4, in samples of ``wave`` counted from 1."""


def read_rhythm(sections: Sections, n_bytes: int) -> Rhythm:
    """Return the rhythm of section 6: decode it, undo its decimation and add the reference beat back."""
    if sections.cursor(6) is None and 12 in sections.unread:
        raise FormatError("holds its rhythm in section 12 (long-term, EN 1064:2020), which is not read.")
    leads, subtracted = _read_leads(sections.needed(3, "the leads"))
    codes = read_codes(sections)
    block = _read_block(sections.needed(6, "the rhythm"), len(leads))
    total = sum(lead.n for lead in leads)
    if total > _MOST_SAMPLES_PER_BYTE * n_bytes + _ALWAYS_ALLOWED:
        raise FormatError(f"says that its leads have {total} samples, which {n_bytes} bytes cannot hold.")
    located = _read_beats(sections.cursor(4))
    if len(located.beats) * _LEAST_RR > max(lead.n for lead in leads):
        raise FormatError(f"locates {len(located.beats)} beats in {max(lead.n for lead in leads)} samples.")
    # Version 3 has no bimodal compression, so the byte that signals it is ignored.
    bimodal = block.bimodal == 1 and sections.protocol < 30
    fifth = sections.cursor(5)
    reference = None
    if fifth is not None and (subtracted or bimodal):
        reference = _read_block(fifth, len(leads))
    rate = 1 if reference is None else _rate(block, reference)
    decoder = _Decoder(codes, block, reference if subtracted else None, located, rate)
    if bimodal:
        decoder.zones = np.array(located.zones, np.int64).reshape(-1, 2)
    fs = 1e6 * rate / block.microseconds
    return Rhythm(_together(leads, decoder, fs, n_bytes), located.beats)


def _rate(block: Block, reference: Block) -> int:
    """Return the factor by which the rhythm was decimated; section 5 has the recording's rate (clause 5.9.3).

    Raises:
        FormatError: if it is not an integer from 1 to 4.
    """
    rate = round(block.microseconds / reference.microseconds)
    # Intervals are whole microseconds: those of 300 Hz and 75 Hz are 3333 and 13333.
    if not 1 <= rate <= _MOST_DECIMATED or abs(block.microseconds - rate * reference.microseconds) > rate:
        raise FormatError(
            f"samples its rhythm every {block.microseconds} µs, its reference beat every {reference.microseconds} µs; "
            f"expected a multiple of at most {_MOST_DECIMATED}."
        )
    return rate


class _Decoder:
    """Decodes one lead after another."""

    def __init__(self, codes: Codes, block: Block, reference: Block | None, located: Located, rate: int) -> None:
        self.codes = codes
        self.block = block
        self.reference = reference
        self.located = located
        self.rate = rate
        like_reference = [(b.first, b.fiducial, b.last) for b in located.beats if b.kind == 0]
        self.subtracted = np.array(like_reference, np.int64).reshape(-1, 3)
        self.zones = np.empty((0, 2), np.int64)
        """The first and last samples of the parts that are not decimated."""
        # Nearly always, all leads have the same first and last sample.
        self._last: tuple[tuple[int, int], _Spread] | None = None

    @property
    def step(self) -> float | None:
        """The millivolts per unit of the samples; ``None`` if samples are sums of several stored values."""
        return self.block.nanovolts * 1e-6 if self.rate == 1 and self.reference is None else None

    def decode(self, i: int, lead: Lead) -> NDArray[np.float32]:
        """Return the samples of lead number ``i`` in millivolts."""
        spread = self._spread_of(lead, len(self.block.lead_bytes[i]))
        n = lead.n if spread is None else spread.n_stored
        stored = self.codes.decode(self.block.lead_bytes[i], n, self.block.differences, f"lead {lead.name}")
        row = stored.astype(np.float64) * (self.block.nanovolts * 1e-6)
        if spread is not None:
            row = spread.undo(row)
        if self.reference is not None:
            beat = _reference(self.reference, self.codes, i, self.located.length_ms)
            _add(row, lead, beat, self.subtracted, self.located.fiducial)
        return row.astype(np.float32)

    def _spread_of(self, lead: Lead, size: int) -> _Spread | None:
        """Return the positions of a lead's stored samples, or ``None`` if every sample is stored."""
        if self.rate == 1:
            return None
        # A stored sample takes at least one bit.
        if lead.n > 8 * size * self.rate:
            raise FormatError(f"says that lead {lead.name} has {lead.n} samples, which {size} bytes cannot hold.")
        if self._last is None or self._last[0] != (lead.first, lead.last):
            self._last = (lead.first, lead.last), _Spread(lead, self.zones, self.rate)
        return self._last[1]


def _together(leads: list[Lead], decoder: _Decoder, fs: float, n_bytes: int) -> Waveform:
    """Return the leads as one waveform, on a common time axis if they begin or end at different samples."""
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
    return join_waves(parts, n_bytes + _ALWAYS_ALLOWED // _MOST_SAMPLES_PER_BYTE)


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


class _Spread:
    """The positions of the stored samples of a lead, some of which represent ``rate`` samples each.

    Protected zones are stored at the full rate. Before, between and after them, blocks of ``rate`` samples are stored
    as their means, and the samples left over at the end of such a part are stored individually.
    """

    def __init__(self, lead: Lead, zones: NDArray[np.int64], rate: int) -> None:
        self.n = lead.n
        bounds = zones - max(lead.first, 1) + [0, 1]
        begins, ends = np.clip(bounds, 0, lead.n).T
        begins, ends = begins[ends > begins], ends[ends > begins]
        # Counted sample by sample, because zones may overlap.
        crossed = np.bincount(begins, minlength=lead.n + 1) - np.bincount(ends, minlength=lead.n + 1)
        kept = np.cumsum(crossed)[: lead.n] > 0
        # Parts begin where a zone ends, and end where one begins.
        edges = np.flatnonzero(np.diff(kept)) + 1
        starts = np.concatenate(([0], edges)) if lead.n else edges
        lengths = np.diff(np.append(starts, lead.n))
        at = np.arange(lead.n, dtype=np.int32) - np.repeat(starts, lengths).astype(np.int32)
        in_blocks = np.repeat(lengths // rate * rate, lengths).astype(np.int32)
        kept |= at >= in_blocks
        self.n_stored = int(np.count_nonzero(kept | (at % rate == 0)))
        stored = np.cumsum(kept | (at % rate == 0), dtype=np.int32) - 1
        # A line begins in the middle of its block; before the first middle and after the last there is no slope.
        known = kept | (at % rate == rate // 2) | (at == 0) | (at == in_blocks - 1)
        self._places = np.flatnonzero(known)
        self._stored = stored[known]

    def undo(self, stored: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all samples: straight lines between the means of blocks, all else as it is stored.

        Of the two samples in the middle of a block the later one has its mean: so do SCP-AV and the C# ECG Toolkit,
        which were both written from the standard.
        """
        row: NDArray[np.float64] = np.interp(np.arange(self.n), self._places, stored[self._stored])
        return row


def _reference(block: Block, codes: Codes, i: int, length_ms: int) -> NDArray[np.float64]:
    n = length_ms * 1000 // block.microseconds
    size = len(block.lead_bytes[i])
    if n > _MOST_SAMPLES_PER_BYTE * 2 * max(size, 1):
        raise FormatError(f"says that its reference beat has {n} samples, which {size} bytes cannot hold.")
    stored = codes.decode(block.lead_bytes[i], n, block.differences, "the reference beat")
    return stored.astype(np.float64) * (block.nanovolts * 1e-6)


def _add(
    row: NDArray[np.float64], lead: Lead, beat: NDArray[np.float64], subtracted: NDArray[np.int64], fiducial: int
) -> None:
    """Add the reference beat to every beat of its kind, aligned at the fiducials (clause 5.7.3).

    ``subtracted`` has the first sample, the fiducial and the last sample of each; ``fiducial`` is that of ``beat``.

    Raises:
        FormatError: if a lead has more beats than are possible.
    """
    # All are counted from 1.
    first, at, last = (subtracted - max(lead.first, 1)).T
    shifts = at - (fiducial - 1)
    begins = np.maximum(np.maximum(first, shifts), 0)
    ends = np.minimum(np.minimum(last + 1, shifts + beat.size), row.size)
    inside = np.flatnonzero(begins < ends)
    if inside.size > 1 + row.size // _LEAST_RR:
        raise FormatError(f"locates {inside.size} beats in {row.size} samples of lead {lead.name}.")
    for begin, end, shift in zip(begins[inside], ends[inside], shifts[inside], strict=True):
        row[begin:end] += beat[begin - shift : end - shift]
