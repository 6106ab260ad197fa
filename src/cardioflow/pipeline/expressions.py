"""Names for values that are known only later: from the batch, the configuration or a variable.

``B("signal")`` is a component of the current batch, ``C("lr")`` a setting of
the pipeline's configuration, ``V("loss")`` a variable of the run and
``F(function)`` the result of ``function(batch)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, final

from cardioflow.batch.per_record import PerRecord
from cardioflow.core.equality import same
from cardioflow.errors import CardioFlowError, ConfigError, NotRunError, StepError, nearest

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["NO_DEFAULT", "B", "C", "Expression", "F", "Scope", "V", "evaluate", "expressions_in"]


class _NoDefault(Enum):
    # A member of an enumeration stays the same object when it is pickled or copied.
    NO_DEFAULT = "no default"

    def __repr__(self) -> str:
        return self.name


NO_DEFAULT: Final = _NoDefault.NO_DEFAULT
"""The default of a ``C`` without one: its setting is required."""


class _Variables(Protocol):
    def get(self, name: str) -> Any: ...


@dataclass(frozen=True)
class Scope:
    """What an expression can read: the configuration always, a batch and variables where they exist."""

    config: Mapping[str, Any]
    batch: EcgBatch | None = None
    variables: _Variables | None = None


class Expression(ABC):
    """A value that depends on a batch, on the configuration or on a run."""

    stateful: bool = False
    """Whether the value depends on earlier batches, so that it cannot be computed ahead."""

    @abstractmethod
    def value(self, scope: Scope) -> Any:
        """Return the value in ``scope``."""


@final
@dataclass(frozen=True, repr=False)
class B(Expression, PerRecord):
    """A component of the batch (``B("target")``), an attribute of it, or without a name the batch itself.

    ``apply_transform`` and ``apply_to_each_channel`` give each call the value of its own record.
    """

    name: str | None = None

    def rows(self, batch: EcgBatch) -> Sequence[Any]:
        """Return the value of each row; what belongs to the whole batch is repeated."""
        value = self.value(Scope({}, batch))
        of_the_batch = self.name in (None, "classes", "epoch", "provenance")
        return [value] * len(batch) if of_the_batch else value

    def value(self, scope: Scope) -> Any:
        """Return the component or attribute of the batch.

        Raises:
            NotRunError: when there is no batch.
        """
        if scope.batch is None:
            raise NotRunError(f"{self!r} has a value only where there is a batch. Use it as an argument of a step.")
        if self.name is None:
            return scope.batch
        if self.name in ("ids", "classes", "epoch", "provenance", "fs", "paths"):
            return getattr(scope.batch, self.name)
        return scope.batch.component(self.name)

    def __repr__(self) -> str:
        return "B()" if self.name is None else f"B({self.name!r})"


@final
@dataclass(frozen=True, eq=False, repr=False)
class C(Expression):
    """A setting of the pipeline's configuration; ``C("model/lr")`` looks inside a nested one."""

    name: str
    default: Any = NO_DEFAULT

    def value(self, scope: Scope) -> Any:
        """Return the setting, or the default where the configuration does not have it.

        Raises:
            ConfigError: when the configuration does not have the setting, and there is no default.
        """
        found: Any = scope.config
        for part in self.name.split("/"):
            if not isinstance(found, Mapping) or part not in found:
                if self.default is not NO_DEFAULT:
                    return self.default
                known = found if isinstance(found, Mapping) else ()
                raise ConfigError(
                    f"The configuration does not have the setting {self.name!r}. {nearest(part, map(str, known))} "
                    f"Set it with Pipeline(config={{…}}), or pass C({self.name!r}, default=…)."
                )
            found = found[part]
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, C):
            return NotImplemented
        return self.name == other.name and same(self.default, other.default)

    def __hash__(self) -> int:
        # The default may be a list or an array, which cannot be hashed.
        return hash(("C", self.name))

    def __repr__(self) -> str:
        default = "" if self.default is NO_DEFAULT else f", default={self.default!r}"
        return f"C({self.name!r}{default})"


@final
@dataclass(frozen=True, eq=False, repr=False)
class F(Expression):
    """The result of ``function(batch)``, computed for every batch."""

    function: Callable[[EcgBatch], Any]
    stateful = True

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ConfigError(f"F({self.function!r}): expected a function of the batch. Pass F(function).")

    def value(self, scope: Scope) -> Any:
        """Return what the function returns for the batch.

        Raises:
            NotRunError: when there is no batch.
            StepError: when the function raises an exception; it is the ``__cause__``.
        """
        if scope.batch is None:
            raise NotRunError(f"{self!r} has a value only where there is a batch. Use it as an argument of a step.")
        try:
            return self.function(scope.batch)
        except CardioFlowError:
            raise
        except Exception as error:
            raise StepError.of(error, what=repr(self)) from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, F):
            return NotImplemented
        return same(self.function, other.function)

    def __hash__(self) -> int:
        # A callable object, or a partial with a list, need not have a hash.
        return hash(("F", _name_of(self.function)))

    def __repr__(self) -> str:
        return f"F({_name_of(self.function)})"


@final
@dataclass(frozen=True, repr=False)
class V(Expression):
    """A variable of the run; where a step saves to it, ``mode`` says how.

    ``"w"`` replaces the value, ``"a"`` appends to a list, ``"e"`` extends a
    list, ``"u"`` updates a dict or a set.
    """

    name: str
    mode: Literal["w", "a", "e", "u"] = "w"
    stateful = True

    def __post_init__(self) -> None:
        if self.mode not in ("w", "a", "e", "u"):
            raise ConfigError(f"V({self.name!r}, mode={self.mode!r}): expected the mode 'w', 'a', 'e' or 'u'.")

    def value(self, scope: Scope) -> Any:
        """Return the value of the variable.

        Raises:
            NotRunError: when there is no run.
            UnknownNameError: when the run has no variable of that name.
        """
        if scope.variables is None:
            raise NotRunError(f"{self!r} has a value only in a run.")
        return scope.variables.get(self.name)

    def __repr__(self) -> str:
        return f"V({self.name!r})" if self.mode == "w" else f"V({self.name!r}, mode={self.mode!r})"


def evaluate(value: Any, scope: Scope, *, per_record: bool = False) -> Any:
    """Return ``value`` with each expression replaced by its value, also inside lists, tuples, sets and mappings.

    A container without an expression is returned as it is, and not copied. With
    ``per_record`` expressions of that kind stay, for the action to evaluate them.
    """
    if isinstance(value, Expression):
        return value if per_record and isinstance(value, PerRecord) else value.value(scope)
    if not any(True for _ in expressions_in(value)):
        return value
    if isinstance(value, Mapping):
        return {k: evaluate(v, scope, per_record=per_record) for k, v in value.items()}
    parts = (evaluate(v, scope, per_record=per_record) for v in value)
    # A named tuple takes its fields as arguments of their own.
    return type(value)._make(parts) if hasattr(value, "_make") else type(value)(parts)


def expressions_in(value: Any) -> Iterator[Expression]:
    """Yield every expression in ``value``, also inside lists, tuples, sets and mappings."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for v in value:
            yield from expressions_in(v)
    elif isinstance(value, Mapping):
        for v in value.values():
            yield from expressions_in(v)


def _name_of(function: Callable[..., Any]) -> str:
    inner = getattr(function, "func", function)
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"partial({name})" if inner is not function else str(name)
