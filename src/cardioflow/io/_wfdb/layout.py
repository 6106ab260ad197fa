"""What follows from the kinds of a record's signals: units, leads, and which samples lie where in which file.

It is the same for all records of most data sets, so it is worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import resolve, standard_name
from cardioflow.batch.units import is_unknown, per_millivolt
from cardioflow.errors import FormatError, InputError
from cardioflow.io._codecs.unpack import BLOCKS, MISSING, exact_in_float32, n_bytes
from cardioflow.io._wfdb.header import Kind, Signal

__all__ = ["FLAC", "Calibration", "Choice", "SignalFile", "calibration", "choose", "groups", "signal_files"]

FLAC: Final = (508, 516, 524)
_WIDEST: Final = 1 << 20
# Below all 32 bits: in format 8 no sample is missing.
_NEVER: Final = -(2**31)


class Calibration(NamedTuple):
    """How the numbers of some signals become millivolts."""

    baselines: NDArray[np.float64]
    divisors: NDArray[np.float64]
    units: tuple[str, ...]
    narrow: tuple[NDArray[np.float32], NDArray[np.float32]] | None
    """Both in float32, where that gives the same results for 16-bit samples."""

    def of(self, samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return baselines and divisors in the arithmetic that suits ``samples``."""
        if self.narrow is not None and samples.dtype.itemsize <= 2:
            return self.narrow
        return self.baselines, self.divisors


@lru_cache(maxsize=512)
def calibration(lines: tuple[tuple[float, int, str], ...]) -> Calibration:
    """Return what turns the samples of signals of (gain, baseline, unit) into millivolts, or into their own unit."""
    baselines = np.array([baseline for _, baseline, _ in lines], np.float64)
    divisors = np.array([gain * (per_millivolt(unit) or 1.0) for gain, _, unit in lines], np.float64)
    narrow = None
    if exact_in_float32(baselines, divisors):
        narrow = baselines.astype(np.float32), divisors.astype(np.float32)
    return Calibration(baselines, divisors, tuple("mV" if per_millivolt(unit) else unit for *_, unit in lines), narrow)


def _calibration_of(kinds: tuple[Kind, ...]) -> Calibration:
    return calibration(tuple((kind.gain, kind.baseline, kind.units) for kind in kinds))


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """The signals that are asked for."""

    numbers: tuple[int, ...]
    """Which of the record's signals, in the order asked for."""
    leads: tuple[str, ...]
    all_leads: tuple[str, ...]
    units: tuple[str, ...]
    rates: tuple[int, ...]
    """The different numbers of samples per frame among them, rising."""
    laws: tuple[tuple[str, tuple[int, int, int], float], ...]
    """The laws that limb leads among them must obey: key in ``meta``, rows, sign of the second."""
    limbs: tuple[int, ...]
    """The rows of I and II, and of V6 if it is there, by which swapped electrodes show; empty without I and II."""
    meta: dict[str, Any]


@lru_cache(maxsize=1024)
def choose(kinds: tuple[Kind, ...], channels: tuple[str | int, ...] | None) -> Choice:
    """Return the signals that ``channels`` names, all when it is ``None``.

    Raises:
        FormatError: when one is not there, is there twice, or is named twice.
    """
    names = tuple(standard_name(kind.name) for kind in kinds)
    try:
        numbers = tuple(range(len(kinds))) if channels is None else resolve(names, channels)
    except InputError as error:
        raise FormatError(str(error)) from error
    some = tuple(kinds[i] for i in numbers)
    leads = tuple(names[i] for i in numbers)
    meta = {
        "signame": tuple(kind.name for kind in some),
        "adc_gain": tuple(kind.gain for kind in some),
        "adc_units": tuple(kind.units for kind in some),
        "baseline": tuple(kind.baseline for kind in some),
        "fmt": tuple(str(kind.fmt) for kind in some),
        "uncalibrated": any(not kind.calibrated or is_unknown(kind.units) for kind in some),
        "uncalibrated_leads": tuple(lead for lead, kind in zip(leads, some, strict=True) if not kind.calibrated),
    }
    units = _calibration_of(some).units
    rates = tuple(sorted({kind.per_frame for kind in some}))
    return Choice(numbers, leads, names, units, rates, _laws(leads, units), _limbs(leads, units), meta)


def _laws(leads: tuple[str, ...], units: tuple[str, ...]) -> tuple[tuple[str, tuple[int, int, int], float], ...]:
    """Return Einthoven's and Goldberger's laws, each where its three leads are there once, in millivolts."""
    laws = (("einthoven_rms", ("I", "II", "III"), -1.0), ("goldberger_rms", ("aVR", "aVL", "aVF"), 1.0))
    found = []
    for key, three, sign in laws:
        if all(_is_one(lead, leads, units) for lead in three):
            first, second, third = (leads.index(lead) for lead in three)
            found.append((key, (first, second, third), sign))
    return tuple(found)


def _limbs(leads: tuple[str, ...], units: tuple[str, ...]) -> tuple[int, ...]:
    if not all(_is_one(lead, leads, units) for lead in ("I", "II")):
        return ()
    return tuple(leads.index(lead) for lead in ("I", "II", "V6") if _is_one(lead, leads, units))


def _is_one(lead: str, leads: tuple[str, ...], units: tuple[str, ...]) -> bool:
    return leads.count(lead) == 1 and units[leads.index(lead)] == "mV"


@dataclass(frozen=True, eq=False, slots=True)
class SignalFile:
    """One signal file: which signals lie in it, interleaved in frames, and which of them are asked for."""

    members: tuple[int, ...]
    """The numbers of its signals."""
    columns: tuple[int, ...]
    """Where in a frame each of them begins."""
    width: int
    """Samples in a frame."""
    fmt: int
    offset: int
    missing: int
    skew: int
    """How many frames the most delayed of the chosen signals is late."""
    rows: tuple[int, ...]
    """Where the chosen signals go in the result."""
    places: NDArray[np.int64]
    """Where in a frame the chosen signals begin."""
    skews: NDArray[np.int64]
    known: Calibration
    is_pairs_212: bool
    """Whether it is the commonest of long records: format 212, two signals of one rate, none delayed."""

    def frames_in(self, size: int) -> int:
        """Return how many whole frames a file of ``size`` bytes can hold."""
        samples, block = BLOCKS[self.fmt]
        whole, rest = divmod(max(size - self.offset, 0), block)
        partial = next((k for k in range(samples - 1, 0, -1) if n_bytes(self.fmt, k) <= rest), 0)
        return (whole * samples + partial) // self.width

    def size_of(self, n_frames: int) -> int:
        """Return how many bytes a file of ``n_frames`` has at least."""
        return self.offset + n_bytes(self.fmt, n_frames * self.width)


def groups(signals: tuple[Signal, ...]) -> tuple[int, ...]:
    """Return for each signal the number of the first one in the same file."""
    first: dict[str, int] = {}
    return tuple([first.setdefault(signal.file, i) for i, signal in enumerate(signals)])


@lru_cache(maxsize=1024)
def signal_files(kinds: tuple[Kind, ...], places: tuple[int, ...], chosen: tuple[int, ...]) -> tuple[SignalFile, ...]:
    """Return the files that hold the ``chosen`` signals; ``places`` tells which signals share a file, as ``groups``.

    Raises:
        FormatError: when signals in one file have different formats, or none that is known.
    """
    members: dict[int, list[int]] = {}
    for i, first in enumerate(places):
        members.setdefault(first, []).append(i)
    rows: dict[int, list[int]] = {}
    for row, i in enumerate(chosen):
        rows.setdefault(places[i], []).append(row)
    return tuple(
        _signal_file(kinds, tuple(own), chosen, tuple(rows[first])) for first, own in members.items() if first in rows
    )


def _signal_file(
    kinds: tuple[Kind, ...], members: tuple[int, ...], chosen: tuple[int, ...], rows: tuple[int, ...]
) -> SignalFile:
    head = kinds[members[0]]
    columns: list[int] = []
    width = 0
    for i in members:
        kind = kinds[i]
        if (kind.fmt, kind.byte_offset) != (head.fmt, head.byte_offset):
            raise FormatError(
                f"gives signals {members[0]} and {i}, which lie in one file, different formats or byte offsets: "
                f"{head.fmt}+{head.byte_offset} and {kind.fmt}+{kind.byte_offset}."
            )
        columns.append(width)
        width += kind.per_frame
    if head.fmt == 0:
        raise FormatError(
            "describes signals but has no samples of them: it is the layout segment of another record. "
            "Read the record that names it."
        )
    if head.fmt not in BLOCKS and head.fmt not in FLAC:
        raise FormatError(
            f"has signal {members[0]} in the signal format {head.fmt}, which is not known. "
            f"Known are {', '.join(map(str, (*BLOCKS, *FLAC)))}."
        )
    if not 0 < width < _WIDEST or not all(kinds[i].per_frame for i in members):
        raise FormatError(f"has a signal of 0 samples per frame, or {width} in all; expected 1 or more of each.")
    some = [chosen[row] for row in rows]
    place = dict(zip(members, columns, strict=True))
    return SignalFile(
        members,
        tuple(columns),
        width,
        head.fmt,
        head.byte_offset,
        MISSING.get(head.fmt, _NEVER),
        max(kinds[i].skew for i in some),
        rows,
        np.array([place[i] for i in some], np.int64),
        np.array([kinds[i].skew for i in some], np.int64),
        _calibration_of(tuple(kinds[i] for i in some)),
        head.fmt == 212 and len(members) == 2 and width == 2 and not any(kinds[i].skew for i in some),
    )
