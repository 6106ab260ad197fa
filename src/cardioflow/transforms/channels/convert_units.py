"""Convert signals to other units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, final

import numpy as np
import pint

from cardioflow.batch import EcgBatch
from cardioflow.batch.leads import resolve
from cardioflow.batch.units import standard_unit
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["ConvertUnits"]


@final
@dataclass(frozen=True)
class ConvertUnits(Transform):
    """Convert the signals to other units, and update ``meta["units"]``.

    Readers return millivolts already, so this is for channels that are not
    voltages, and for output. Names are pint's: ``"uV"``,
    ``"mV"``, ``"mmHg"``; voltages may be spelled as devices do, ``"uVolts"``.

    Args:
        new_units: one unit for all channels, a unit by lead name, or one per channel.

    Raises:
        InputError: for an unknown unit, or one that a channel cannot be converted to.
    """

    new_units: str | Mapping[str, str] | Sequence[str]

    def __post_init__(self) -> None:
        given = self.new_units
        _parameters.set_fields(self, new_units=_parameters.frozen(given))
        units = (given,) if isinstance(given, str) else given.values() if isinstance(given, Mapping) else given
        for unit in units:
            if not isinstance(unit, str):
                raise InputError(f"{self.action_name}(new_units={given!r}) holds {unit!r}; expected names of units.")
            _known(unit)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal, meta = batch.signal_and_meta
        arrays, all_units = [], []
        reasons: dict[str, CardioFlowError] = {}
        for i, x in enumerate(signal):
            try:
                old = self._old(batch, i)
                new = self._new(batch, i, old)
                factors, offsets = np.array([_conversion(a, b) for a, b in zip(old, new, strict=True)]).T
                arrays.append((x * factors[:, None] + offsets[:, None]).astype(x.dtype))
                all_units.append(tuple(new))
            except InputError as error:
                text = f"{error.args[0]} [record {batch.ids[i]!r}]" if error.record is None else error.args[0]
                reasons[batch.ids[i]] = InputError(text, record=batch.ids[i])
        raise_bad_records(reasons)
        return batch.replace(signal=gathered(arrays, signal.ndim), meta=meta.with_columns(units=all_units))

    def _old(self, batch: EcgBatch, row: int) -> tuple[str, ...]:
        signal, meta = batch.signal_and_meta
        units = meta["units"][row] if "units" in meta.columns else None
        if units is None or any(u is None for u in units) or len(units) != signal.shapes[row, -2]:
            raise InputError(
                f"{self.action_name} needs the unit of each channel of record {batch.ids[row]!r}, but meta['units'] is "
                f"{units!r}.",
                record=batch.ids[row],
            )
        return tuple(units)

    def _new(self, batch: EcgBatch, row: int, old: tuple[str, ...]) -> list[str]:
        given = self.new_units
        if isinstance(given, str):
            return [given] * len(old)
        if not isinstance(given, Mapping):
            if len(given) != len(old):
                raise InputError(
                    f"{self} gives {len(given)} units, but record {batch.ids[row]!r} has {len(old)} channels.",
                    record=batch.ids[row],
                )
            return list(given)
        new = list(old)
        names = _leads.lead_names(batch, self.action_name, row)
        for lead, unit in given.items():
            new[resolve(names, lead)[0]] = unit
        return new

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("uV"), cls({"II": "V", "v1": "uV"})


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[float]:
    return pint.UnitRegistry()


@lru_cache(maxsize=256)
def _known(unit: str) -> pint.Unit:
    unreadable = (pint.UndefinedUnitError, pint.DefinitionSyntaxError, ValueError, TypeError)
    try:
        return _registry().parse_units(unit)
    except unreadable as error:
        if (spelled := standard_unit(unit)) != unit:
            return _known(spelled)
        raise InputError(f"There is no unit {unit!r}. Pass one that pint knows, such as 'mV' or 'uV'.") from error


@lru_cache(maxsize=256)
def _conversion(old: str, new: str) -> tuple[float, float]:
    """Return factor and offset; temperatures are the only units with an offset."""
    try:
        zero, one, two = (float(_registry().convert(x, _known(old), _known(new))) for x in (0.0, 1.0, 2.0))
    except pint.DimensionalityError as error:
        raise InputError(f"A channel in {old!r} cannot be expressed in {new!r}: {error}.") from error
    if not math.isclose(two - one, one - zero, rel_tol=1e-9):
        raise InputError(f"The conversion from {old!r} to {new!r} is not linear. Call apply_transform for it.")
    # The difference is rounded where there is an offset only.
    return (one if zero == 0 else one - zero), zero
