"""The encoder of ECG-FM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.zoo._published import Published
from cardioflow.models.zoo._wave_transformer import WaveTransformer

__all__ = ["EcgFm"]


@final
@dataclass(eq=False, repr=False, kw_only=True)
class EcgFm(WaveTransformer):
    """Twelve transformer blocks over four convolutions of all leads, with 90 373 248 parameters for 12 leads.

    McKeen et al., "ECG-FM: an open electrocardiogram foundation model", arXiv 2408.05178: wav2vec 2.0 (Baevski et al.,
    NeurIPS 2020) on 5 s of 12 leads at 500 Hz, trained to find hidden tokens, to bring two segments of one record
    together (CMSC) and to do without leads. The paper's 90.9 million are 90 883 072 parameters, 509 824 of which only
    pre-training needs (the vector for hidden tokens, the quantizer and two projections): they are left out here. So
    are dropout and the scaled gradient of the convolutions. Published weights are read by
    ``cardioflow.models.pretrained.ecg_fm``. A last sample that fills no token is not seen.
    """

    published: ClassVar[Published | None] = Published(
        90_883_072, (12, 2500), 2, 500, source="McKeen 2024", ours_has=2 * 769 - 509_824
    )

    filters: int = 256
    convolutions: tuple[tuple[int, int], ...] = ((2, 2),) * 4
    n_heads: int = 12

    def features(self, x: Any) -> Any:
        return self._tokens_mean(x)
