"""The training set of the PhysioNet/CinC Challenge 2021."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from cardioflow.datasets._challenge import Challenge
from cardioflow.datasets.snomed import Year
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Cinc2021"]


@final
@dataclass(frozen=True)
class Cinc2021(Challenge):
    """Twelve-lead ECGs of eight databases, with SNOMED CT codes in their headers.

    The label of a record is a tuple of classes. The challenge scores 30 codes, of
    which four pairs count as one diagnosis: 26 classes, in the order of
    ``cardioflow.datasets.snomed.CLASSES[2021]`` and of ``challenge_weights(2021)``.
    Its records are those of PTB-XL, CPSC 2018 and Chapman too, which ``cardioflow.audit`` knows.

    Args:
        root: The folder, with the records in it or in folders below.
        missing: Whether a published record without a file is an error, or is left out.
        labels: ``"scored"`` gives the scored classes as codes (``"713427006|59118001"``), ``"abbreviations"`` the same
            classes by their names (``"CRBBB|RBBB"``), ``"all"`` every code as it stands in the header.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="cinc2021",
        title="Will Two Do? Varying Dimensions in Electrocardiography: the PhysioNet/CinC Challenge 2021",
        n_records=88_253,
        licence="CC BY 4.0",
        url="https://physionet.org/content/challenge-2021/1.0.3/",
        size="about 11 GB",
        citation="Reyna MA, Sadr N, Perez Alday EA, et al. Will Two Do? Varying Dimensions in Electrocardiography: the "
        "PhysioNet/Computing in Cardiology Challenge 2021. Comput Cardiol 2021;48. doi:10.23919/CinC53138.2021.9662687",
    )
    year: ClassVar[Year] = 2021
