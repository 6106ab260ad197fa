"""The encoder of ECG-JEPA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models._keras.backend import keras
from cardioflow.models.layers.lead_tokens import GridPositions
from cardioflow.models.zoo._lead_transformer import LeadTransformer
from cardioflow.models.zoo._published import Published

__all__ = ["EcgJepa"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class EcgJepa(LeadTransformer):
    """Twelve transformer blocks over patches of single leads; 85 067 520 parameters before the answer for (8, 2500).

    Kim, "Learning general representation of 12-lead electrocardiogram with a joint-embedding predictive architecture",
    arXiv 2410.08559: leads I, II and V1–V6, 10 s at 250 Hz. A token attends to those of its own lead and those of its
    own time. Sines and cosines of lead and time are added before every block, as in the published code, and not once.
    The answer is from the mean over tokens. The predictor, which only pre-training needs, is left out. Published
    weights are read by ``cardioflow.models.pretrained.ecg_jepa``. Samples after the last whole patch are not seen.
    """

    published: ClassVar[Published | None] = Published(
        85_067_520, (8, 2500), 2, 250, source="Kim 2024", ours_has=2 * 769
    )
    example_settings: ClassVar[Mapping[str, Any]] = {"width": 16, "depth": 2, "n_heads": 2, "patch": 25}

    patch: int = 50
    n_heads: int = 16

    def features(self, x: Any) -> Any:
        n_leads = x.shape[-1]
        x = keras.layers.Dense(self.width, name="stem-patches")(self._patches(x))
        positions = GridPositions(n_leads, name="stem-positions")
        for number in range(1, self.depth + 1):
            x = self._block(positions(x), f"block{number:02}", bias=False, n_leads=n_leads)
        x = keras.layers.LayerNormalization(epsilon=1e-5, name="head-norm")(x)
        return keras.layers.GlobalAveragePooling1D(name="head-mean")(x)
