"""Learning from records without labels: a Keras encoder of the zoo, trained on a task of its own making.

``MaskedReconstruction`` fills in what was hidden, ``SimClr`` and ``Cmsc`` tell
records apart, and ``Cpc`` predicts what comes next. Each is a model like any
other: it is built, trained in a pipeline and saved. ``transfer_encoder`` then
gives what it learned to a classifier, which is frozen, probed or fine-tuned
with ``TrainingOptions``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow.models.pretraining.cmsc import Cmsc
    from cardioflow.models.pretraining.cpc import Cpc
    from cardioflow.models.pretraining.masked_reconstruction import MaskedReconstruction
    from cardioflow.models.pretraining.sim_clr import SimClr
    from cardioflow.models.pretraining.transfer import transfer_encoder

__all__ = ["Cmsc", "Cpc", "MaskedReconstruction", "SimClr", "transfer_encoder"]

_MODULES = {
    "Cmsc": "cmsc",
    "Cpc": "cpc",
    "MaskedReconstruction": "masked_reconstruction",
    "SimClr": "sim_clr",
    "transfer_encoder": "transfer",
}


def __getattr__(name: str) -> Any:
    # Keras is imported when one of them is asked for.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
