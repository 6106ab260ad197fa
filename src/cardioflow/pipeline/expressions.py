"""Names that stand for a value which is known only later: in the batch, the configuration or a variable.

``B("signal")`` is a component of the batch at hand, ``C("lr")`` a setting of
the pipeline's configuration, ``V("loss")`` a variable of the run and
``F(function)`` what ``function(batch)`` returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from cardioflow.errors import ConfigError, NotRunError, nearest

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.variables import Variables

__all__ = ["B", "C", "Expression", "F", "Scope", "V", "evaluate", "expressions_in"]

_MISSING: Any = object()


@dataclass(frozen=True)
class Scope:
    """What an expression may look at: the configuration always, a batch and variables where there are some."""

    config: Mapping[str, Any]
    batch: EcgBatch | None = None
    variables: Variables | None = None


class Expression(ABC):
    """A value that is known only when a batch, a configuration or a run is there."""

    stateful: bool = False
    """Whether the value depends on what the run did before, so that it cannot be computed ahead."""

    @abstractmethod
    def value(self, scope: Scope) -> Any:
        """Return the value in ``scope``."""


@final
@dataclass(frozen=True)
class B(Expression):
    """A component of the batch (``B("target")``), an attribute of it, or with no name the batch itself."""

    name: str | None = None

    def value(self, scope: Scope) -> Any:
        if scope.batch is None:
            raise NotRunError(f"{self!r} has a value only where a batch is. Use it as an argument of a step.")
        if self.name is None:
            return scope.batch
        if self.name in ("ids", "classes", "epoch", "provenance", "fs", "paths"):
            return getattr(scope.batch, self.name)
        return scope.batch.component(self.name)


@final
@dataclass(frozen=True)
class C(Expression):
    """A setting of the pipeline's configuration; ``C("model/lr")`` looks inside a nested one."""

    name: str
    default: Any = _MISSING

    def value(self, scope: Scope) -> Any:
        found: Any = scope.config
        for part in self.name.split("/"):
            if not isinstance(found, Mapping) or part not in found:
                if self.default is not _MISSING:
                    return self.default
                known = found if isinstance(found, Mapping) else ()
                raise ConfigError(
                    f"The configuration has no {self.name!r}. {nearest(part, known)} "
                    f"Set it with Pipeline(config={{…}}), or give C({self.name!r}, default=…)."
                )
            found = found[part]
        return found

    def __repr__(self) -> str:
        default = "" if self.default is _MISSING else f", default={self.default!r}"
        return f"C({self.name!r}{default})"


@final
@dataclass(frozen=True)
class F(Expression):
    """What ``function(batch)`` returns, called anew for every batch."""

    function: Callable[[EcgBatch], Any]
    stateful = True

    def value(self, scope: Scope) -> Any:
        if scope.batch is None:
            raise NotRunError(f"{self!r} has a value only where a batch is. Use it as an argument of a step.")
        return self.function(scope.batch)


@final
@dataclass(frozen=True)
class V(Expression):
    """A variable of the run; as the place to save to, ``mode`` says how.

    ``"w"`` replaces the value, ``"a"`` appends to a list, ``"e"`` extends a
    list, ``"u"`` updates a dict or a set.
    """

    name: str
    mode: Literal["w", "a", "e", "u"] = "w"
    stateful = True

    def __post_init__(self) -> None:
        if self.mode not in ("w", "a", "e", "u"):
            raise ConfigError(f"V({self.name!r}, mode={self.mode!r}): mode is 'w', 'a', 'e' or 'u'.")

    def value(self, scope: Scope) -> Any:
        if scope.variables is None:
            raise NotRunError(f"{self!r} has a value only in a run.")
        return scope.variables.get(self.name)


def evaluate(value: Any, scope: Scope) -> Any:
    """Return ``value`` with every expression in it, also inside lists, tuples and dicts, replaced by its value."""
    if isinstance(value, Expression):
        return value.value(scope)
    if isinstance(value, (list, tuple)) and any(True for _ in expressions_in(value)):
        return type(value)(evaluate(v, scope) for v in value)
    if isinstance(value, dict):
        return {k: evaluate(v, scope) for k, v in value.items()}
    return value


def expressions_in(value: Any) -> Iterator[Expression]:
    """Yield every expression in ``value``, also inside lists, tuples and dicts."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from expressions_in(v)
    elif isinstance(value, Mapping):
        for v in value.values():
            yield from expressions_in(v)
