"""What is whole of a damaged EDF or BDF file, for those who ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from cardioflow.errors import FormatError
from cardioflow.io._edf.header import Header

__all__ = ["timed", "whole_part"]

_SAME_S: Final = 1e-4
"""Times of data records are written with at most a few decimals."""


def whole_part(header: Header, size: int) -> tuple[Header, tuple[str, ...]]:
    """Return the header of the data records that are whole in a file of ``size`` bytes, and what was left out.

    Raises:
        FormatError: when none is.
    """
    damage = [
        f"the signal {s.label!r} was left out: its range is {s.physical[0]:g} to {s.physical[1]:g} for the digital "
        f"{s.digital[0]} to {s.digital[1]}"
        for s in header.signals
        if not s.is_annotation and s.per_record and not s.has_scale
    ]
    if not header.bytes_per_record:
        raise FormatError("says that its data records have no samples.")
    holds = (size - header.n_bytes) // header.bytes_per_record
    if header.n_records < 0:
        return replace(header, n_records=holds), tuple(damage)
    if holds < header.n_records:
        if holds <= 0:
            raise FormatError("was cut before its first data record ends, so nothing of it is whole.")
        damage.append(f"data records {holds} to {header.n_records - 1} of {header.n_records} are missing")
    return replace(header, n_records=min(holds, header.n_records)), tuple(damage)


def timed(header: Header, begins: Sequence[float | None], damage: tuple[str, ...]) -> tuple[Header, dict[str, Any]]:
    """Return a header whose data records last as long as it takes from one to the next, and what ``meta`` says of it.

    The times are those that annotations tell (clause 2.2.4). Where they are
    missing or differ, the duration stays 0.
    """
    told = "its data records are said to last 0 s"
    known = [begin for begin in begins if begin is not None]
    steps = np.diff(np.array(known, np.float64)) if len(known) == len(begins) > 1 else np.empty(0)
    if not steps.size or steps.min() <= 0 or np.ptp(steps) > _SAME_S:
        return header, {"damage": (*damage, f"{told}, so the rate is unknown, and the signals were left out")}
    duration = float(np.round((known[-1] - known[0]) / steps.size, 9))
    source = {"fs_source": "times of the data records"}
    return replace(header, duration_s=duration), {
        "damage": (*damage, f"{told}; their times say {duration:g} s"),
        **source,
    }
