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
# Unless it is small: ten seconds of twelve leads, decimated by four behind a reference beat, have six samples a byte.
_ALWAYS_ALLOWED = 1 << 18
# The C# ECG Toolkit refuses more too.
_MOST_DECIMATED = 4
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
    # From version 3 on, which has no bimodal compression, the byte that tells of it means nothing.
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
    """Return by what the rhythm was decimated: section 5 has the rate of the recording (clause 5.9.3).

    Raises:
        FormatError: when it is not a whole number up to four.
    """
    rate = round(block.microseconds / reference.microseconds)
    # Intervals are whole microseconds: those of 300 Hz and of a fourth of it are 3333 and 13333.
    if not 1 <= rate <= _MOST_DECIMATED or abs(block.microseconds - rate * reference.microseconds) > rate:
        raise FormatError(
            f"samples its rhythm every {block.microseconds} µs and its reference beat every {reference.microseconds}; "
            f"expected a multiple, of {_MOST_DECIMATED} at most."
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
        """First and last sample of where every sample is stored although the rest is decimated."""
        # Leads have the same begin and end but for rare ones.
        self._last: tuple[tuple[int, int], _Spread] | None = None

    @property
    def step(self) -> float | None:
        """Millivolts that all samples are whole numbers of; ``None`` where they are put together of several."""
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
        """Return how the stored samples of a lead lie, or ``None`` when every sample is stored."""
        if self.rate == 1:
            return None
        # A stored sample takes a bit at least.
        if lead.n > 8 * size * self.rate:
            raise FormatError(f"says that lead {lead.name} has {lead.n} samples, which {size} bytes cannot hold.")
        if self._last is None or self._last[0] != (lead.first, lead.last):
            self._last = (lead.first, lead.last), _Spread(lead, self.zones, self.rate)
        return self._last[1]


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
    """Where the stored samples of a lead lie, of which a part stands for ``rate`` samples each.

    Protected zones are stored whole. Between them, and before and behind, blocks are stored by their means, and what
    is left over for no block at a part's end is stored whole again.
    """

    def __init__(self, lead: Lead, zones: NDArray[np.int64], rate: int) -> None:
        self.n = lead.n
        bounds = zones - max(lead.first, 1) + [0, 1]
        begins, ends = np.clip(bounds, 0, lead.n).T
        begins, ends = begins[ends > begins], ends[ends > begins]
        # From sample to sample, zones before an end or after another may overlap.
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
    """Add the reference beat to every beat of its kind, fiducial upon fiducial (clause 5.7.3).

    ``subtracted`` has first sample, fiducial and last sample of each, ``fiducial`` is that of ``beat``.

    Raises:
        FormatError: when more beats lie in a lead than can.
    """
    # All count from 1.
    first, at, last = (subtracted - max(lead.first, 1)).T
    shifts = at - (fiducial - 1)
    begins = np.maximum(np.maximum(first, shifts), 0)
    ends = np.minimum(np.minimum(last + 1, shifts + beat.size), row.size)
    inside = np.flatnonzero(begins < ends)
    if inside.size > 1 + row.size // _LEAST_RR:
        raise FormatError(f"locates {inside.size} beats in {row.size} samples of lead {lead.name}.")
    for begin, end, shift in zip(begins[inside], ends[inside], shifts[inside], strict=True):
        row[begin:end] += beat[begin - shift : end - shift]
