"""Learning that segments of one record, or patient, belong together."""

from __future__ import annotations

from typing import final

from cardioflow.models.pretraining.contrastive import ContrastiveModel, Groups
from cardioflow.models.zoo._network import ZooNetwork

__all__ = ["Cmsc"]


@final
class Cmsc(ContrastiveModel):
    """Contrastive multi-segment coding: two or more segments of a record are alike, and those of others are not.

    Kiyasseh et al., "CLOCS: contrastive learning of cardiac signals across
    space, time, and patients", ICML 2021. Batches are cut into segments
    (``split_signals``); a rhythm that changes inside of a record is then called
    the same. Where two records of a patient are in a batch, name the component
    with the patients, or they would be pushed apart.

    Args:
        encoder: A network of the zoo.
        groups: The component with the patient of each record; by default segments of a record belong together.
        temperature: What cosine similarities are divided by.
        width: The numbers of the projection.
        learning_rate: The learning rate of the Adam optimizer.
    """

    def __init__(
        self,
        encoder: ZooNetwork | None = None,
        groups: str | None = None,
        temperature: float = 0.1,
        width: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__(encoder, temperature, width, learning_rate)
        self.targets = Groups(groups)
