"""Metrics: one file each, named like the metric.

scikit-learn computes what scikit-learn has; here stands what the field reports
and it lacks, and the intervals beside the figures.
"""

from cardioflow.metrics._bootstrap import bootstrap_interval

__all__ = ["bootstrap_interval"]
