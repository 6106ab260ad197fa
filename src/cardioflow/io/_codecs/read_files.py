"""Many small files read, and many records decoded, in one call that holds no lock of the interpreter.

Each ``os.open`` and ``os.read`` gives the interpreter's lock away and waits for it again. With several threads, these
waits take longer than the reading. The kernels here call the C library themselves, once per batch.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import helper, kernel

__all__ = ["AVAILABLE", "MOST_BYTES", "Layouts", "read_and_scale", "read_heads"]

AVAILABLE: Final = os.name == "posix" and sys.maxsize > 2**32
"""Whether the C library is one whose calls these kernels know: POSIX, with 64-bit sizes."""
MOST_BYTES: Final = 1 << 20
"""The largest signal file that is read at once."""
_END: Final = 2
"""``SEEK_END``."""

# Found by name when the code is loaded, so that compiled code can be kept between processes.
_open: Any = types.ExternalFunction("open", types.int32(types.uintp, types.int32))
_read: Any = types.ExternalFunction("read", types.int64(types.int32, types.uintp, types.uintp))
_pread: Any = types.ExternalFunction("pread", types.int64(types.int32, types.uintp, types.uintp, types.int64))
_lseek: Any = types.ExternalFunction("lseek", types.int64(types.int32, types.int64, types.int32))
_close: Any = types.ExternalFunction("close", types.int32(types.int32))


def read_heads(names: NDArray[np.uint8], flags: int, slot: int, n: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the first ``slot`` bytes of each of ``n`` files, and how many each has.

    Args:
        names: The bytes of all paths, each with a zero byte at its end.
        flags: Of ``open``.
        slot: Bytes for each file.
        n: The number of files.

    Returns:
        ``n`` times ``slot`` bytes; and the bytes that were read of each file, -1 where it cannot be opened or read.
    """
    content, sizes = np.empty(n * slot, np.uint8), np.empty(n, np.int64)
    _read_heads(names, flags, slot, (names.ctypes.data, content.ctypes.data), sizes)
    return content, sizes


@kernel()
def _read_heads(names: Any, flags: int, slot: int, addresses: tuple[int, int], sizes: Any) -> None:
    name, begin = addresses
    at = 0
    for i in range(sizes.size):
        descriptor = _open(np.uintp(name + at), np.int32(flags))
        sizes[i] = -1
        if descriptor >= 0:
            sizes[i] = _read(descriptor, np.uintp(begin + i * slot), np.uintp(slot))
            _close(descriptor)
        at = _after(names, at)


class Layouts(NamedTuple):
    """The layouts of the files that are read together."""

    kinds: NDArray[np.int64]
    """Rows of format (16 or 212), samples per frame, offset in bytes, number of leads, where they begin in the other
    columns, and whether float32 is exact for them (see ``exact_in_float32``)."""
    places: NDArray[np.int64]
    """Where in a frame each lead stands."""
    baselines: NDArray[np.float64]
    """What is subtracted from each lead's samples."""
    divisors: NDArray[np.float64]
    """What they are divided by."""


def read_and_scale(  # noqa: PLR0917 -- as the kernel
    names: NDArray[np.uint8],
    flags: int,
    layouts: Layouts,
    kind_of: NDArray[np.int64],
    n_frames: NDArray[np.int64],
    checksums: NDArray[np.int64],
    out: NDArray[np.float32],
) -> NDArray[np.int64] | None:
    """Read one signal file per record, and write its leads one after another into ``out``, as ``scale`` does.

    Args:
        names: The bytes of the paths of all signal files, each with a zero byte at its end.
        flags: Of ``open``.
        layouts: The layouts that occur; no file is to have more than ``MOST_BYTES``.
        kind_of: Per record, the row of ``layouts.kinds`` that describes its file.
        n_frames: Per record, its length.
        checksums: Per lead of each record, the low 16 bits of its sum, or -1 where none is known.
        out: The leads of all records.

    Returns:
        Per record, 1 where its checksums agree, 0 where one does not, -1 where it has none. ``None`` when a file
        cannot be opened or is too short, which is then for the caller to find out.
    """
    packed, samples = empty(MOST_BYTES, np.uint8), empty(MOST_BYTES, np.int16)
    addresses = names.ctypes.data, packed.ctypes.data, samples.ctypes.data
    column, verdicts = empty(int(n_frames.max()), np.int16), np.empty(len(n_frames), np.int64)
    if not _read_and_scale(
        names, flags, addresses, *layouts, kind_of, n_frames, checksums, packed, samples, column, out, verdicts
    ):
        return None
    return verdicts


@kernel(error_model="numpy")
def _read_and_scale(  # noqa: PLR0917 -- a kernel's arguments are its data
    names: Any,
    flags: int,
    addresses: tuple[int, int, int],
    kinds: Any,
    places: Any,
    baselines: Any,
    divisors: Any,
    kind_of: Any,
    n_frames: Any,
    checksums: Any,
    packed: Any,
    samples: Any,
    column: Any,
    out: Any,
    verdicts: Any,
) -> bool:
    name, at_packed, at_samples = addresses
    at = begin = row = 0
    for i in range(n_frames.size):
        n = n_frames[i]
        fmt, width, offset, n_leads, first, is_narrow = kinds[kind_of[i]]
        count = n * width
        if fmt == 16:
            whole = _filled(name + at, flags, offset, 2 * count, at_samples)
            missing = np.int16(-32768)
        else:
            whole = _filled(name + at, flags, offset, count // 2 * 3 + count % 2 * 2, at_packed)
            missing = np.int16(-2048)
            if whole:
                _unpack_212(packed, samples, count)
        if not whole:
            return False
        verdicts[i] = -1
        for place in range(first, first + n_leads):
            own, lead = samples[places[place] :], out[begin : begin + n]
            if width > 1:
                # Side by side, the samples are converted several at a time; the division is most of the work.
                for t in range(n):
                    column[t] = own[t * width]
                own = column
            if is_narrow:
                total = _scaled_narrow(own, missing, baselines[place], divisors[place], lead)
            else:
                total = _scaled(own, missing, baselines[place], divisors[place], lead)
            if checksums[row] >= 0:
                agrees = (total & 0xFFFF) == checksums[row]
                verdicts[i] = 1 if agrees and verdicts[i] != 0 else 0
            row += 1
            begin += n
        at = _after(names, at)
    return True


@helper()
def _after(names: Any, at: int) -> int:
    """Return where the name after the one at ``at`` begins."""
    while names[at] != 0:
        at += 1
    return at + 1


@helper()
def _filled(name: int, flags: int, offset: int, need: int, to: int) -> bool:
    """Read ``need`` bytes from ``offset`` on; return whether the file can be opened and has them.

    ``name`` and ``to`` are addresses.
    """
    descriptor = _open(np.uintp(name), np.int32(flags))
    if descriptor < 0:
        return False
    got = 0
    if _lseek(descriptor, 0, np.int32(_END)) >= offset + need:
        while got < need:
            part = _pread(descriptor, np.uintp(to + got), np.uintp(need - got), offset + got)
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
def _scaled_narrow(samples: Any, missing: Any, baseline: float, divisor: float, lead: Any) -> Any:
    """Write ``samples`` in the arithmetic of float32, and return the sum of them."""
    nan, shift, by = np.float32(np.nan), np.float32(baseline), np.float32(divisor)
    total = np.int32(0)
    for t in range(lead.size):
        x = samples[t]
        total += np.int32(x)
        lead[t] = nan if x == missing else (np.float32(x) - shift) / by
    return total


@helper(error_model="numpy")
def _scaled(samples: Any, missing: Any, baseline: float, divisor: float, lead: Any) -> Any:
    """Do what ``_scaled_narrow`` does in float64, for baselines and divisors that float32 does not hold."""
    nan = np.float32(np.nan)
    total = np.int32(0)
    for t in range(lead.size):
        x = samples[t]
        total += np.int32(x)
        lead[t] = nan if x == missing else np.float32((x - baseline) / divisor)
    return total
