"""The diagnoses that the PhysioNet/CinC Challenges 2020 and 2021 score, and what confusing them costs.

Sources: ``dx_mapping_scored.csv`` and ``weights.csv`` of the challenges' evaluation
repositories (github.com/physionetchallenges/evaluation-2020 and -2021); Perez
Alday et al., Physiol Meas 41 (2020) 124003; Reyna et al., Comput Cardiol 48 (2021).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "Diagnosis", "Year", "challenge_weights", "scored"]

Year = Literal[2020, 2021]


class Diagnosis(NamedTuple):
    """A scored diagnosis; several codes with ``|`` between them are scored as one."""

    codes: str
    abbreviation: str
    place: float
    """Where it stands on the scale that the weights follow."""


_COMMON: Final = (
    Diagnosis("164889003", "AF", 0.2),
    Diagnosis("164890007", "AFL", 0.2),
    Diagnosis("426627000", "Brady", 0.0),
    Diagnosis("713427006|59118001", "CRBBB|RBBB", 0.1),
    Diagnosis("270492004", "IAVB", 0.0),
    Diagnosis("713426002", "IRBBB", 0.0),
    Diagnosis("39732003", "LAD", 0.05),
    Diagnosis("445118002", "LAnFB", 0.05),
    Diagnosis("164909002", "LBBB", 0.175),
    Diagnosis("164947007", "LPR", 0.0),
    Diagnosis("251146004", "LQRSV", 0.125),
    Diagnosis("111975006", "LQT", 0.15),
    Diagnosis("698252002", "NSIVCB", 0.05),
    Diagnosis("426783006", "NSR", -0.05),
    Diagnosis("284470004|63593006", "PAC|SVPB", 0.0375),
    Diagnosis("10370003", "PR", 0.075),
    Diagnosis("427172004|17338001", "PVC|VPB", 0.075),
    Diagnosis("164917005", "QAb", 0.3),
    Diagnosis("47665007", "RAD", 0.05),
    Diagnosis("427393009", "SA", 0.0),
    Diagnosis("426177001", "SB", 0.0),
    Diagnosis("427084000", "STach", 0.075),
    Diagnosis("164934002", "TAb", 0.2),
    Diagnosis("59931005", "TInv", 0.2),
)
_NEW_IN_2021: Final = (
    Diagnosis("6374002", "BBB", 0.175),
    Diagnosis("733534002|164909002", "CLBBB|LBBB", 0.175),
    Diagnosis("365413008", "PRWP", 0.125),
)
# Two diagnoses of one place that the table of 2021 nevertheless keeps apart.
_APART: Final = {frozenset({"BBB", "CLBBB|LBBB"}): 0.475, frozenset({"LQRSV", "PRWP"}): 0.475}


def scored(year: Year) -> tuple[Diagnosis, ...]:
    """Return the scored diagnoses, sorted by abbreviation: 24 in 2020, 26 in 2021."""
    if year == 2020:
        return _COMMON
    kept = [own for own in _COMMON if own.abbreviation != "LBBB"]
    return tuple(sorted((*kept, *_NEW_IN_2021), key=lambda own: own.abbreviation.lower()))


CLASSES: Final[dict[Year, tuple[str, ...]]] = {
    2020: tuple(own.codes for own in scored(2020)),
    2021: tuple(own.codes for own in scored(2021)),
}
"""The scored codes, in the order of ``challenge_weights``."""


def challenge_weights(year: Year) -> NDArray[np.float64]:
    """Return the challenge's reward of predicting class ``j`` where class ``i`` is true, of shape (class, class).

    The classes are ``CLASSES[year]``. Off the diagonal the published table is
    0.5 less the distance of two diagnoses on one scale, but for two entries of 2021.
    """
    classes = scored(year)
    place = np.array([own.place for own in classes])
    weights: NDArray[np.float64] = 0.5 - np.abs(place[:, None] - place[None, :])
    np.fill_diagonal(weights, 1.0)
    names = [own.abbreviation for own in classes]
    for pair, value in _APART.items():
        if pair <= set(names):
            i, j = (names.index(name) for name in pair)
            weights[i, j] = weights[j, i] = value
    return weights
