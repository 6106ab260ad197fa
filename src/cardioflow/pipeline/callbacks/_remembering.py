"""Callbacks that know something of the run so far."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from cardioflow.errors import InputError
from cardioflow.pipeline.callbacks.base import Callback

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["Remembering", "RememberingBest"]


class Remembering(Callback):
    """Keeps plain values in ``memory``: anew for each run, through all loops over one, and on after ``restore``."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = self.fresh()
        self._run: Any = lambda: None
        self._goes_on = False

    @abstractmethod
    def fresh(self) -> dict[str, Any]:
        """Return what is known when a run begins."""

    def begins_with(self, context: RunContext) -> bool:
        """Return whether the run is a new one, and not one that goes on."""
        return not self._goes_on and self._run() is not context.variables

    def run_start(self, context: RunContext) -> None:
        if self.begins_with(context):
            self.memory = self.fresh()
        self.belong_to(context)

    def belong_to(self, context: RunContext) -> None:
        """Keep what is known for the run of ``context`` only."""
        self._run = weakref.ref(context.variables)
        self._goes_on = False

    def state(self) -> Mapping[str, Any]:
        return deepcopy(self.memory)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what ``state`` returned.

        Raises:
            InputError: when it is the state of another callback.
        """
        expected = self.fresh().keys()
        if state.keys() != expected:
            raise InputError(
                f"{type(self).__name__}.restore() was given the values {sorted(state)}, and expected "
                f"{sorted(expected)}. Pass what state() of a {type(self).__name__} returned."
            )
        self.memory = deepcopy(dict(state))
        self._goes_on = True


class RememberingBest(Remembering):
    """Keeps the best value of a figure and the epoch in which it came, under ``"best"`` and ``"best_epoch"``."""

    @property
    def best(self) -> float | None:
        """The best value so far; ``None`` before there is one."""
        value: float | None = self.memory["best"]
        return value

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the best value."""
        epoch: int | None = self.memory["best_epoch"]
        return epoch
