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
    "from 100 ms at 4 to 16 years, from 90 ms below 4 years. Lower limit of adults: Mason 2007.",
    "rautaharju": "Rautaharju PM et al. AHA/ACCF/HRS recommendations, part IV. J Am Coll Cardiol 2009;53:982–991: "
    "QTc is prolonged from 460 ms in women and from 450 ms in men. Lower limits: Mason 2007.",
    "schwartz": "Schwartz PJ et al. Guidelines for the interpretation of the neonatal electrocardiogram (ESC). "
    "Eur Heart J 2002;23:1329–1344: heart rate, 2nd to 98th percentile, after Davignon 1979/80.",
    "chicago": "University of Chicago, Pediatric Cardiology: Pediatric Electrocardiography, table of normal values by "
    "age, rounded. pediatriccardiology.uchicago.edu/MP/ECG/ECG1.htm.",
}
"""The publications, by a short name."""


class _Child(NamedTuple):
    """The ranges of children who are younger than ``below`` years."""

    below: float
    heart_rate: tuple[float, float]
    pr_s: tuple[float, float]
    axis: tuple[float, float]


_HEART_RATE_OF_NEWBORNS: Final = 3 / 12
"""Age in years from which heart rates are those of the second source."""
_CHILDREN: Final = (
    _Child(7 / 365, (91, 166), (0.08, 0.15), (60, 180)),
    _Child(1 / 12, (107, 182), (0.08, 0.15), (45, 160)),
    _Child(3 / 12, (121, 179), (0.08, 0.15), (30, 135)),
    _Child(6 / 12, (105, 185), (0.08, 0.15), (0, 135)),
    _Child(1.0, (110, 170), (0.07, 0.16), (0, 135)),
    _Child(3.0, (90, 165), (0.08, 0.16), (0, 110)),
    _Child(5.0, (70, 140), (0.09, 0.17), (0, 110)),
    _Child(8.0, (65, 140), (0.09, 0.17), (0, 110)),
    _Child(12.0, (60, 130), (0.09, 0.17), (-15, 110)),
    _Child(16.0, (65, 130), (0.09, 0.18), (-15, 110)),
)
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
    depends on the rate. Children under 16 years have
    ranges of the heart rate, PR and the axis by age, an upper limit of QRS, and no range of QTc.

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
    row = next(row for row in _CHILDREN if age < row.below)
    return {
        "heart_rate": Range(*row.heart_rate, "schwartz" if age < _HEART_RATE_OF_NEWBORNS else "chicago"),
        "pr": Range(*row.pr_s, "chicago"),
        "qrs": Range(-math.inf, 0.089 if age < 4 else 0.099, "surawicz"),
        "qrs_axis": Range(*row.axis, "chicago"),
    }
