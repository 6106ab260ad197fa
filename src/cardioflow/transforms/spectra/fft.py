"""The discrete Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import scipy.fft

from cardioflow.transforms.spectra._fourier import FourierTransform

__all__ = ["Fft"]


@final
@dataclass(frozen=True)
class Fft(FourierTransform):
    """Replace each lead by its Fourier transform, as ``numpy.fft.fft`` defines it, in complex64.

    Bin ``k`` of ``n`` is k·fs/n Hz. Annotations keep their sample numbers of the signal.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.fft)
