"""Units of channels: which texts are voltages, in all spellings of the field, and which tell no unit at all."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["UNKNOWN_UNITS", "is_unknown", "millivolts_per", "per_millivolt", "standard_unit"]

UNKNOWN_UNITS: Final = ("adu", "unknown")
"""What stands for the unit of bare numbers: steps of a converter, and where nothing at all is said."""

# Millivolts per unit and units per millivolt: both exact, where a quotient of one of them would be rounded.
_VOLTAGES: Final = {"V": (1e3, 1e-3), "mV": (1.0, 1.0), "uV": (1e-3, 1e3), "nV": (1e-6, 1e6), "pV": (1e-9, 1e9)}

# Small and capital letters are mixed up in the field: nothing in an ECG is megavolts. "mkV" and Cyrillic letters are
# from Russian devices. Eight letters of an EDF header cut "microvolt" and "millivolts" short.
_PREFIXES: Final = {
    "": "V",
    **dict.fromkeys(("m", "milli", "м"), "mV"),
    **dict.fromkeys(("u", "μ", "micro", "mikro", "mk", "мк"), "uV"),
    **dict.fromkeys(("n", "nano", "н"), "nV"),
    **dict.fromkeys(("p", "pico", "п"), "pV"),
}
_SPELLED: Final = re.compile(r"(\w*?)(?:v|в|vo|vol|volts?)", re.IGNORECASE)
# How a micro sign looks that was written in one encoding and read in another: UTF-8 (of both micro signs), code page
# 850 and ISO 8859-7, each read as Latin-1. V has no other prefix outside ASCII.
_MICRO: Final = re.compile("Âµ|Î¼|µ|μ|Μ|æ|ì", re.IGNORECASE)
# A micro sign that some program replaced by a dot or the like.
_LOST_PREFIX: Final = re.compile(r"[\W_]+v(?:olts?)?")
_BETWEEN: Final = re.compile(r"(?<=\w)[\s_.\-]+")

_NO_UNIT: Final = frozenset(
    {"", "adu", "unknown", "count", "counts", "digit", "digits", "lsb", "bit", "bits", "raw", "none", "n/a", "na"}
    | {"au", "a.u.", "adc", "ad", "u", "μ", "m"}
)


def millivolts_per(unit: str) -> float | None:
    """Return how many millivolts one of ``unit`` is, in any spelling of V, mV, µV, nV; ``None`` if it is not a voltage.

    >>> millivolts_per("uV"), millivolts_per("MICROVOLTS"), millivolts_per("mmHg")
    (0.001, 0.001, None)
    """
    found = _VOLTAGES.get(standard_unit(unit))
    return None if found is None else found[0]


def per_millivolt(unit: str) -> float | None:
    """Return how many of ``unit`` one millivolt is; ``None`` if it is not a voltage.

    >>> per_millivolt("µV"), per_millivolt("V"), per_millivolt("mmHg")
    (1000.0, 0.001, None)
    """
    found = _VOLTAGES.get(standard_unit(unit))
    return None if found is None else found[1]


@lru_cache(maxsize=1024)
def standard_unit(unit: str) -> str:
    """Return ``"V"``, ``"mV"``, ``"uV"``, ``"nV"`` or ``"pV"`` for a voltage, else ``unit`` without outer spaces.

    A multiple is not a unit: ``"10uV"`` stays as it is, and so do ``"uV/bit"`` and ``"?V"``, whose prefix is lost.

    >>> [standard_unit(text) for text in ("µV", "Âµ" + "V", "microvol", "[mVolt]", "MDC_DIM_MICRO_VOLT", "10uV")]
    ['uV', 'uV', 'uV', 'mV', 'uV', '10uV']
    """
    text = unit.strip()
    core = text.strip("()[]{} \t").upper().removeprefix("MDC_DIM_")
    match = _SPELLED.fullmatch(_BETWEEN.sub("", _MICRO.sub("μ", core)).lower())
    return _PREFIXES.get(match[1], text) if match else text


def is_unknown(unit: str) -> bool:
    """Return whether ``unit`` is not a unit: steps of a converter, no text, a prefix alone, or a prefix that is lost.

    >>> is_unknown("adu"), is_unknown("µ"), is_unknown("?V"), is_unknown(".V"), is_unknown("mmHg")
    (True, True, True, True, False)
    """
    if standard_unit(unit) in _VOLTAGES:
        return False
    text = _MICRO.sub("μ", unit.strip()).lower()
    return text in _NO_UNIT or "?" in text or "\ufffd" in text or _LOST_PREFIX.fullmatch(text) is not None
