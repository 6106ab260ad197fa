"""Declare a variable of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.steps.base import SetupStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["InitVariable"]


@final
@dataclass(frozen=True)
class InitVariable(SetupStep):
    """Declare the variable ``name``; every run begins with its own copy of ``default``, or with ``init()``."""

    name: str
    default: Any = None
    init: Callable[[], Any] | None = None

    def set_up(self, context: RunContext) -> None:
        context.variables.declare(self.name, self.init() if self.init is not None else self.default)
