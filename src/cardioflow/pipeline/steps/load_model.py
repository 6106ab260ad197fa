"""Begin with a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["LoadModel"]


@final
@dataclass(frozen=True)
class LoadModel(SetupStep):
    """Load the model ``name`` from the dump ``path`` when the run begins, as a ``path`` in its configuration does."""

    names_model: ClassVar[bool] = True

    name: str
    path: str | Path

    def set_up(self, context: RunContext) -> None:
        context.models.declare(self.name, {"path": str(self.path)})
