"""Heart rate variability of a series of intervals between normal beats."""

from cardioflow.analysis.hrv.hrv import Hrv, calc_hrv
from cardioflow.analysis.hrv.settings import HrvSettings

__all__ = ["Hrv", "HrvSettings", "calc_hrv"]
