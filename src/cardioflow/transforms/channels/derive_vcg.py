"""Compute the vectorcardiogram from the standard leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import lead_units
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms.base import Transform
from cardioflow.transforms.channels import _leads

__all__ = ["DeriveVcg"]

_LEADS: Final = ("V1", "V2", "V3", "V4", "V5", "V6", "I", "II")
_MATRICES: Final = {
    # Kors et al., Eur Heart J 11 (1990) 1083: regression on Frank leads.
    "kors": (
        (-0.13, 0.05, -0.01, 0.14, 0.06, 0.54, 0.38, -0.07),
        (0.06, -0.02, -0.05, 0.06, -0.17, 0.13, -0.07, 0.93),
        (-0.43, -0.06, -0.14, -0.20, -0.11, 0.31, 0.11, -0.23),
    ),
    # Edenbrandt and Pahlm, J Electrocardiol 21 (1988) 361: the pseudo-inverse of Dower's matrix.
    "inverse_dower": (
        (-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010),
        (0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887),
        (-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102),
    ),
}


@final
@dataclass(frozen=True)
class DeriveVcg(Transform):
    """Compute the vectorcardiogram from I, II and V1–V6.

    Its leads are X (to the left), Y (down) and Z (to the back).

    Args:
        method: ``"kors"``, the regression of Kors et al. (1990), or ``"inverse_dower"`` of Edenbrandt and Pahlm (1988).

    Raises:
        InputError: for a record that lacks one of the eight leads, or has them in several units.
    """

    method: Literal["kors", "inverse_dower"] = "kors"

    def __post_init__(self) -> None:
        _parameters.choice(self, "method", _MATRICES)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal, meta = batch.signal_and_meta
        picks = _leads.chosen(batch, self.action_name, _LEADS, None)
        matrix, units = np.array(_MATRICES[self.method]), lead_units(batch)

        def one(x: NDArray[Any], i: int) -> tuple[NDArray[Any], str | None]:
            return np.matmul(matrix, x[..., list(picks[i]), :]), _common_unit(units[i], picks[i])

        made = map_records(batch, self.action_name, signal, one)
        n = len(batch)
        columns: dict[str, list[Any]] = {"leads": [("X", "Y", "Z")] * n}
        if "units" in meta.columns:
            columns["units"] = [None if unit is None else (unit,) * 3 for _, unit in made]
        return _leads.with_events_of_leads(batch, [(-1,) * 3] * n).replace(
            signal=gathered([x for x, _ in made], signal.ndim),
            meta=meta.with_columns(**columns),
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("inverse_dower")


def _common_unit(units: tuple[str, ...] | None, picks: tuple[int, ...]) -> str | None:
    if units is None:
        return None
    own = {units[k] for k in picks}
    if len(own) > 1:
        raise ValueError(f"its eight leads are in {', '.join(sorted(own))}. Call convert_units('mV') first")
    return own.pop()
