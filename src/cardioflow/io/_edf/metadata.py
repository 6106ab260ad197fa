"""What the header of an EDF or BDF file says of the recording and the person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from cardioflow.io._dates import the_date
from cardioflow.io._edf.header import Header, Signal
from cardioflow.io._person import person_meta, sex_letter, years, years_between
from cardioflow.io.base import ReadRequest

__all__ = ["metadata_of"]

_AGE: Final = re.compile(r"age=(\d{1,3}(?:\.\d{1,6})?)")
_KEY: Final = "patient_key="
# "HP:0.1Hz LP:75Hz N:50Hz", as EDF+ has it.
_FILTERS: Final = {
    key: re.compile(rf"\b{letters}:\s*(\d{{1,6}}(?:\.\d{{1,6}})?)", re.IGNORECASE)
    for key, letters in (("highpass_hz", "HP"), ("lowpass_hz", "LP"), ("notch_hz", "N"))
}


def metadata_of(header: Header, wanted: Sequence[Signal], request: ReadRequest) -> dict[str, Any]:
    """Return the metadata of a recording, of which the signals ``wanted`` are read."""
    code, sex, born, name, *more = (*header.patient.split(), "", "", "", "") if header.is_plus else ("", "", "", "")
    told = header.recording.split() if header.is_plus else []
    known = [None if part in {"", "X"} else part.replace("_", " ") for part in (code, name, *told[2:5])]
    code_, name_, *rest = (*known, None, None, None)[:5]
    birth = the_date(born)
    return {
        "age": _told_age(more) if birth is None else years_between(birth, header.start),
        "sex": sex_letter(sex),
        "timestamp": header.start,
        "comments": (),
        "device": rest[2],
        **person_meta(
            request,
            name=name_,
            patient_id=code_ or (None if header.is_plus else header.patient),
            birth_date=birth,
            patient=header.patient,
            recording=header.recording,
            key=next((part.removeprefix(_KEY) for part in more if part.startswith(_KEY)), None),
        ),
        **{key: _filter(wanted, written) for key, written in _FILTERS.items()},
        "kind": header.kind or ("EDF" if header.bytes_per_sample == 2 else "BDF"),
        "transducer": tuple(s.transducer for s in wanted),
        "prefiltering": tuple(s.prefiltering for s in wanted),
        "physical_range": tuple(s.physical for s in wanted),
        "digital_range": tuple(s.digital for s in wanted),
        "dimension": tuple(s.dimension for s in wanted),
    }


def _filter(signals: Sequence[Signal], written: re.Pattern[str]) -> Any:
    """Return the frequency of a filter, one for all signals where it is the same."""
    found = tuple(float(told[1]) if (told := written.search(s.prefiltering)) else None for s in signals)
    return found if len(set(found)) > 1 else next(iter(found), None)


def _told_age(subfields: Sequence[str]) -> float | None:
    """Return the age that our writer adds to the patient field, where the birth date would identify the person."""
    for part in subfields:
        told = _AGE.fullmatch(part)
        if told:
            return years(float(told[1]))
    return None
