"""The lazy pipeline: data sets, steps, expressions, variables, and the engines that run them.

A ``Pipeline`` is a list of steps (``Call``) and never changes; ``Plan`` compiles it
for a data set; a ``Run`` does it and holds all that changes. Pure steps may run
anywhere and ahead of time (``engines/``); stateful ones (``steps/``) run in
order, where the model and the variables are.
"""

from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.expressions import B, C, F, V
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["B", "C", "EcgDataset", "F", "Pipeline", "V"]
