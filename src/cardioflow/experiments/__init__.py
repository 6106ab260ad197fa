"""Grids and searches over configurations, with repetitions: resumable, and with all results in one table."""

from cardioflow.experiments.experiment import Experiment
from cardioflow.experiments.space import Uniform, Whole

__all__ = ["Experiment", "Uniform", "Whole"]
