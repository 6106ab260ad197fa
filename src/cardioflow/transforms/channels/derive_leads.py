"""Compute limb leads from I and II."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.dsp.leads import derive_limb_leads
from cardioflow.transforms._inputs import lead_units
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["DeriveLeads"]


@final
@dataclass(frozen=True)
class DeriveLeads(Transform):
    """Compute the missing limb leads from I and II, so that 8 stored leads become 12.

    III = II − I (Einthoven), aVR = −(I + II)/2, aVL and aVF likewise
    (Goldberger). Recorded leads do not change. The six limb leads come
    together at the place of I, and the others keep their order. Mason–Likar
    leads are not limb leads.

    Raises:
        InputError: for a record that lacks I or II, or has them in two units.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal, meta = batch.signal_and_meta
        names = [_leads.lead_names(batch, self.action_name, i) for i in range(len(batch))]
        units = lead_units(batch)
        made = map_records(batch, self.action_name, signal, lambda x, i: _derived(x, names[i], units[i]))
        new_units = [
            None if own is None else tuple(own[old.index(n)] if n in old else own[old.index("I")] for n in new)
            for own, old, (_, new) in zip(units, names, made, strict=True)
        ]
        sources = [[old.index(n) if n in old else -1 for n in new] for old, (_, new) in zip(names, made, strict=True)]
        return _leads.with_events_of_leads(batch, sources).replace(
            signal=gathered([x for x, _ in made], signal.ndim),
            meta=meta.with_columns(leads=[new for _, new in made], units=new_units),
        )


def _derived(
    x: NDArray[Any], names: tuple[str, ...], units: tuple[str, ...] | None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    if "I" not in names or "II" not in names:
        raise ValueError(f"its leads are {', '.join(names)}, and the limb leads follow from I and II. Leave it out")
    of_i, of_ii = ("mV", "mV") if units is None else (units[names.index("I")], units[names.index("II")])
    if of_i != of_ii:
        raise ValueError(f"its lead I is in {of_i} and its lead II in {of_ii}. Call convert_units('mV') first")
    # The computation takes (lead, time) only, so segments are joined for it.
    flat = np.moveaxis(x, -2, 0).reshape(x.shape[-2], -1)
    derived, leads, _ = derive_limb_leads(flat, names)
    full = derived.reshape(len(leads), *x.shape[:-2], x.shape[-1])
    return np.moveaxis(full, 0, -2), leads
