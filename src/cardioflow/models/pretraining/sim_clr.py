"""Learning that two views of a record are of the same record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.models.adapter import _Sample
from cardioflow.models.dump_header import Output
from cardioflow.models.pretraining.contrastive import ContrastiveModel
from cardioflow.models.targets import Response, TargetEncoding
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["SimClr"]

Array = NDArray[Any]


@final
@dataclass(frozen=True)
class _Rows(TargetEncoding):
    """The number of each row, (row, 1)."""

    output: ClassVar[Output] = "value"

    def encode(self, batch: EcgBatch, x: Array) -> Array:  # noqa: ARG002 -- made of the ids
        if len(batch) < 2:
            raise InputError("A batch of one row has nothing that is unlike it. Use larger batches.")
        return np.arange(len(batch), dtype=np.int32)[:, None]

    def metric_arguments(self, name: str, response: Response, y_true: Array, y_pred: Array) -> tuple[Array, Array]:  # noqa: ARG002 -- refused
        raise ModelError(f"{name!r} cannot be computed: a contrastive model gives embeddings and no answers.")


@final
class SimClr(ContrastiveModel):
    """Two random views of each row are alike, and those of other rows are not.

    Chen et al., "A simple framework for contrastive learning of visual
    representations", ICML 2020. What the views leave out is what the encoder
    learns to overlook: do not use actions that change the diagnosis. The draws
    depend on seed, epoch and record.

    Args:
        encoder: A network of the zoo.
        views: Names of actions with their arguments, applied in order to each view; at least one is random.
        temperature: What cosine similarities are divided by.
        width: The numbers of the projection.
        learning_rate: The learning rate of the Adam optimizer.

    >>> SimClr(Resnet1dWang(), [("random_amplitude_scale", {"low": 0.7, "high": 1.4})]).build((12, 1000))
    """

    def __init__(
        self,
        encoder: ZooNetwork | None = None,
        views: Sequence[tuple[str, Mapping[str, Any]]] = (),
        temperature: float = 0.1,
        width: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__(encoder, temperature, width, learning_rate)
        self.views = tuple((name, dict(arguments)) for name, arguments in views)
        self.targets = _Rows()
        if encoder is not None and not any(name.startswith("random_") for name, _ in self.views):
            raise ConfigError(
                f"SimClr(views={list(views)!r}): two views would be the same. Pass at least one random action, such as "
                '("random_amplitude_scale", {"low": 0.7, "high": 1.4}).'
            )
        for name, arguments in self.views:
            # So that a wrong argument is not found by the first batch.
            registry.transforms.get(name)(**arguments)

    def _take(self, batch: EcgBatch, *, training: bool = False) -> _Sample:
        sample = super()._take(batch, training=training)
        first = self._view(sample.batch)
        # The second draws as if the actions stood twice in the pipeline.
        second = self._view(sample.batch.replace(history=first.history))
        x = np.concatenate([self._encoded(first), self._encoded(second)])
        return _Sample(sample.batch, x, np.concatenate([sample.y, sample.y]))

    def _view(self, batch: EcgBatch) -> EcgBatch:
        view = batch
        for name, arguments in self.views:
            view = getattr(view, name)(**arguments)
        if view.ids != batch.ids or view.component("signal").ndim != 2:
            raise ModelError("SimClr: the views have other rows than the batch. Use actions that keep each record.")
        return view
