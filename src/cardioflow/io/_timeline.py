"""Parts of a recording, made at several times or of several leads, on one time line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cardioflow.errors import FormatError
from cardioflow.io._record import Waveform

__all__ = ["join_waves"]

# Twelve leads of 8 bit, recorded three at a time, make four samples of every byte: more is refused.
_MOST_SAMPLES_PER_BYTE = 4


def join_waves(parts: Sequence[tuple[float, Waveform]], n_bytes: int) -> Waveform:
    """Return ``parts``, each (begin in seconds, samples), on one time line from the first begin on.

    Simultaneous parts lie side by side; where a lead was not recorded is NaN. ``n_bytes`` is the file's size, which
    bounds how far apart they may lie.

    Raises:
        FormatError: when they have different rates or share a lead at one time, or lie too far apart.
    """
    if len(parts) == 1:
        return parts[0][1]
    rates = sorted({wave.fs for _, wave in parts})
    if len(rates) != 1 or rates[0] <= 0:
        raise FormatError(f"holds parts of different sampling rates: {', '.join(f'{r:g}' for r in rates)} Hz.")
    fs = rates[0]
    first = min(begin for begin, _ in parts)
    starts = [(begin - first) * fs for begin, _ in parts]
    length = max(start + wave.signal.shape[1] for start, (_, wave) in zip(starts, parts, strict=True))
    leads = list(dict.fromkeys(name for _, wave in parts for name in wave.names))
    # NaN is neither larger nor smaller, and must not get through.
    if not np.isfinite(starts).all() or not length * len(leads) <= _MOST_SAMPLES_PER_BYTE * n_bytes:
        raise FormatError(f"holds parts too far apart in time: together they would last {length / fs:g} s.")
    whole = np.full((len(leads), round(length)), np.nan, np.float32)
    units = dict.fromkeys(leads, "mV")
    for start, (_, wave) in zip(starts, parts, strict=True):
        for row, name, unit in zip(wave.signal, wave.names, wave.units or ("mV",) * len(wave.names), strict=True):
            place = whole[leads.index(name), round(start) : round(start) + row.size]
            if not np.isnan(place).all():
                raise FormatError(f"holds lead {name!r} twice at one time.")
            place[:] = row[: place.size]
            units[name] = unit
    return Waveform(whole, fs, tuple(leads), tuple(units.values()))
