"""The encoder of HuBERT-ECG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.zoo._published import Published
from cardioflow.models.zoo._wave_transformer import WaveTransformer

__all__ = ["HubertEcg"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class HubertEcg(WaveTransformer):
    """Twelve transformer blocks over five convolutions of the leads in one row, with 92 798 080 parameters.

    Coppola et al., "HuBERT-ECG as a self-supervised foundation model for broad and scalable cardiac applications",
    medRxiv 2024.11.14.24317328, in its base size: HuBERT (Hsu et al., 2021) on 5 s of 12 leads at 100 Hz, one lead
    after another in a row of 6 000 samples, so that a convolution at the end of a lead sees the beginning of the next.
    The checkpoint has 93 123 712 parameters, 325 632 of which only pre-training needs (the vector for hidden tokens,
    the projection and the vectors of 500 clusters): they are left out here. So are dropout, the dropping of whole
    blocks and the mask over zeros at the ends of a record. The small size is ``width=512, depth=8, n_heads=8``, the
    large one ``width=960, depth=16``. Published weights are read by ``cardioflow.models.pretrained.hubert_ecg``.
    """

    published: ClassVar[Published | None] = Published(
        93_123_712, (12, 500), 2, 100, source="Coppola 2024", ours_has=2 * 769 - 325_632
    )

    filters: int = 512
    convolutions: tuple[tuple[int, int], ...] = ((10, 4), (3, 2), (3, 2), (2, 2), (2, 2))
    n_heads: int = 12

    def features(self, x: Any) -> Any:
        _, n_samples, n_leads = x.shape
        row = keras.layers.Permute((2, 1), name="stem-leads")(x)
        return self._tokens_mean(keras.layers.Reshape((n_leads * n_samples, 1), name="stem-row")(row))
