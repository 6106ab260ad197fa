"""Check the limb leads by the laws of Einthoven and Goldberger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.leads import check_limb_leads, suspect_swapped_electrodes
from cardioflow.transforms._inputs import real
from cardioflow.transforms._measured import check_dst, with_measured
from cardioflow.transforms.base import Transform

__all__ = ["CheckLimbLeads"]


@final
@dataclass(frozen=True)
class CheckLimbLeads(Transform):
    """Measure how well I + III = II and aVR + aVL + aVF = 0 hold, and whether electrodes look swapped.

    ``einthoven_rms`` and ``goldberger_rms`` are relative: the RMS of the sum
    that should be zero over the RMS of its three leads; 0.01 is rounding; above
    0.1 a lead is mislabelled, inverted or filtered differently. ``swapped_electrodes``
    is ``"RA/LA"``, ``"RA/LL"``, ``"RA/RL"``, ``"LA/RL"`` or ``None`` (see
    ``dsp.leads``). Each is ``None`` where a lead that it needs is missing. Each
    record has a mapping of these names: ``batch.limb_leads[0]["einthoven_rms"]``.
    Readers write the same names to ``meta`` as they read; ``dst="meta"`` updates
    them after the signal has changed.

    Args:
        dst: the component to write; ``"meta"`` adds the values to the metadata.
    """

    dst: str = "limb_leads"

    def __post_init__(self) -> None:
        check_dst(self)

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
        return with_measured(batch, self.dst, found)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("meta")
