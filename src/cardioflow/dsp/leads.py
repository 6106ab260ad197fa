"""Limb leads: the four that follow from I and II, the laws that they obey, and swapped electrodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.limb_kernels import law_residual, suspected_swap

__all__ = ["SWAPS", "LimbCheck", "check_limb_leads", "derive_limb_leads", "suspect_swapped_electrodes"]

Signal = NDArray[np.floating]

# Each as weights of I and II: Einthoven's law I + III = II, and Goldberger's augmented leads.
_FROM_I_II = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
_LIMB = ("I", "II", *_FROM_I_II)

SWAPS = (None, "RA/RL", "LA/RL", "RA/LL", "RA/LA")
"""What the numbers of ``limb_kernels.suspected_swap`` mean."""


def derive_limb_leads(
    signal: Signal, leads: Sequence[str], step: float | None = None
) -> tuple[Signal, tuple[str, ...], tuple[str, ...]]:
    """Return ``signal`` (lead, time) with the missing ones of III, aVR, aVL, aVF, its leads, and which were computed.

    The six limb leads then stand in their usual order where I stood, the others keep theirs.
    Without both I and II, or with nothing missing, the input is returned. Where I and II are whole
    multiples of ``step``, so are twice the new leads, rounded once.

    >>> x, leads, made = derive_limb_leads(np.array([[1.0], [3.0]]), ["I", "II"])
    >>> leads, x[:, 0].tolist()
    (('I', 'II', 'III', 'aVR', 'aVL', 'aVF'), [1.0, 3.0, 2.0, -2.0, -0.5, 2.5])
    """
    missing = tuple(name for name in _FROM_I_II if name not in leads)
    if "I" not in leads or "II" not in leads or not missing:
        return signal, tuple(leads), ()
    first, second = (signal[leads.index(name)].astype(np.float64) for name in ("I", "II"))
    if step is not None:
        first, second = np.rint(first / step), np.rint(second / step)
    at = leads.index("I")
    before = [name for name in leads[:at] if name not in _LIMB]
    after = [name for name in leads[at:] if name not in _LIMB]
    order = (*before, *_LIMB, *after)
    whole = np.empty((len(order), signal.shape[1]), signal.dtype)
    for row, name in enumerate(order):
        if name in missing:
            one, two = _FROM_I_II[name]
            whole[row] = (one * first + two * second) * (1.0 if step is None else step)
        else:
            whole[row] = signal[leads.index(name)]
    return whole, order, missing


@dataclass(frozen=True)
class LimbCheck:
    """How far recorded limb leads deviate from the laws that they must obey, relative to their own RMS; 0 is exact."""

    einthoven: float | None
    """RMS of I + III - II over the RMS of the three leads; ``None`` where one is missing or all are flat."""
    goldberger: float | None
    """RMS of aVR + aVL + aVF over the RMS of the three leads; ``None`` likewise."""


def check_limb_leads(signal: Signal, leads: Sequence[str]) -> LimbCheck:
    """Return how well I + III = II and aVR + aVL + aVF = 0 hold in ``signal`` (lead, time).

    Each lead's mean is subtracted first, because devices store leads with individual offsets. NaN samples are ignored.
    """
    return LimbCheck(
        einthoven=_residual(signal, leads, ("I", "II", "III"), -1.0),
        goldberger=_residual(signal, leads, ("aVR", "aVL", "aVF"), 1.0),
    )


def _residual(signal: Signal, leads: Sequence[str], names: tuple[str, str, str], sign: float) -> float | None:
    if any(name not in leads for name in names):
        return None
    first, second, third = (leads.index(name) for name in names)
    found = float(law_residual(signal, first, second, third, sign))
    return None if math.isnan(found) else found


def suspect_swapped_electrodes(signal: Signal, leads: Sequence[str]) -> str | None:
    """Return which limb electrodes look swapped, as ``"RA/LA"``, ``"RA/RL"``, ``"LA/RL"`` or ``"RA/LL"``, or ``None``.

    ``signal`` is in millivolts, (lead, time). The rules follow from what a swap does to the leads (Batchvarov, Malik
    and Camm, Europace 2007, give them for visual reading):

    - a flat II (99 % of its samples in a band of 0.2 mV) beside I and III that are not: RA and RL; a flat III: LA, RL;
    - aVR upright (positive skewness), II, III, aVF upside down, and II against V6 (correlation below -0.5): RA and LL;
    - aVR upright, I upside down and against V6: RA and LA.

    I and II are needed, and V6 for the last two; the other limb leads are computed from I and II, from which
    they follow however the electrodes were placed.

    LA/LL looks like a normal variant and is not searched for. V6, which dextrocardia inverts too, distinguishes it from
    RA/LA.
    On 72 ECGs of PTB-XL and LUDB the rules find all of RA/RL and LA/RL, 58 % of RA/LA and 54 % of RA/LL, and suspect
    one ECG that is correct: ``None`` means only that nothing was found.
    """
    if "I" not in leads or "II" not in leads:
        return None
    first, second = signal[leads.index("I")], signal[leads.index("II")]
    lateral = signal[leads.index("V6")] if "V6" in leads else first[:0]
    return SWAPS[suspected_swap(first, second, lateral)]
