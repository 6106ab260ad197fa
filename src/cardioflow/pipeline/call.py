"""One step of a pipeline as it was written: the action's name and its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from cardioflow.batch.action import Action
from cardioflow.batch.per_record import PerRecord
from cardioflow.core.equality import same
from cardioflow.core.former_names import former_call
from cardioflow.errors import CardioFlowError, InputError, nearest
from cardioflow.pipeline.expressions import Expression, Scope, evaluate, expressions_in
from cardioflow.pipeline.part import PipelinePart
from cardioflow.registry import actions

__all__ = ["Call"]

OUTPUT_PARAMETERS = ("save_to", "uncertainty", "variable")
"""Parameters that name a place to write to; an expression given there is not replaced by its value.

They are meant where the action declares them: ``variable`` of ``load(fmt="mat", variable=C("v"))`` is an option of a
format, which is read.
"""


@final
@dataclass(frozen=True, eq=False)
class Call:
    """An action and the arguments that it was given; checked when written, made when bound."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise at once what can be known to be wrong before any data is there.

        Raises:
            UnknownNameError: when there is no such action.
            InputError: when the arguments do not fit the action.
        """
        cls = actions.get(self.name)
        if advice := former_call(self.name, self.args):
            raise InputError(advice)
        signature = inspect.signature(cls)
        try:
            signature.bind(*self.args, **self.kwargs)
        except TypeError as error:
            unknown = [k for k in self.kwargs if k not in signature.parameters]
            if unknown:
                raise InputError(
                    f"{self.name}() takes no {unknown[0]!r}. {nearest(unknown[0], signature.parameters)}"
                ) from None
            raise InputError(f"{self}: {error}. It takes {', '.join(signature.parameters)}.") from None
        self._check_expressions(cls)
        if not self.expressions:
            self.kind(*self.args, **self.kwargs)

    @property
    def kind(self) -> type[Action]:
        """The class of the action."""
        kind: type[Action] = actions.get(self.name).variant(self.kwargs)
        return kind

    def _check_expressions(self, cls: type[Action]) -> None:
        """Refuse an expression whose value could not be known when the action needs it."""
        for parameter, value in self._named():
            if parameter in OUTPUT_PARAMETERS:
                continue
            for found in expressions_in(value):
                kind = type(found).__name__
                if kind not in cls.allowed_expressions:
                    known = " or ".join(f"{k}(…)" for k in cls.allowed_expressions)
                    raise InputError(
                        f"{self.name}({parameter}={found!r}) changes during a run, and {self.name} is made once, "
                        f"when it begins. Pass a value, or {known}."
                    )

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions to replace among the arguments: not places to save to, nor what the action evaluates."""
        kept = PerRecord if actions.get(self.name).evaluates_per_record else ()
        found = (e for name, value in self._named() if not self._is_output(name) for e in expressions_in(value))
        return tuple(e for e in found if not isinstance(e, kept))

    @property
    def is_stateful(self) -> bool:
        """Whether an argument, or a place to save to, depends on what the run did before."""
        return any(e.stateful for _, value in self._named() for e in expressions_in(value))

    def make(self, scope: Scope) -> Action:
        """Return the action with every expression replaced by its value in ``scope``.

        A place to save to stays an expression: the step itself writes there.
        """
        args, kwargs = [], {}
        kept = actions.get(self.name).evaluates_per_record
        for i, (name, value) in enumerate(self._named()):
            final = value if self._is_output(name) else evaluate(value, scope, per_record=kept)
            if i < len(self.args):
                args.append(final)
            else:
                kwargs[name] = final
        try:
            made = self.kind(*args, **kwargs)
        except CardioFlowError as error:
            error.step = error.step or str(self)
            raise
        return made

    def _is_output(self, parameter: str) -> bool:
        """Return whether the action declares ``parameter`` as a place to write to."""
        return parameter in OUTPUT_PARAMETERS and parameter in inspect.signature(actions.get(self.name)).parameters

    def _named(self) -> list[tuple[str, Any]]:
        """Return the arguments with their parameters' names; further positional ones have none."""
        parameters = inspect.signature(actions.get(self.name)).parameters.values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        names += [""] * len(self.args)
        return [*zip(names, self.args, strict=False), *self.kwargs.items()]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        return self.name == other.name and same(self.args, other.args) and same(dict(self.kwargs), dict(other.kwargs))

    def __hash__(self) -> int:
        return hash((self.name, len(self.args), tuple(sorted(self.kwargs))))

    def __str__(self) -> str:
        given = [_short(a) for a in self.args] + [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(given)})"

    __repr__ = __str__


def _short(value: Any) -> str:
    if isinstance(value, PipelinePart):
        return value._brief()
    if callable(value) and not isinstance(value, Expression):
        return str(getattr(value, "__name__", value))
    text = repr(value)
    return text if len(text) <= 80 else f"<{type(value).__name__}>"
