"""The encoder of ST-MEM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.lead_tokens import LeadTokens
from cardioflow.models.zoo._lead_transformer import LeadTransformer
from cardioflow.models.zoo._published import Published

__all__ = ["StMem"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class StMem(LeadTransformer):
    """Twelve transformer blocks over patches and separators of leads; 85 150 614 parameters for (12, 2250).

    Na et al., "Guiding masked representation learning to capture spatio-temporal relationship of electrocardiogram",
    ICLR 2024, the ViT-B/75: 9 s of 12 leads at 250 Hz. Each lead begins and ends with a learned separator, and learned
    vectors tell lead and time. The answer is from the mean over patches, which is normalized. The decoder, which only
    pre-training needs, is left out. This network is written from the paper's description, and its published weights,
    which ``cardioflow.models.pretrained.st_mem`` reads, are under a licence of their owner that you should read before
    you use them. Samples after the last whole patch are not seen.
    """

    published: ClassVar[Published | None] = Published(
        85_150_614, (12, 2250), 2, 250, source="Na 2024", ours_has=2 * 769
    )
    example_settings: ClassVar[Mapping[str, Any]] = {"width": 16, "depth": 2, "n_heads": 2, "patch": 25}

    patch: int = 75
    n_heads: int = 12

    def features(self, x: Any) -> Any:
        layers, n_leads = keras.layers, x.shape[-1]
        x = layers.LayerNormalization(epsilon=1e-5, name="stem-norm1")(self._patches(x))
        x = layers.Dense(self.width, name="stem-patches")(x)
        x = layers.LayerNormalization(epsilon=1e-5, name="stem-norm2")(x)
        x = LeadTokens(n_leads, name="stem-tokens")(x)
        for number in range(1, self.depth + 1):
            x = self._block(x, f"block{number:02}", bias=True, n_leads=0)
        x = layers.Reshape((n_leads, x.shape[1] // n_leads, self.width), name="head-leads")(x)
        x = layers.Cropping2D(((0, 0), (1, 1)), name="head-patches")(x)
        x = layers.GlobalAveragePooling2D(name="head-mean")(x)
        return layers.LayerNormalization(epsilon=1e-5, name="head-norm")(x)
