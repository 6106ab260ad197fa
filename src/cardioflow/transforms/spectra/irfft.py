"""The inverse of the Fourier transform of a real signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import scipy.fft

from cardioflow.transforms.spectra._fourier import FourierTransform

__all__ = ["Irfft"]


@final
@dataclass(frozen=True)
class Irfft(FourierTransform):
    """Replace each half spectrum by the real signal that it is of, as ``numpy.fft.irfft`` defines it.

    (lead, m) becomes (lead, 2·(m - 1)) samples: where the signal had an odd number of them, give it as ``n``.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.irfft)
