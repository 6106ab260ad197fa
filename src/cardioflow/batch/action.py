"""Action: the base class of all transforms and steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["Action"]


class Action(ABC):
    """One thing to do to a batch; its parameters are the fields of a frozen dataclass, checked when it is made.

    The name under which pipelines know it is its file's: ``BandPassSignals`` in
    ``band_pass_signals.py`` is ``"band_pass_signals"``.
    """

    evaluates_per_record: ClassVar[bool] = False
    """Whether it takes ``PerRecord`` arguments, such as ``B("fs")``, and gives each record its own value."""
    allowed_expressions: ClassVar[str] = "BCFV"
    """Which expressions of a pipeline its arguments may hold, by their letters; all, where it is made per batch."""

    former_parameters: ClassVar[Mapping[str, str]] = {}
    """Names that parameters had in earlier versions, each with today's; they still work, with a warning."""

    @property
    def action_name(self) -> str:
        """The name under which pipelines and batches know the action."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def __call__(self, batch: EcgBatch) -> EcgBatch:
        """Return the new batch; ``batch`` itself is never changed."""

    @classmethod
    def variant(cls, arguments: Mapping[str, Any]) -> type[Action]:  # noqa: ARG003 -- few kinds depend on them
        """Return the class that does the action with these keyword arguments, where they decide on its kind."""
        return cls

    @classmethod  # noqa: B027 -- most batches have every action
    def check_batch_class(cls, batch_class: type[Any]) -> None:
        """Raise when batches of ``batch_class`` do not have the action, before any data is read."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests run; one with required parameters must say which."""
        return (cls(),)

    def __str__(self) -> str:
        if not is_dataclass(self):
            return f"{self.action_name}(…)"
        given = []
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                given.append(f"{f.name}={value!r}")
        return f"{self.action_name}({', '.join(given)})"
