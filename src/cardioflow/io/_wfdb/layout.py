"""Which signals lie in which file of a record, and how many bytes their samples take."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.unpack import BLOCKS, exact_in_float32, n_bytes
from cardioflow.errors import FormatError
from cardioflow.io._wfdb.header import Header

__all__ = ["FLAC", "Calibration", "SignalFile", "calibration", "signal_files"]

FLAC: Final = (508, 516, 524)

# Per unit of a voltage: how many of it are a millivolt. Small and capital letters are mixed up in the field.
_PER_MV: Final = {
    **dict.fromkeys(("mV", "mv", "MV", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uV", "uv", "UV", "µV", "μV", "microvolt", "microvolts"), 1e3),
    **dict.fromkeys(("nV", "nv", "NV"), 1e6),
    **dict.fromkeys(("V", "v", "volt", "volts"), 1e-3),
}


class Calibration(NamedTuple):
    """How the numbers of some signals become millivolts."""

    baselines: NDArray[np.float64]
    divisors: NDArray[np.float64]
    units: tuple[str, ...]
    narrow: tuple[NDArray[np.float32], NDArray[np.float32]] | None
    """Both in float32, where that gives the same results for 16-bit samples."""

    def take(self, rows: list[int]) -> Calibration:
        """Return the calibration of the signals at ``rows``."""
        narrow = None if self.narrow is None else (self.narrow[0][rows], self.narrow[1][rows])
        return Calibration(self.baselines[rows], self.divisors[rows], tuple(self.units[i] for i in rows), narrow)


@lru_cache(maxsize=512)
def calibration(lines: tuple[tuple[float, int, str], ...]) -> Calibration:
    """Return what turns the samples of signals of (gain, baseline, unit) into millivolts, or into their own unit."""
    baselines = np.array([baseline for _, baseline, _ in lines], np.float64)
    divisors = np.array([gain * _PER_MV.get(unit, 1.0) for gain, _, unit in lines], np.float64)
    narrow = None
    if exact_in_float32(baselines, divisors):
        narrow = baselines.astype(np.float32), divisors.astype(np.float32)
    return Calibration(baselines, divisors, tuple("mV" if unit in _PER_MV else unit for *_, unit in lines), narrow)


class SignalFile(NamedTuple):
    """One signal file: which signals lie in it, interleaved in frames."""

    name: str
    fmt: int
    offset: int
    members: tuple[int, ...]
    columns: tuple[int, ...]
    """Where in a frame each member begins."""
    width: int
    """Samples in a frame."""

    def frames_in(self, size: int) -> int:
        """Return how many whole frames a file of ``size`` bytes can hold."""
        samples, block = BLOCKS[self.fmt]
        whole, rest = divmod(max(size - self.offset, 0), block)
        partial = next((k for k in range(samples - 1, 0, -1) if n_bytes(self.fmt, k) <= rest), 0)
        return (whole * samples + partial) // self.width

    def size_of(self, n_frames: int) -> int:
        """Return how many bytes a file of ``n_frames`` has at least."""
        return self.offset + n_bytes(self.fmt, n_frames * self.width)


def signal_files(header: Header, path: str) -> list[SignalFile]:
    """Return the signal files of the header at ``path``, checked to be of one known format each."""
    signals = header.signals
    members: dict[str, list[int]] = {}
    for i, signal in enumerate(signals):
        members.setdefault(signal.file, []).append(i)
    files = []
    for name, inside in members.items():
        first = signals[inside[0]]
        columns = []
        width = 0
        for i in inside:
            signal = signals[i]
            if signal.fmt != first.fmt or signal.byte_offset != first.byte_offset:
                raise FormatError(
                    f"{path} gives the signals in {name!r} different formats or byte offsets ({first.fmt}+"
                    f"{first.byte_offset} and {signal.fmt}+{signal.byte_offset}); all in one file must have the same."
                )
            columns.append(width)
            width += signal.per_frame
        if name == "~":
            raise FormatError(
                f"{path} describes signals but has no samples of them: it is the layout segment of another record. "
                "Read the record that names it."
            )
        if first.fmt not in BLOCKS and first.fmt not in FLAC:
            raise FormatError(
                f"{path}: {name!r} is in signal format {first.fmt}, which is not known. "
                f"Known are {', '.join(map(str, (*BLOCKS, *FLAC)))}."
            )
        if not 0 < width < _WIDEST or not all(signals[i].per_frame for i in inside):
            raise FormatError(
                f"{path} gives {name!r} {width} samples per frame, 0 of some signal; expected 1 or more of each."
            )
        files.append(SignalFile(name, first.fmt, first.byte_offset, tuple(inside), tuple(columns), width))
    return files


_WIDEST: Final = 1 << 20
