"""The score of the PhysioNet/CinC Challenge 2020."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cardioflow.metrics._challenge_score import ChallengeScore
from cardioflow.metrics._challenge_weights import Year

__all__ = ["Cinc2020Score"]


@dataclass(frozen=True)
class Cinc2020Score(ChallengeScore):
    """Credit for right labels, and some for confusions with like consequences: 1 for all right, 0 for always normal.

    Perez Alday et al., Physiol Meas 41 (2020) 124003. Differs from the
    challenge's program in one case: where that gives 0 because the right labels
    and the normal rhythm earn the same, the score is not defined, and NaN.
    """

    year: ClassVar[Year] = 2020
