"""Begin with a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.run import Run

__all__ = ["LoadModel"]


@final
@dataclass(frozen=True)
class LoadModel(SetupStep):
    """Load the model ``name`` from the dump ``path`` when the run begins, as a ``path`` in its configuration does."""

    name: str
    path: str | Path

    def declare(self, run: Run) -> None:
        run.models.declare(self.name, {"path": str(self.path)})
