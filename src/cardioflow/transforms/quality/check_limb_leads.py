"""Hold the limb leads against the laws that they must obey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.leads import check_limb_leads, suspect_swapped_electrodes
from cardioflow.transforms._inputs import real
from cardioflow.transforms.base import Transform

__all__ = ["CheckLimbLeads"]


@final
@dataclass(frozen=True)
class CheckLimbLeads(Transform):
    """Write to ``meta`` how well I + III = II and aVR + aVL + aVF = 0 hold, and whether electrodes look swapped.

    ``einthoven_rms`` and ``goldberger_rms`` are relative: the RMS of the sum
    that should be zero over the RMS of its three leads; 0.01 is rounding, above
    0.1 a lead is mislabelled, inverted or filtered apart. ``swapped_electrodes``
    is ``"RA/LA"``, ``"RA/LL"``, ``"RA/RL"``, ``"LA/RL"`` or ``None`` (see
    ``dsp.leads``). Each is ``None`` where a lead that it needs is missing. Readers
    do this as they read; the action does it again after the signal was changed.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal, (_, meta) = real(batch, self.action_name), batch.signal_and_meta
        found: dict[str, list[Any]] = {"einthoven_rms": [], "goldberger_rms": [], "swapped_electrodes": []}
        for x, leads in zip(signal, meta["leads"], strict=True):
            # After cutting, the segments of a record are judged together.
            whole = x if x.ndim == 2 else np.moveaxis(x, 0, 1).reshape(x.shape[1], -1)
            check = check_limb_leads(whole, leads)
            found["einthoven_rms"].append(check.einthoven)
            found["goldberger_rms"].append(check.goldberger)
            found["swapped_electrodes"].append(suspect_swapped_electrodes(whole, leads))
        return batch.replace(meta=meta.with_columns(**found))
