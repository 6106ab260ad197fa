"""Go on with a model of another run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from cardioflow.errors import InputError
from cardioflow.models.base import BaseModel
from cardioflow.pipeline.model_store import ModelSource
from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["ImportModel"]


@final
@dataclass(frozen=True)
class ImportModel(SetupStep):
    """Use the model ``name`` of ``source``, another run, or ``source`` itself where it is a model.

    Raises:
        NotRunError: when the other run has no such model yet.
    """

    names_model: ClassVar[bool] = True

    name: str
    source: Any

    def set_up(self, context: RunContext) -> None:
        if isinstance(self.source, BaseModel):
            context.models.put(self.name, self.source)
        elif isinstance(self.source, ModelSource):
            context.models.put(self.name, self.source.get_model(self.name))
        else:
            raise InputError(
                f"import_model({self.name!r}) was given a {type(self.source).__name__}. Pass a run, or a model."
            )
