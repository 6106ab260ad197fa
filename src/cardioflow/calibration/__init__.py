"""Calibration of probabilities, thresholds, prediction sets and abstention: arrays in, small frozen objects out.

Every object is fitted on records that the model was not trained on, and tested on others again:

- ``TemperatureScaling``, ``VectorScaling`` and ``Isotonic`` turn probabilities into calibrated ones;
- ``calibration_error`` and ``reliability`` measure how well probabilities are calibrated;
- ``DecisionThresholds`` chooses the probability from which a label is given;
- ``ConformalSets`` gives the set of labels that holds the true one as often as was asked for;
- ``SelectivePrediction`` and ``risk_coverage`` say which records the model should not judge.

``to_json`` and ``from_json`` write and read the objects.
"""

from cardioflow.calibration.calibration_error import CalibrationError, calibration_error
from cardioflow.calibration.calibrators.base import Calibrator
from cardioflow.calibration.calibrators.isotonic import Isotonic
from cardioflow.calibration.calibrators.temperature_scaling import TemperatureScaling
from cardioflow.calibration.calibrators.vector_scaling import VectorScaling
from cardioflow.calibration.conformal_sets import ConformalSets, conformal_p_values
from cardioflow.calibration.coverage import Coverage, coverage
from cardioflow.calibration.decision_thresholds import DecisionThresholds
from cardioflow.calibration.json_forms import FORMS, from_json, to_json
from cardioflow.calibration.reliability import Reliability, reliability
from cardioflow.calibration.risk_coverage import RiskCoverage, risk_coverage
from cardioflow.calibration.selective_prediction import SelectivePrediction

__all__ = [
    "FORMS",
    "CalibrationError",
    "Calibrator",
    "ConformalSets",
    "Coverage",
    "DecisionThresholds",
    "Isotonic",
    "Reliability",
    "RiskCoverage",
    "SelectivePrediction",
    "TemperatureScaling",
    "VectorScaling",
    "calibration_error",
    "conformal_p_values",
    "coverage",
    "from_json",
    "reliability",
    "risk_coverage",
    "to_json",
]
