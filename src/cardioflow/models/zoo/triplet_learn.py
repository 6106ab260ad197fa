"""CardIO's network that learns by comparing segments."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.models._keras.backend import keras
from cardioflow.models._refuse import refuse
from cardioflow.models.keras import KerasBaseModel
from cardioflow.models.layers import TripletSimilarity
from cardioflow.models.targets import NoTarget

__all__ = ["TripletLearn"]

_STAGES: Final = ((4, 2), (8, 2), (8, 2), (16, 2), (16, 2), (24, 2), (24, 2), (32, 1), (48, 1))
"""Filters, and how many convolutions."""
_MIN_SAMPLES: Final = 256


class TripletLearn(KerasBaseModel):
    """Sixteen convolutions to an embedding, learned from triplets: the anchor is more like its own label than another.

    CardIO's ``TripletModel`` of 2017: nine blocks of convolutions of 4 samples with batch normalization and ELU,
    pooling after each but the last, a dense layer of 16, and as loss the difference of the cosine similarities. It
    takes the triplets of ``get_triplets(n, length)``, which has CardIO's name; ``predict_on_batch`` gives the embedding
    of each segment, and ``triplet_embedding`` does so from its dump. CardIO published a loss of -0.015 for its test.

    Args:
        learning_rate: The learning rate of the Adam optimizer.
        n_features: The length of the embedding.
        dropout: The fraction that is dropped after the last six blocks in training.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        n_features: int = 16,
        dropout: float = 0.2,
        *,
        leads: Literal["any"] | None = None,
        units: Literal["any"] | None = None,
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.n_features = n_features
        self.dropout = dropout
        self.leads = leads
        self.units = units
        self.targets = NoTarget()

    def build(self, input_shape: tuple[int, int], n_outputs: int = 0) -> Self:  # noqa: ARG002 -- labels are not learned
        """Build and compile the network for segments of ``input_shape``, (lead, time).

        Raises:
            InputError: if the segments are shorter than 256 samples.
        """
        if input_shape[1] < _MIN_SAMPLES:
            raise InputError(
                f"triplet_learn got segments of {input_shape[1]} samples, but needs at least {_MIN_SAMPLES}. "
                "Cut longer segments."
            )
        layers = keras.layers
        segment = layers.Input(input_shape)
        x = layers.Permute((2, 1))(segment)
        for number, (filters, repeats) in enumerate(_STAGES, 1):
            for _ in range(repeats):
                x = layers.BatchNormalization()(layers.Conv1D(filters, 4, padding="same")(x))
                x = layers.Activation("elu")(x)
            if number < len(_STAGES):
                x = layers.MaxPooling1D()(x)
            if number > 3:
                x = layers.Dropout(self.dropout)(x)
        x = layers.Dense(self.n_features, kernel_regularizer=keras.regularizers.L2(0.02))(layers.Flatten()(x))
        x = layers.Activation("elu")(layers.BatchNormalization()(x))
        self.model = keras.Model(segment, x, name="triplet_learn")
        self.model.compile(loss=TripletSimilarity(), optimizer=keras.optimizers.Adam(self.learning_rate))
        return self

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Any) -> Self:
        n_leads, n_samples = (int(size) for size in batch.component("signal").shapes[0])
        return cls(**settings).build((n_leads, n_samples))

    def train_on_batch(self, batch: EcgBatch, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Train on triplets, (3, lead, time) for each record, and return ``"loss"``."""
        _check_triplets(batch)
        return super().train_on_batch(batch, *args, **kwargs)

    def test_on_batch(self, batch: EcgBatch, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return ``"loss"`` of triplets, (3, lead, time) for each record."""
        _check_triplets(batch)
        return super().test_on_batch(batch, *args, **kwargs)


def _check_triplets(batch: EcgBatch) -> None:
    signal = batch.component("signal")
    if signal.ndim != 3:
        raise InputError(
            "triplet_learn learns from triplets, and these signals are not cut into three. Call "
            "get_triplets(n, length) before it, on records with labels."
        )
    bad = np.asarray(signal.shapes[:, 0] != 3)
    refuse(
        batch,
        bad,
        lambda i: InputError(
            f"Record {batch.ids[i]!r} has {signal.shapes[i][0]} segments, and a triplet has 3. Call get_triplets(n, "
            "length) in the place of other cuts."
        ),
    )
