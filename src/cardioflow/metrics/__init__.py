"""Metrics, one file each, named like the metric.

scikit-learn's own metrics can be used as they are. This package adds those that
ECG papers report and scikit-learn lacks, and confidence intervals.
"""

from cardioflow.metrics._bootstrap import bootstrap_interval

__all__ = ["bootstrap_interval"]
