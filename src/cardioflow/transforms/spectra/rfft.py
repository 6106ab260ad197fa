"""The Fourier transform of a real signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

import scipy.fft

from cardioflow.batch import EcgBatch
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _fourier

__all__ = ["Rfft"]


@final
@dataclass(frozen=True)
class Rfft(Transform):
    """Replace each lead by the half of its Fourier transform that says all, as ``numpy.fft.rfft``, in complex64.

    (lead, n) becomes (lead, n // 2 + 1); bin ``k`` stands for k·fs/n Hz. Annotations stay, but stand on no sample.

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
        return _fourier.transformed(self, batch, scipy.fft.rfft)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(256, "ortho", dst="transformed")
