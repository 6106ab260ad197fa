"""Many small files read, and many records decoded, in one call that holds no lock of the interpreter.

Each ``os.open`` and ``os.read`` gives the interpreter's lock away and waits for it again. With several threads, these
waits take longer than the reading. The kernels here call the C library themselves, once per batch.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import numpy as np
from numba import types

from cardioflow.core.compiled import helper, kernel

__all__ = ["AVAILABLE", "MOST_BYTES", "read_and_scale", "read_heads"]

AVAILABLE: Final = os.name == "posix" and sys.maxsize > 2**32
"""Whether the C library is one whose calls these kernels know: POSIX, with 64-bit sizes."""
MOST_BYTES: Final = 1 << 20
"""The largest signal file that is read at once."""
_END: Final = 2
"""``SEEK_END``."""

# Found by name when the code is loaded, so that compiled code can be kept between processes.
_open: Any = types.ExternalFunction("open", types.int32(types.voidptr, types.int32))
_read: Any = types.ExternalFunction("read", types.int64(types.int32, types.voidptr, types.uint64))
_pread: Any = types.ExternalFunction("pread", types.int64(types.int32, types.voidptr, types.uint64, types.int64))
_lseek: Any = types.ExternalFunction("lseek", types.int64(types.int32, types.int64, types.int32))
_close: Any = types.ExternalFunction("close", types.int32(types.int32))


@kernel()
def read_heads(names: Any, flags: int, slot: int, out: Any, sizes: Any) -> None:
    """Read the first ``slot`` bytes of each file into its own part of ``out``.

    Args:
        names: The bytes of all paths, each with a zero byte at its end.
        flags: Of ``open``.
        slot: The bytes of ``out`` for each file.
        out: Bytes, ``slot`` for each file.
        sizes: Is set to the bytes that were read of each file, and to -1 for one that cannot be opened or read.
    """
    at = 0
    for i in range(sizes.size):
        descriptor = _open(names[at:].ctypes, np.int32(flags))
        sizes[i] = -1
        if descriptor >= 0:
            sizes[i] = _read(descriptor, out[i * slot :].ctypes, np.uint64(slot))
            _close(descriptor)
        while names[at] != 0:
            at += 1
        at += 1


@kernel(error_model="numpy")
def read_and_scale(  # noqa: PLR0917 -- a kernel's arguments are its data
    names: Any,
    flags: int,
    kind_of: Any,
    n_frames: Any,
    kinds: Any,
    places: Any,
    baselines: Any,
    divisors: Any,
    checksums: Any,
    scratch: Any,
    out: Any,
    verdicts: Any,
) -> bool:
    """Read one signal file per record, and write its leads one after another into ``out``, as ``scale`` does.

    Args:
        names: The bytes of the paths of all signal files, each with a zero byte at its end.
        flags: Of ``open``.
        kind_of: Per record, the row of ``kinds`` that describes its file.
        n_frames: Per record, its length.
        kinds: Rows of format (16 or 212), samples per frame, offset in bytes, number of leads, where they begin in
            the next three, and whether float32 is exact for them (see ``exact_in_float32``).
        places: Where in a frame each lead stands.
        baselines: What is subtracted from each lead's samples.
        divisors: What they are divided by.
        checksums: Per lead of each record, the low 16 bits of its sum, or -1 where none is known.
        scratch: ``MOST_BYTES`` as bytes, the same as 16-bit integers, and 16-bit integers for as many bytes again.
        out: The leads of all records.
        verdicts: Is set, per record, to 1 where its checksums agree, 0 where one does not, -1 where it has none.

    Returns:
        Whether all files were read. If not, there is something about one of them that the caller is to find out.
    """
    raw, words, unpacked = scratch
    at = begin = row = 0
    for i in range(n_frames.size):
        n = n_frames[i]
        fmt, width, offset, n_leads, first, is_narrow = kinds[kind_of[i]]
        count = n * width
        need = 2 * count if fmt == 16 else count // 2 * 3 + count % 2 * 2
        if not _filled(names[at:], flags, offset, need, raw):
            return False
        if fmt != 16:
            _unpack_212(raw, unpacked, count)
        samples, missing = (words, np.int16(-32768)) if fmt == 16 else (unpacked, np.int16(-2048))
        verdicts[i] = -1
        for j in range(n_leads):
            place, lead = first + j, out[begin : begin + n]
            if is_narrow:
                total = _scaled_narrow(samples, width, places[place], missing, baselines[place], divisors[place], lead)
            else:
                total = _scaled(samples, width, places[place], missing, baselines[place], divisors[place], lead)
            known = checksums[row]
            if known >= 0:
                agrees = (total & 0xFFFF) == known
                verdicts[i] = 1 if agrees and verdicts[i] != 0 else 0
            row += 1
            begin += n
        while names[at] != 0:
            at += 1
        at += 1
    return True


@helper()
def _filled(name: Any, flags: int, offset: int, need: int, raw: Any) -> bool:
    """Read ``need`` bytes from ``offset`` on; return whether the file can be opened and has them."""
    descriptor = _open(name.ctypes, np.int32(flags))
    if descriptor < 0:
        return False
    got = 0
    if _lseek(descriptor, 0, np.int32(_END)) >= offset + need:
        while got < need:
            part = _pread(descriptor, raw[got:].ctypes, np.uint64(need - got), offset + got)
            if part <= 0:
                break
            got += part
    _close(descriptor)
    return got == need


@helper()
def _unpack_212(raw: Any, samples: Any, count: int) -> None:
    """Two samples of 12 bits in three bytes: low byte, both high nibbles, low byte; the last may be alone."""
    for i in range(count // 2):
        middle = np.int32(raw[3 * i + 1])
        samples[2 * i] = np.int16(((np.int32(raw[3 * i]) | (middle & 0x0F) << 8) ^ 0x800) - 0x800)
        samples[2 * i + 1] = np.int16(((np.int32(raw[3 * i + 2]) | (middle & 0xF0) << 4) ^ 0x800) - 0x800)
    if count % 2:
        last = count // 2 * 3
        low = np.int32(raw[last]) | (np.int32(raw[last + 1]) & 0x0F) << 8
        samples[count - 1] = np.int16((low ^ 0x800) - 0x800)


@helper(error_model="numpy")
def _scaled_narrow(  # noqa: PLR0917 -- as read_and_scale
    samples: Any, width: int, place: int, missing: Any, baseline: float, divisor: float, lead: Any
) -> Any:
    """Write every ``width``-th sample from ``place`` on, in the arithmetic of float32; return the sum of them."""
    nan, shift, by = np.float32(np.nan), np.float32(baseline), np.float32(divisor)
    total = np.int32(0)
    if width == 1:
        for t in range(lead.size):
            x = samples[t]
            total += np.int32(x)
            lead[t] = nan if x == missing else (np.float32(x) - shift) / by
    else:
        for t in range(lead.size):
            x = samples[t * width + place]
            total += np.int32(x)
            lead[t] = nan if x == missing else (np.float32(x) - shift) / by
    return total


@helper(error_model="numpy")
def _scaled(  # noqa: PLR0917 -- as read_and_scale
    samples: Any, width: int, place: int, missing: Any, baseline: float, divisor: float, lead: Any
) -> Any:
    """Do what ``_scaled_narrow`` does in float64, for baselines and divisors that float32 does not hold."""
    nan = np.float32(np.nan)
    total = np.int32(0)
    for t in range(lead.size):
        x = samples[t * width + place]
        total += np.int32(x)
        lead[t] = nan if x == missing else np.float32((x - baseline) / divisor)
    return total
