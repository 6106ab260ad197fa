"""Everything that the value of a heart rate variability depends on, besides the intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self, final, get_args

import numpy as np

from cardioflow.errors import InputError, nearest

__all__ = ["HrvSettings", "Spectrum"]

Spectrum = Literal["welch", "lomb"]
Detrend = Literal["constant", "linear", "smoothness_priors"]
Whole = Literal["intervals", "differences"]
Preset = Literal["taskforce", "kubios"]

_ABOVE_ZERO: Final = (
    "shortest_ms", "longest_ms", "most_change", "interpolation_hz", "window_s", "smoothness", "vlf_hz", "lf_hz",
    "hf_hz", "entropy_r",
)  # fmt: skip


@final
@dataclass(frozen=True)
class HrvSettings:
    """The settings of ``calc_hrv``; each stands in its result.

    ``taskforce`` has the definitions of the Task Force 1996 (Circulation 93:1043), ``kubios`` the
    defaults of Kubios HRV as its user's guide gives them. The Task Force leaves the window, the interpolation and
    the detrending open; the values here are common ones.
    """

    shortest_ms: float = 300.0
    """Shorter intervals are artefacts."""
    longest_ms: float = 2000.0
    """Longer ones are pauses or missed beats."""
    most_change: float = 0.2
    """The largest relative deviation from the median of the five intervals around; 0.2 is usual."""
    spectrum: Spectrum = "welch"
    interpolation_hz: float = 4.0
    """The rate to which the intervals are interpolated by a cubic spline, for Welch's method."""
    window_s: float = 300.0
    """Welch's window (Hann, half overlapping); a shorter series is one window."""
    detrend: Detrend = "linear"
    smoothness: float = 500.0
    """λ of smoothness priors (Tarvainen 2002)."""
    ulf_hz: float = 0.003
    """Where VLF begins: power below counts as ULF in recordings of a day, and to VLF in shorter ones."""
    vlf_hz: float = 0.04
    lf_hz: float = 0.15
    hf_hz: float = 0.4
    """Where VLF, LF and HF end."""
    pnn50_of: Whole = "intervals"
    """What NN50 is divided by."""
    entropy_m: int = 2
    entropy_r: float = 0.2
    """The tolerance of sample entropy, as a share of SDNN."""

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return the settings ``name`` with ``changes``.

        Raises:
            InputError: when there is no such preset or setting.
        """
        if name not in get_args(Preset):
            raise InputError(f"calc_hrv(preset={name!r}) is not one of {', '.join(map(repr, get_args(Preset)))}.")
        own = cls()
        if name == "kubios":
            own = cls(detrend="smoothness_priors", pnn50_of="differences")
        for key in changes:
            if key not in cls.__dataclass_fields__:
                raise InputError(f"calc_hrv() takes no setting {key!r}. {nearest(key, cls.__dataclass_fields__)}")
        return replace(own, **changes)

    def __post_init__(self) -> None:
        for name in ("spectrum", "detrend", "pnn50_of"):
            known = {"spectrum": get_args(Spectrum), "detrend": get_args(Detrend), "pnn50_of": get_args(Whole)}[name]
            if getattr(self, name) not in known:
                raise InputError(
                    f"calc_hrv({name}={getattr(self, name)!r}) is not one of {', '.join(map(repr, known))}."
                )
        for name in _ABOVE_ZERO:
            value = getattr(self, name)
            is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not is_number or not 0 < value < math.inf:
                raise InputError(f"calc_hrv({name}={value!r}) is not a finite number above 0.")
        whole = isinstance(self.entropy_m, (int, np.integer)) and not isinstance(self.entropy_m, bool)
        if not whole or self.entropy_m < 1:
            raise InputError(f"calc_hrv(entropy_m={self.entropy_m!r}) is not an integer of at least 1.")
        if not 0 < self.shortest_ms < self.longest_ms:
            raise InputError(
                f"calc_hrv(shortest_ms={self.shortest_ms!r}, longest_ms={self.longest_ms!r}) are not in order. "
                "Pass milliseconds, the shorter first."
            )
        if not 0 <= self.ulf_hz < self.vlf_hz < self.lf_hz < self.hf_hz <= self.interpolation_hz / 2:
            raise InputError(
                "calc_hrv(ulf_hz, vlf_hz, lf_hz, hf_hz) do not rise from 0 to half of interpolation_hz. "
                "The Task Force's are 0.003, 0.04, 0.15 and 0.4 Hz."
            )
