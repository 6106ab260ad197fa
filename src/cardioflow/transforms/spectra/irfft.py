"""The inverse of the Fourier transform of a real signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

import scipy.fft

from cardioflow.batch import EcgBatch
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _fourier

__all__ = ["Irfft"]


@final
@dataclass(frozen=True)
class Irfft(Transform):
    """Replace each half spectrum by the real signal that it is of, as ``numpy.fft.irfft`` defines it.

    (lead, m) becomes (lead, 2·(m - 1)) samples: where the signal had an odd number of them, give it as ``n``.

    Args:
        n: samples along time that are taken, zeros where there are fewer; all when not given.
        norm: where the factor 1/n goes: to the inverse (``"backward"``), to the ``"forward"`` one, or its root to
            both (``"ortho"``).
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: naming the record that cannot be transformed.
    """

    n: int | None = None
    norm: Literal["backward", "ortho", "forward"] = "backward"
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _fourier.check(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return _fourier.transformed(self, batch, scipy.fft.irfft)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(256, "ortho", dst="transformed")
