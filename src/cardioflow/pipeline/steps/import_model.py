"""Go on with a model of another run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import InputError
from cardioflow.models.base import BaseModel
from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.run import Run

__all__ = ["ImportModel"]


@final
@dataclass(frozen=True)
class ImportModel(SetupStep):
    """Use the model ``name`` of ``source``, another run, or ``source`` itself where it is a model.

    Raises:
        NotRunError: when the other run has no such model yet.
    """

    name: str
    source: Any

    def declare(self, run: Run) -> None:
        from cardioflow.pipeline.run import Run as _Run

        if isinstance(self.source, BaseModel):
            run.models.put(self.name, self.source)
        elif isinstance(self.source, _Run):
            run.models.put(self.name, self.source.get_model(self.name))
        else:
            raise InputError(
                f"import_model({self.name!r}) was given a {type(self.source).__name__}. Give a run, or a model."
            )
