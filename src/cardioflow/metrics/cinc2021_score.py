"""The score of the PhysioNet/CinC Challenge 2021."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cardioflow.metrics._challenge_score import ChallengeScore
from cardioflow.metrics._challenge_weights import Year

__all__ = ["Cinc2021Score"]


@dataclass(frozen=True)
class Cinc2021Score(ChallengeScore):
    """Credit for right labels, and some for confusions with like consequences: 1 for all right, 0 for always normal.

    Reyna et al., Computing in Cardiology 48 (2021). Differs from the
    challenge's program in one case: where that gives 0 because the right labels
    and the normal rhythm earn the same, the score is not defined, and NaN.
    """

    year: ClassVar[Year] = 2021
