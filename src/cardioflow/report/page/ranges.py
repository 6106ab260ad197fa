"""Normal ranges by age and sex, each with its source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["SOURCES", "Range", "normal_ranges"]

SOURCES: Final[Mapping[str, str]] = {
    "mason": "Mason JW et al. Electrocardiographic reference ranges derived from 79 743 ambulatory subjects. "
    "J Electrocardiol 2007;40:228–234: 2nd to 98th percentile of 46 129 subjects with a very low probability of "
    "cardiovascular disease, all ages and both sexes together.",
    "surawicz": "Surawicz B et al. AHA/ACCF/HRS recommendations for the standardization and interpretation of the "
    "electrocardiogram, part III. J Am Coll Cardiol 2009;53:976–981: QRS is prolonged above 110 ms over 16 years, "
    "from 100 ms at 4 to 16 years, from 90 ms below 4 years.",
    "rautaharju": "Rautaharju PM et al. AHA/ACCF/HRS recommendations, part IV. J Am Coll Cardiol 2009;53:982–991: "
    "QTc is prolonged from 460 ms in women and from 450 ms in men. Lower limits: Mason 2007.",
    "davignon": "Davignon A et al. Normal ECG standards for infants and children. Pediatr Cardiol 1979/80;1:123–131: "
    "2nd to 98th percentile.",
}
"""The publications, by a short name."""

# Age in years below which a row holds, heart rate (2nd, 98th percentile), and the 98th percentile of PR in s.
_CHILDREN: Final = (
    (1 / 365, 93, 154, None), (3 / 365, 91, 159, None), (7 / 365, 90, 166, None), (1 / 12, 107, 182, None),
    (3 / 12, 121, 179, 0.13), (6 / 12, 106, 186, 0.15), (1.0, 109, 169, 0.16), (3.0, 89, 151, 0.15),
    (5.0, 73, 137, 0.16), (8.0, 65, 133, 0.16), (12.0, 62, 130, 0.17), (16.0, 60, 119, 0.18),
)  # fmt: skip
_ADULT_FROM: Final = 16.0


class Range(NamedTuple):
    """The normal values of a measurement, in its unit, limits included; one side may be open."""

    low: float
    high: float
    source: str
    """A key of ``SOURCES``."""

    def verdict(self, value: float, step: float = 0.0) -> str:
        """Return ``"below"``, ``"within"`` or ``"above"``, by the value as it is written, in whole ``step``."""
        shown = round(value / step) * step if step else value
        if shown < self.low - 1e-9:
            return "below"
        return "above" if shown > self.high + 1e-9 else "within"


def normal_ranges(age: float | None, sex: str | None) -> dict[str, Range]:
    """Return the range of each measurement that has one; without an age those of adults.

    The heart rate and PR of adults are those of all ages together. QRS and QTc are limits of the
    AHA/ACCF/HRS recommendations, QTc by sex; without a sex, the higher limit counts. QT itself has none, because it
    depends on the rate. Children under 16 years have a
    range of the heart rate, an upper limit of PR (from one month on) and of QRS, and no other.

    Args:
        age: years, or ``None`` where it is not known.
        sex: ``"F"``, ``"M"``, or ``None``.
    """
    if age is not None and math.isfinite(age) and age < _ADULT_FROM:
        return _of_child(age)
    longest = 0.450 if sex == "M" else 0.460
    # "Prolonged from 460 ms": 459 is the last normal value in whole milliseconds.
    qtc = longest - 0.001
    return {
        "heart_rate": Range(48, 98, "mason"),
        "pr": Range(0.113, 0.212, "mason"),
        "qrs": Range(0.069, 0.110, "surawicz"),
        "qrs_axis": Range(-40, 91, "mason"),
        "qtc_bazett": Range(0.361, qtc, "rautaharju"),
        "qtc_fridericia": Range(0.359, qtc, "rautaharju"),
    }


def _of_child(age: float) -> dict[str, Range]:
    _, low, high, pr = next(row for row in _CHILDREN if age < row[0])
    found = {"heart_rate": Range(low, high, "davignon")}
    if pr is not None:
        found["pr"] = Range(-math.inf, pr, "davignon")
    found["qrs"] = Range(-math.inf, 0.089 if age < 4 else 0.099, "surawicz")
    return found
