"""The Fourier transform of a real signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import scipy.fft

from cardioflow.transforms.spectra._fourier import FourierTransform

__all__ = ["Rfft"]


@final
@dataclass(frozen=True)
class Rfft(FourierTransform):
    """Replace each lead by the non-negative half of its spectrum, as ``numpy.fft.rfft`` does, in complex64.

    (lead, n) becomes (lead, n // 2 + 1); bin ``k`` is k·fs/n Hz. Annotations keep their sample numbers of the signal.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.rfft)
