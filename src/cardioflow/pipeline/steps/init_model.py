"""Name a model that the run uses, with its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["InitModel"]


@final
@dataclass(frozen=True)
class InitModel(SetupStep):
    """Say that the run uses the model ``name``: a static one is built at once, a dynamic one from the first batch.

    ``config`` goes to the model's builder, over what ``Pipeline(config={name:
    …})`` gives. A ``path`` in it is a dump to load, which is checked at once.
    """

    names_model: ClassVar[bool] = True

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)

    def set_up(self, context: RunContext) -> None:
        context.models.declare(self.name, self.config)
