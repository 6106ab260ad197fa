"""Detect leads that were not connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates, real
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst, with_value
from cardioflow.transforms._millivolts import millivolt_scales
from cardioflow.transforms.base import Transform

__all__ = ["DetectLeadOff"]


@final
@dataclass(frozen=True)
class DetectLeadOff(Transform):
    """Detect leads that were not connected, and write a boolean per lead to ``dst``.

    A second of a lead counts as lost where it is flat (its range is below
    ``flat_mv``), at the rail (a value beyond ``rail_mv``), or not finite; a
    lead is off where more than ``share`` of its seconds are lost. The
    component holds one tuple per record; after cutting, all segments of a
    lead count together. Leads in another unit of voltage, by ``meta["units"]``, are judged in millivolts.

    Args:
        flat_mv: the range in millivolts that an electrode's noise alone exceeds.
        rail_mv: the value in millivolts that no ECG reaches.
        share: the part of the seconds that may be lost.
        dst: the component to write; ``"meta"`` adds the value to the metadata as ``lead_off``.
    """

    flat_mv: float = 0.01
    rail_mv: float = 10.0
    share: float = 0.5
    dst: str = "lead_off"

    def __post_init__(self) -> None:
        _parameters.above(self, "flat_mv", "rail_mv", equal=True)
        _parameters.above(self, "share", equal=True)
        check_dst(self)
        if self.share >= 1:
            raise InputError(f"{self.action_name}(share={self.share}) is not below 1.")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = real(batch, self.action_name)
        fs = rates(batch, self.action_name)
        scales = millivolt_scales(batch)

        def one(x: Any, i: int) -> tuple[bool, ...]:
            scale = scales[i]
            return self._off(x if scale is None else x / scale, max(round(float(fs[i])), 1))

        found = map_records(batch, self.action_name, signal, one)
        return with_value(batch, self.dst, "lead_off", tuple(found))

    def _off(self, x: Any, second: int) -> tuple[bool, ...]:
        size: int = min(second, x.shape[-1])
        if not size:
            return (True,) * int(x.shape[-2])
        whole = x[..., : x.shape[-1] // size * size].reshape(*x.shape[:-1], -1, size)
        with np.errstate(invalid="ignore"):
            flat = np.ptp(whole, axis=-1) < self.flat_mv
            lost = flat | (np.abs(whole).max(axis=-1) > self.rail_mv) | ~np.isfinite(whole).all(axis=-1)
        by_lead = np.moveaxis(lost, -2, 0).reshape(x.shape[-2], -1)
        return tuple(bool(v) for v in by_lead.mean(axis=-1) > self.share)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.05, 3.0, 0.2, "off")
