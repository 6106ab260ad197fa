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
    """Replace each lead by the half of its Fourier transform that says all, as ``numpy.fft.rfft``, in complex64.

    (lead, n) becomes (lead, n // 2 + 1); bin ``k`` stands for k·fs/n Hz. Annotations stay, but stand on no sample.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.rfft)
