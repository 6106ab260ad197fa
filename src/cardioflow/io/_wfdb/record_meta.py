"""The metadata of WFDB records, one by one or as columns of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.meta import constant_column
from cardioflow.batch.ragged import Ragged
from cardioflow.dsp.amplitude import amplitude_warnings, suspect_amplitudes
from cardioflow.dsp.leads import SWAPS
from cardioflow.dsp.limb_kernels import law_residual, law_residuals, suspected_swap, suspected_swaps
from cardioflow.io._wfdb.header import Header
from cardioflow.io._wfdb.layout import Choice
from cardioflow.io._wfdb.metadata import NO_METADATA, comment_metadata
from cardioflow.io._wfdb.together import Together

__all__ = ["metadata", "metadata_columns"]


def metadata(
    header: Header,
    choice: Choice,
    signal: NDArray[np.float32] | None,
    checksum_ok: bool | None,  # noqa: FBT001 -- a value, not a switch
    *,
    identify: bool,
) -> dict[str, Any]:
    """Return the metadata of one record."""
    meta = {
        "timestamp": header.timestamp,
        **_of_person(header, identify=identify),
        "record_name": header.name,
        **choice.meta,
        "checksum_ok": checksum_ok,
        "fs_source": header.fs_source,
        "derived_leads": (),
        "warnings": _warnings(header, choice, signal),
        "swapped_electrodes": None,
    }
    if signal is not None:
        for key, rows, sign in choice.laws:
            meta[key] = _known(law_residual(signal, *rows, sign))
        if choice.limbs:
            first, second, *lateral = (signal[row] for row in choice.limbs)
            meta["swapped_electrodes"] = SWAPS[suspected_swap(first, second, lateral[0] if lateral else first[:0])]
    return meta


def metadata_columns(found: Together, *, identify: bool) -> dict[str, Any]:
    """Return what ``metadata`` returns of each of several records, as columns."""
    headers, choices = found.headers, found.choices
    n = len(headers)
    persons = [_of_person(header, identify=identify) for header in headers]
    alike = all(person is NO_METADATA for person in persons)
    columns: dict[str, Any] = {
        "timestamp": [header.timestamp for header in headers],
        **{
            key: constant_column(value, n) if alike else [person[key] for person in persons]
            for key, value in NO_METADATA.items()
        },
        "record_name": [header.name for header in headers],
        **_of_choices(choices),
        "checksum_ok": found.verdicts,
        "fs_source": [header.fs_source for header in headers],
        "derived_leads": constant_column((), n),
    }
    return columns | _of_samples(headers, choices, found.signal)


def _of_person(header: Header, *, identify: bool) -> dict[str, Any]:
    return comment_metadata(header.comments, identify=identify) if header.comments else NO_METADATA


def _of_choices(choices: Sequence[Choice]) -> dict[str, Any]:
    first = choices[0].meta
    if all(choice.meta is first for choice in choices):
        return {key: constant_column(value, len(choices)) for key, value in first.items()}
    return {key: [choice.meta[key] for choice in choices] for key in first}


def _of_samples(headers: Sequence[Header], choices: Sequence[Choice], signal: Ragged) -> dict[str, Any]:
    """Return the columns that the samples decide."""
    n = len(headers)
    warnings: list[tuple[str, ...]] = [()] * n
    unread = [i for i, header in enumerate(headers) if header.unread_date is not None]
    for i in {*suspect_amplitudes(signal.data, signal.shapes).tolist(), *unread}:
        warnings[i] = _warnings(headers[i], choices[i], signal[i])
    begins = signal.offsets[:-1]
    swaps: Any = constant_column(None, n)
    if any(choice.limbs for choice in choices):
        limbs = np.array([(*choice.limbs, -1, -1, -1)[:3] for choice in choices], np.int64)
        found = suspected_swaps(signal.data, begins, signal.lengths, limbs)
        swaps = [SWAPS[number] for number in found.tolist()]
    columns: dict[str, Any] = {"warnings": warnings, "swapped_electrodes": swaps}
    laws = {choice: {key: (*rows, sign) for key, rows, sign in choice.laws} for choice in dict.fromkeys(choices)}
    for key in dict.fromkeys(key for own in laws.values() for key in own):
        terms = np.array([laws[choice].get(key, (-1, -1, -1, 0.0)) for choice in choices], np.float64)
        residuals = law_residuals(signal.data, begins, signal.lengths, terms[:, :3].astype(np.int64), terms[:, 3])
        columns[key] = [_known(residual) for residual in residuals.tolist()]
    return columns


def _warnings(header: Header, choice: Choice, signal: NDArray[np.float32] | None) -> tuple[str, ...]:
    found = () if signal is None else amplitude_warnings(signal, choice.leads, choice.units)
    if header.unread_date is not None:
        what, form = ("time", "hh:mm:ss") if ":" in header.unread_date else ("date", "dd/mm/yyyy")
        found = (*found, f"the {what} {header.unread_date!r} is not {form} and is not read")
    return found


def _known(residual: float) -> float | None:
    return None if math.isnan(residual) else residual
