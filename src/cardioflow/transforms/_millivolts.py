"""Parameters in millivolts beside signals in other units."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.units import per_millivolt
from cardioflow.transforms._inputs import lead_units

__all__ = ["millivolt_scales"]


def millivolt_scales(batch: EcgBatch) -> list[NDArray[np.float64] | None]:
    """Return how many of its unit each lead has for a millivolt, (lead, 1) per record; ``None`` where all are 1.

    In a lead that is not a voltage, such as a pressure or steps of a converter, a number of millivolts stands for as
    many of the lead's own unit.
    """
    n_leads = batch.component("signal").shapes[:, -2].tolist()
    units = lead_units(batch) if batch.meta is not None else [None] * len(batch)
    # A function of the user's may have changed the number of leads, but not the names of their units.
    return [
        None if own is None or len(own) != n else _scales(tuple(own)) for own, n in zip(units, n_leads, strict=True)
    ]


@lru_cache(maxsize=256)
def _scales(units: tuple[str | None, ...]) -> NDArray[np.float64] | None:
    scales = [1.0 if unit is None else per_millivolt(unit) or 1.0 for unit in units]
    return None if all(scale == 1 for scale in scales) else np.array(scales)[:, None]
