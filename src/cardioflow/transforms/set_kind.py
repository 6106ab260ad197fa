"""Declare how a component follows the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.batch.columns import Kind
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["SetKind"]


@final
@dataclass(frozen=True)
class SetKind(Transform):
    """Declare the kind of the component ``src``, by which it follows the signal when time changes.

    Results of ``apply_transform`` and ``predict_on_batch`` are static, apart
    from annotations: nothing in an array says whether it is a mask or a spectrum.

    Args:
        src: a component of your own, such as the states that a model gave each sample.
        kind: ``"time series"`` for one value per sample, (time,) or (channel, time), after cutting with a segment
            axis in front; ``"events"`` for annotations; ``"static"`` for a value that time does not change.

    Raises:
        InputError: when the component cannot be of that kind.

    >>> pipeline.apply_transform(np.isnan, dst="missing").set_kind("missing", "time series")  # doctest: +SKIP
    """

    src: str
    kind: Kind

    def __post_init__(self) -> None:
        _parameters.choice(self, "kind", ("static", "time series", "events"))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return batch.with_component(self.src, batch.component(self.src), self.kind)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("states", "time series"), cls("note", "static")
