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
    """Replace each half spectrum by its real signal, as ``numpy.fft.irfft`` does.

    (lead, m) becomes (lead, 2·(m - 1)) samples: pass the number as ``n`` if it was odd.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.irfft)
