"""The referee: detectors, delineators and models scored by published protocols, ours and others' alike.

``cardioflow benchmark`` and the functions here give the same tables. A task is a
file in ``tasks/``, a method that is scored a file in ``methods/``.
"""

from cardioflow.analysis.matching import match_events
from cardioflow.referee.benchmark import benchmark
from cardioflow.referee.tables import Report, Table

__all__ = ["Report", "Table", "benchmark", "match_events"]
