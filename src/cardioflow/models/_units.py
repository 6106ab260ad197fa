"""The units of a batch, held against those of the signals that a model was trained on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.leads import standard_name
from cardioflow.batch.units import is_unknown, standard_unit
from cardioflow.errors import InputError
from cardioflow.models._refuse import refuse

__all__ = ["UNCALIBRATED", "Units", "refuse_other_units", "units_of"]

Units = tuple[str, ...]
"""A unit per lead, in the order of the signal."""

UNCALIBRATED = "adu"
"""The unit of numbers whose scale is not known, whatever the file calls it."""


def units_of(batch: EcgBatch) -> list[Units | None]:
    """Return the unit of each lead of each record; ``None`` where it is not given.

    A lead that its file does not calibrate, as with a gain of 0 in WFDB, is
    uncalibrated, whatever its unit.
    """
    counts = batch.component("signal").shapes[:, 0].tolist()
    columns = (_column(batch, name) for name in ("units", "leads", "uncalibrated_leads"))
    return [
        None
        if own is None or len(own) != n or None in own
        else _effective(tuple(own), tuple(leads or ()), tuple(bare or ()))
        for n, own, leads, bare in zip(counts, *columns, strict=True)
    ]


def refuse_other_units(batch: EcgBatch, expected: Units) -> None:
    """Refuse the records of ``batch`` that are in other units than ``expected``.

    Records whose units are not given pass.

    Raises:
        InputError: for one record; it names the record.
        BadRecordsError: for several.
    """
    own = units_of(batch)
    others = {units for units in set(own) if units is not None and _differ(units, expected)}
    if others:
        refuse(batch, np.array([units in others for units in own]), lambda i: _other(batch, i, own[i] or (), expected))


def _column(batch: EcgBatch, name: str) -> list[Any]:
    meta = batch.meta
    return [None] * len(batch) if meta is None or name not in meta.columns else list(meta[name])


@lru_cache(maxsize=1024)
def _effective(units: Units, leads: tuple[str, ...], bare: tuple[str, ...]) -> Units:
    found = [UNCALIBRATED if is_unknown(unit) else standard_unit(unit) for unit in units]
    if len(leads) == len(found):
        marked = {standard_name(name) for name in bare}
        found = [UNCALIBRATED if standard_name(lead) in marked else u for lead, u in zip(leads, found, strict=True)]
    return tuple(found)


def _differ(units: Units, expected: Units) -> bool:
    # A model of any leads can be given another number of them.
    return units != expected if len(units) == len(expected) else set(units) != set(expected)


def _other(batch: EcgBatch, row: int, units: Units, expected: Units) -> InputError:
    new = [unit for unit in units if unit not in expected] or list(units)
    shown, wanted = _shown(new[:1]), _shown(expected)
    if UNCALIBRATED in new:
        remedy = "Read the record with its calibration"
    elif UNCALIBRATED in expected:
        remedy = "Train the model on calibrated records"
    else:
        remedy = f"Call convert_units({expected[0]!r}) first"
    return InputError(
        f"The model was trained on signals in {wanted}, and record {batch.ids[row]!r} has signals in {shown}. "
        f'{remedy}, or set units="any" on a model for which the scale does not matter.'
    )


def _shown(units: Any) -> str:
    return " and ".join(
        "numbers without a unit" if unit == UNCALIBRATED else str(unit) for unit in dict.fromkeys(units)
    )
