"""The inverse of the discrete Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import scipy.fft

from cardioflow.transforms.spectra._fourier import FourierTransform

__all__ = ["Ifft"]


@final
@dataclass(frozen=True)
class Ifft(FourierTransform):
    """Replace each spectrum by its inverse transform, as ``numpy.fft.ifft`` defines it, in complex64.

    The signal stays complex, even where its imaginary part is zero; ``irfft`` returns a real one.

    The arguments are those of ``FourierTransform``.
    """

    function: ClassVar[Callable[..., Any]] = staticmethod(scipy.fft.ifft)
