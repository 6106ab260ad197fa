"""What a pipeline is made of: steps, settings and recorded run arguments, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

from cardioflow.core.equality import same
from cardioflow.errors import CardioFlowError, ConfigError, NotRunError
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.part import PipelinePart

__all__ = ["Template", "calls_in", "joined_settings", "parts_of"]


@final
@dataclass(frozen=True, eq=False)
class Template:
    """Steps in order, their configuration, and the arguments of a run; every change gives a new one."""

    steps: tuple[Call, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    run_arguments: Mapping[str, Any] = field(default_factory=dict)
    """What ``run`` was given before there was a data set."""

    def with_call(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Template:
        """Return the template with one more step.

        Raises:
            CardioFlowError: with the step in it, when the arguments do not fit the action.
        """
        call = Call(name, args, kwargs)
        try:
            call.check()
        except CardioFlowError as error:
            error.step = error.step or f"{len(self.steps) + 1}, {call}"
            raise
        return replace(self, steps=(*self.steps, call))

    def with_run(self, arguments: Mapping[str, Any]) -> Template:
        """Return the template with the arguments of a run recorded.

        Raises:
            NotRunError: when it has some already.
            ConfigError: for an argument that ``run`` does not take.
        """
        if self.run_arguments:
            raise NotRunError(
                "This template has recorded its run() already and still has no dataset. "
                "Bind it: (dataset >> template).run()."
            )
        RunOptions.check_names(arguments)
        if "batch_size" in arguments:
            RunOptions.of(arguments)
        return replace(self, run_arguments=arguments)

    def joined(self, other: Template) -> Template:
        """Return the steps of both, one after the other.

        Raises:
            ConfigError: when they disagree on a setting.
        """
        return Template(
            self.steps + other.steps,
            joined_settings(self.config, other.config),
            {**self.run_arguments, **other.run_arguments},
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Template):
            return NotImplemented
        return self.steps == other.steps and all(
            same(dict(own), dict(given))
            for own, given in ((self.config, other.config), (self.run_arguments, other.run_arguments))
        )

    def __hash__(self) -> int:
        return hash(self.steps)


def joined_settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of two pipelines.

    Raises:
        ConfigError: when they disagree on one.
    """
    for name in one.keys() & other.keys():
        if not same(one[name], other[name]):
            raise ConfigError(
                f"Both pipelines set {name!r}, to {one[name]!r} and to {other[name]!r}. Drop one of them."
            )
    return {**one, **other}


def parts_of(call: Call) -> tuple[Template, ...]:
    """Return the pipelines among the arguments of ``call``."""
    values = (*call.args, *call.kwargs.values())
    return tuple(value.template for value in values if isinstance(value, PipelinePart))


def calls_in(calls: Sequence[Call]) -> Iterator[Call]:
    """Yield ``calls`` and the steps of the pipelines among their arguments, at any depth."""
    for call in calls:
        yield call
        for part in parts_of(call):
            yield from calls_in(part.steps)
