"""The embedding that ``triplet_learn`` has learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, ModelError
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.targets import NoTarget

__all__ = ["TripletEmbedding"]


class TripletEmbedding(KerasBaseModel):
    """The embedding of each segment by a saved ``triplet_learn``: ``config={"triplet_embedding": {"path": …}}``.

    CardIO cut the network at a layer, ``out_layer``; here the embedding is what the network gives. It does not train.
    """

    def __init__(self) -> None:
        super().__init__()
        self.targets = NoTarget()

    @classmethod
    def accepts(cls, header: DumpHeader) -> bool:
        return header.adapter == cls.adapter and header.model in ("TripletLearn", cls.__name__)

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:  # noqa: ARG003 -- nothing to build
        raise ConfigError(
            "triplet_embedding is the network of a saved triplet_learn. Pass its dump: "
            "Pipeline(config={'triplet_embedding': {'path': …}})."
        )

    def train_on_batch(self, batch: EcgBatch, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 -- refuses
        """Refuse to train.

        Raises:
            ModelError: always.
        """
        raise ModelError("triplet_embedding only predicts. Train triplet_learn, from its dump to go on.")
