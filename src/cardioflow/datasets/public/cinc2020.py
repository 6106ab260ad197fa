"""The training set of the PhysioNet/CinC Challenge 2020."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from cardioflow.datasets._challenge import Challenge
from cardioflow.datasets.snomed import Year
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Cinc2020"]


@final
@dataclass(frozen=True)
class Cinc2020(Challenge):
    """Twelve-lead ECGs of six databases, with SNOMED CT codes in their headers.

    The label of a record is a tuple of classes. The challenge scores 27 codes, of
    which three pairs count as one diagnosis: 24 classes, in the order of
    ``cardioflow.datasets.snomed.CLASSES[2020]`` and of ``challenge_weights(2020)``.

    Args:
        root: The folder, with the records in it or in folders below.
        missing: Whether a published record without a file is an error, or is left out.
        labels: ``"scored"`` gives the scored classes as codes (``"713427006|59118001"``), ``"abbreviations"`` the same
            classes by their names (``"CRBBB|RBBB"``), ``"all"`` every code as it stands in the header.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="cinc2020",
        title="Classification of 12-lead ECGs: the PhysioNet/Computing in Cardiology Challenge 2020",
        n_records=43_101,
        licence="CC BY 4.0",
        url="https://physionet.org/content/challenge-2020/1.0.2/",
        size="about 6 GB",
        citation="Perez Alday EA, Gu A, Shah AJ, et al. Classification of 12-lead ECGs: the PhysioNet/Computing in "
        "Cardiology Challenge 2020. Physiol Meas 2020;41:124003. doi:10.1088/1361-6579/abc960",
    )
    year: ClassVar[Year] = 2020
