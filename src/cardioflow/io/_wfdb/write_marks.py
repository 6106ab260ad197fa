"""Annotations to the bytes of the MIT format, annot(5)."""

from __future__ import annotations

from typing import Final

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.io._marks import CODES

__all__ = ["annotation_bytes"]


# The C library keeps the length of a text in one byte.
_LONGEST_TEXT: Final = 255
_NOTE: Final = CODES.index('"')
_SKIP, _NUM, _SUBTYPE, _CHANNEL, _TEXT = 59, 60, 61, 62, 63


def annotation_bytes(marks: Annotation) -> bytes:
    """Return marks as a file holds them; what is left of a text longer than 255 bytes follows in notes.

    Raises:
        InputError: when a file cannot hold them: more symbols of the caller's own than can be defined, numbers of more
            than a byte, marks too far apart.
    """
    _check_numbers(marks)
    codes, own = _codes_of(marks)
    out = bytearray()
    if own:
        for text in (
            "## annotation type definitions",
            *(f"{codes[symbol]} {symbol} {symbol}" for symbol in own),
            "## end of definitions",
        ):
            out += _word(_NOTE) + _text(text.encode())
    # Signals count from 0; among marks of single leads, one of no lead in particular is -1.
    channels = (marks.channel - 1) & 0xFF if marks.channel.any() else marks.channel
    before, channel, number = 0, 0, 0
    for at, symbol, note, chan, num, sub in zip(
        marks.sample.tolist(),
        marks.symbol.tolist(),
        marks.aux_note,
        channels.tolist(),
        marks.num.tolist(),
        marks.subtype.tolist(),
        strict=True,
    ):
        step = at - before
        if not 0 <= step < 1024:
            out += _skip(step, at)
            step = 0
        out += _word(codes[str(symbol)], step)
        before = at
        if sub:
            out += _word(_SUBTYPE, sub & 0xFF)
        # These two stay as they are until they change.
        if chan != channel:
            out += _word(_CHANNEL, chan)
            channel = chan
        if num != number:
            out += _word(_NUM, num & 0xFF)
            number = num
        first, *others = _pieces(note)
        out += _text(first)
        for piece in others:
            out += _word(_NOTE) + _text(piece)
    return bytes(out + b"\0\0")


def _check_numbers(marks: Annotation) -> None:
    for name, low, high in (("num", -128, 127), ("subtype", -128, 127), ("channel", 0, 255)):
        numbers = getattr(marks, name)
        outside = (numbers < low) | (numbers > high)
        if outside.any():
            raise InputError(f"A mark has {name} {numbers[outside][0]}; a WFDB annotation holds {low} to {high}.")


def _codes_of(marks: Annotation) -> tuple[dict[str, int], list[str]]:
    """Return the code of each symbol, and the symbols that the file has to define."""
    codes = {symbol: code for code, symbol in enumerate(CODES) if symbol != " "}
    own = sorted({str(s) for s in marks.symbol.tolist()} - set(codes))
    if len(own) > 8 or any(len(symbol.split()) != 1 for symbol in own):
        raise InputError(
            f"Marks have the symbols {own}; besides PhysioNet's codes a WFDB file can hold 8, without spaces."
        )
    # Codes 42 to 49 are free for definitions of the file's own.
    return {**codes, **{symbol: 42 + i for i, symbol in enumerate(own)}}, own


def _skip(step: int, at: int) -> bytes:
    if not -(2**31) <= step < 2**31:
        raise InputError(f"A mark at sample {at} lies {step} samples after the one before it; WFDB allows up to 2^31.")
    high, low = (step >> 16) & 0xFFFF, step & 0xFFFF
    return _word(_SKIP) + high.to_bytes(2, "little") + low.to_bytes(2, "little")


def _word(code: int, low: int = 0) -> bytes:
    return (code << 10 | low).to_bytes(2, "little")


def _pieces(note: str) -> list[bytes]:
    """Return a text in pieces that a file can hold, cut between characters; one, perhaps empty, at least."""
    pieces, left = list[bytes](), note.encode()
    while len(left) > _LONGEST_TEXT:
        whole = left[:_LONGEST_TEXT].decode(errors="ignore").encode()
        pieces.append(whole)
        left = left[len(whole) :]
    return [*pieces, left]


def _text(raw: bytes) -> bytes:
    return _word(_TEXT, len(raw)) + raw + bytes(len(raw) % 2) if raw else b""
