"""Samplers for ``run(sampler=…)``: how often which record is drawn."""

from cardioflow.pipeline.samplers.balanced import Balanced
from cardioflow.pipeline.samplers.base import Draws, Sampler
from cardioflow.pipeline.samplers.weighted import Weighted

__all__ = ["Balanced", "Draws", "Sampler", "Weighted"]
