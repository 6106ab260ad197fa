"""The base of the Fourier transforms, which run along the last axis of each record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform

__all__ = ["FourierTransform"]


@dataclass(frozen=True)
class FourierTransform(Transform):
    """Replace each lead by its transform.

    Args:
        n: the number of samples (bins, for an inverse) along the last axis to use, padded with zeros where there are
            fewer; by default all. For ``irfft`` it is the number of samples of the result.
        norm: which transform has the factor 1/n: the inverse (``"backward"``), the ``"forward"`` one, or both, each
            with its square root (``"ortho"``).
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: naming the record that cannot be transformed.
    """

    n: int | None = None
    norm: Literal["backward", "ortho", "forward"] = "backward"
    src: str = "signal"
    dst: str = "signal"

    function: ClassVar[Callable[..., Any]]
    """The transform, called as ``function(x, n, norm=…)``."""

    def __post_init__(self) -> None:
        if self.n is not None:
            _parameters.count(self, "n")
        _parameters.choice(self, "norm", ("backward", "ortho", "forward"))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = batch.component(self.src)
        if not isinstance(source, Ragged):
            raise InputError(f"{self.action_name} needs a signal, but {self.src!r} holds {type(source).__name__}.")
        results = map_records(batch, self.action_name, source, lambda x, _: self.function(x, self.n, norm=self.norm))
        return with_static(batch, self.dst, gathered(results, source.ndim))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(256, "ortho", dst="transformed")
