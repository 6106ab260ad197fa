"""Lead names: standard names for those that devices write, and the choice of channels by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cardioflow.errors import InputError, nearest

__all__ = ["GROUPS", "is_ecg_name", "is_lead_name", "resolve", "standard_name"]

_LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
_PRECORDIAL = ("V1", "V2", "V3", "V4", "V5", "V6")

GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"limb": _LIMB, "precordial": _PRECORDIAL, "standard": _LIMB + _PRECORDIAL}
)
"""Names for several leads at once, in the order that 12-lead reports print them."""

# Mason-Likar limb electrodes lie on the trunk, which changes amplitudes and axes (Papouchado 1987: up to 0.3 mV in
# II): their leads keep a name of their own and are never taken for I, II, III.
_MASON_LIKAR = ("MLI", "MLII", "MLIII")
_OTHERS = (
    *("V7", "V8", "V9", "V1R", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "V8R", "V9R"),
    *("-aVR", "X", "Y", "Z", "MCL1", "MCL6", "CM5", "CC5", "CB5", "ML5", "ES", "AS", "AI"),
)

_SYNONYMS = {
    # Spanish, Portuguese and Italian devices write D (derivación). D1, D2, D3 are left alone: in the European ST-T
    # and QT databases they are Holter leads.
    "DI": "I",
    "DII": "II",
    "DIII": "III",
    "VR": "aVR",
    "VL": "aVL",
    "VF": "aVF",
    "AUGMENTEDVOLTAGERIGHT": "aVR",
    "AUGMENTEDVOLTAGELEFT": "aVL",
    "AUGMENTEDVOLTAGEFOOT": "aVF",
    "AVRAUGMENTEDVOLTAGERIGHT": "aVR",
    "AVLAUGMENTEDVOLTAGELEFT": "aVL",
    "AVFAUGMENTEDVOLTAGEFOOT": "aVF",
    "VX": "X",
    "VY": "Y",
    "VZ": "Z",
    "FRANKX": "X",
    "FRANKY": "Y",
    "FRANKZ": "Z",
    "MASONLIKARI": "MLI",
    "MASONLIKARII": "MLII",
    "MASONLIKARIII": "MLIII",
}

_KNOWN: Final[dict[str, str]] = {
    **{name.upper(): name for name in (*GROUPS["standard"], *_MASON_LIKAR, *_OTHERS)},
    **_SYNONYMS,
}

_STANDARD: Final = frozenset(_KNOWN.values())

# Words around a lead's name: the nomenclature's prefix (IEEE 11073-10102), DICOM's "Lead I (Einthoven)", EDF's
# "ECG I" and "V1 ECG", exports' "I (mV)".
_BEFORE = re.compile(
    r"^(?:MDC[_ ]ECG[_ ](?:LEAD|ELEC)[_ ]|(?:ECG|EKG|LEAD)(?:[\s_\-:.]+|(?=AV[RLF]$|V[1-9]$)))+", re.IGNORECASE
)
_AFTER = re.compile(
    r"(?:[\s_\-:.]+(?:ECG|EKG|LEAD)|\s*[(\[](?:EINTHOVEN|GOLDBERGER|WILSON|FRANK|[µμUM]?V)[)\]])+$", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[\s_.,:]+")

# Names of ambulatory and bipolar leads that have no standard: "ECG1", "mod.V1", "D3", "CM2", "MV5", "V1-V2", "RA-LL".
_ECG = re.compile(r"(?:.*[^A-Z])?(?:ECG|EKG)(?:[^A-Z].*)?|LEAD[\s_]*\d{1,2}", re.IGNORECASE)
_ELECTRODE = re.compile(
    r"(?:MOD(?:IFIED)?[\s_.]*)?(?:M?V\d{1,2}R?|C[BCMRS]\d|M?CL\d|D\d|M?L?I{1,3}|[RL][AL])", re.IGNORECASE
)


def standard_name(name: str) -> str:
    """Return the standard name of a lead as a device writes it; an unknown name is returned without outer spaces.

    Case, ``Lead``, ``ECG`` and ``MDC_ECG_LEAD_`` are ignored. Mason–Likar leads stay ``MLI``, ``MLII``, ``MLIII``.

    >>> [standard_name(n) for n in ("avf", "MDC_ECG_LEAD_AVR", "Lead I (Einthoven)", "V1 ECG", "mlii", "mod.V1")]
    ['aVF', 'aVR', 'I', 'V1', 'MLII', 'mod.V1']
    """
    name = name.strip()
    core = _AFTER.sub("", _BEFORE.sub("", name))
    key = _SEPARATORS.sub("", core).upper()
    if not key.startswith("-"):
        key = key.replace("-", "")
    return _KNOWN.get(key, name)


def is_lead_name(name: str) -> bool:
    """Return whether ``name`` is a spelling of a lead that has a standard name.

    >>> is_lead_name("lead avf"), is_lead_name("D1"), is_lead_name("counter")
    (True, False, False)
    """
    return standard_name(name) in _STANDARD


def is_ecg_name(name: str) -> bool:
    """Return whether a channel called ``name`` is an ECG lead, of a standard name or another one.

    A name that says nothing, such as ``signal 0``, is not one, and neither is another signal's.

    >>> [is_ecg_name(n) for n in ("aVF", "ECG 2", "mod.V1", "V1-V2", "signal 0", "EEG Fpz-Cz", "ABP")]
    [True, True, True, True, False, False, False]
    """
    name = name.strip()
    electrodes = name.split("-")
    return (
        is_lead_name(name)
        or _ECG.fullmatch(name) is not None
        or (len(electrodes) <= 2 and all(_ELECTRODE.fullmatch(part.strip()) for part in electrodes))
    )


def resolve(names: Sequence[str], wanted: str | int | Sequence[str | int]) -> tuple[int, ...]:
    """Return the indices into ``names`` of the leads ``wanted``, in the order of ``wanted``.

    A lead is given by its name in any device's spelling, by its number (negative
    ones count from the end), or with others as a group of ``GROUPS``.

    Raises:
        InputError: when a lead is not there, is there twice under that name, or is chosen twice.

    >>> resolve(["i", "ii", "V1"], ["V1", "I"])
    (2, 0)
    """
    asked = (wanted,) if isinstance(wanted, str | int) else tuple(wanted)
    if not asked:
        raise InputError(f"No leads were chosen. Name some of {_shown(names)}.")
    spelled: list[str | int] = []
    for lead in asked:
        spelled.extend(GROUPS.get(lead.strip().lower(), (lead,)) if isinstance(lead, str) else (lead,))
    found = tuple(_index(names, lead) for lead in spelled)
    if len(set(found)) < len(found):
        twice = next(names[i] for i in found if found.count(i) > 1)
        raise InputError(f"Lead {twice!r} is chosen twice in {list(asked)}. Name each lead once.")
    return found


def _index(names: Sequence[str], lead: str | int) -> int:
    n = len(names)
    if isinstance(lead, bool) or not isinstance(lead, str | int):
        raise InputError(f"{lead!r} is not the name or number of a lead. Pass one of {_shown(names)}.")
    if isinstance(lead, int):
        if not -n <= lead < n:
            raise InputError(
                f"There is no lead number {lead}: numbers go from 0 to {n - 1}. There are {_shown(names)}."
            )
        return lead % n
    # The name as it stands comes first, so that a file's own odd names can be told apart.
    exact = [i for i, name in enumerate(names) if name == lead]
    standard = standard_name(lead)
    places = exact or [i for i, name in enumerate(names) if standard_name(name) == standard]
    if not places:
        raise InputError(f"There is no lead {lead!r}. {nearest(standard, names)} A number from 0 to {n - 1} works too.")
    if len(places) > 1:
        raise InputError(f"{len(places)} leads are named {lead!r}, at {places}. Choose by number.")
    return places[0]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) or "no leads"
