"""Metrics, one file each, named like the metric.

scikit-learn's own metrics can be used as they are. This package adds those that
ECG papers report and scikit-learn lacks, confidence intervals, the comparison of
two models, and confusion matrices.
"""

from cardioflow.metrics._bootstrap import bootstrap_interval
from cardioflow.metrics._compare import Comparison, compare_models
from cardioflow.metrics._confusion import ClassFigures, ConfusionMatrix, confusion_matrix

__all__ = [
    "ClassFigures",
    "Comparison",
    "ConfusionMatrix",
    "bootstrap_interval",
    "compare_models",
    "confusion_matrix",
]
