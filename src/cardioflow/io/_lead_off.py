"""``meta["lead_off"]``: which leads a device found disconnected while it recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cardioflow.io.base import Record

__all__ = ["with_lead_off"]


def with_lead_off(record: Record, flags: Mapping[str, bool | None]) -> Record:
    """Return a record whose ``meta["lead_off"]`` has for each lead whether the device found it off.

    A computed lead is off if I or II is. Without any flag, the key is missing.

    Args:
        record: As it was read, with the leads that were asked for.
        flags: By standard name; ``None`` and a missing name are a lead that the device says nothing about.
    """
    if not record.meta or all(flag is None for flag in flags.values()):
        return record
    off = {name for name, flag in flags.items() if flag}
    if off & {"I", "II"}:
        off |= set(record.meta["derived_leads"])
    return replace(record, meta={**record.meta, "lead_off": tuple(lead in off for lead in record.leads)})
