"""The steps that a dump brings for preparing records: only what cannot reach out, write, or use up the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, final

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.limits import arguments_of, check_arguments, check_cost, check_raw
from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import CardioFlowError, DumpError, StepError
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.expressions import C, Expression, Scope, evaluate, expressions_in
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["Preparation"]

_MAX_BYTES = 4 * 2**20
_MAX_VALUES = 200_000
_MAX_DEPTH = 32
_MAX_STEPS = 100

_MIX_RECORDS = frozenset({"get_triplets", "random_cut_mix", "random_mix_up"})
"""Actions after which a row is no longer one record."""
_UNBOUNDED = frozenset({"random_resample_signals"})
"""Actions that draw the size of their result."""


@final
@dataclass(frozen=True)
class Preparation:
    """Steps from a record's file to what a model takes, checked before they are made."""

    steps: tuple[Call, ...] = ()
    """Without expressions: the settings of the pipeline are filled in."""
    first: int = 0
    """How many of them are left out by ``apply``, because the records were read already."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the steps of a pipeline's JSON text; run arguments in it are dropped.

        Raises:
            DumpError: for a text that is not a pipeline, or whose steps do anything else than read the given
                files and transform records, or would take more memory or time than records can need.
        """
        try:
            raw = parse_limited(
                text.encode("utf-8", "surrogatepass"),
                max_bytes=_MAX_BYTES,
                max_values=_MAX_VALUES,
                max_depth=_MAX_DEPTH,
            )
            check_raw(raw)
            pipeline = Pipeline.from_json(text)
            steps = _checked_all(pipeline)
        except DumpError:
            raise
        except (CardioFlowError, TypeError, ValueError) as error:
            raise DumpError(f"Its preprocessing is not a valid pipeline: {error}") from error
        return cls(steps)

    @property
    def n_reading(self) -> int:
        """The number of steps at the beginning that read."""
        return next((i for i, call in enumerate(self.steps) if call.name != "load"), len(self.steps))

    def read(self, batch: EcgBatch) -> EcgBatch:
        """Return ``batch`` after the steps at the beginning that read.

        Raises:
            CardioFlowError: with the step that failed.
        """
        for number, call in enumerate(self.steps[: self.n_reading], 1):
            batch = _applied(call, batch, f"{number}, {call}")
        return batch

    def after_reading(self) -> Preparation:
        """Return the preparation of records that ``read`` returned; steps keep their numbers."""
        return replace(self, first=self.n_reading)

    def apply(self, batch: EcgBatch) -> tuple[EcgBatch, Mapping[str, str]]:
        """Return ``batch`` after its steps, and for each record that a step left out, that step.

        Raises:
            CardioFlowError: with the step that failed.
        """
        left_out: dict[str, str] = {}
        for number, call in enumerate(self.steps[self.first :], self.first + 1):
            if not len(batch):
                break
            where = f"{number}, {call}"
            before = batch.provenance.record_id
            batch = _applied(call, batch, where)
            left_out.update(dict.fromkeys(set(before) - set(batch.provenance.record_id), where))
        return batch, left_out


def _applied(call: Call, batch: EcgBatch, where: str) -> EcgBatch:
    try:
        action: Any = call.make(Scope({}, batch))
        done: EcgBatch = action(batch)
    except CardioFlowError as error:
        error.step = where
        raise
    except Exception as error:
        raise StepError(f"{type(error).__name__}: {error}", step=where) from error
    return done


def _checked_all(pipeline: Pipeline) -> tuple[Call, ...]:
    if len(pipeline.steps) > _MAX_STEPS:
        raise DumpError(f"Its preprocessing has {len(pipeline.steps)} steps, and at most {_MAX_STEPS} are taken.")
    steps = tuple(_checked(call, pipeline.config) for call in pipeline.steps)
    check_cost(steps)
    return steps


def _checked(call: Call, config: Mapping[str, Any]) -> Call:
    """Return ``call`` with its settings filled in, if it only reads the given file or transforms a record."""
    if call.name == "load":
        _check_load(call)
    elif call.name not in registry.transforms:
        raise DumpError(
            f"Its preprocessing has the step {call}, and only load and transforms of records are taken from a dump. "
            "If you trust the file, run its pipeline in Python."
        )
    elif call.name in _MIX_RECORDS | _UNBOUNDED:
        reason = "mixes records" if call.name in _MIX_RECORDS else "draws the size of its result"
        raise DumpError(
            f"Its preprocessing has the step {call}, which {reason}. It belongs to training: "
            "save the model with a preprocessing without it."
        )
    for expression in expressions_in([*call.args, *call.kwargs.values()]):
        if not isinstance(expression, C):
            raise DumpError(
                f"Its preprocessing has the step {call}, whose argument {expression} has no value when a record is "
                "predicted. Save the model with a preprocessing that has the value itself, or C(…)."
            )
    scope = Scope(config)
    filled = Call(
        call.name,
        tuple(_filled(value, scope) for value in call.args),
        {name: _filled(value, scope) for name, value in call.kwargs.items()},
    )
    check_arguments(filled)
    filled.check()
    return filled


def _check_load(call: Call) -> None:
    arguments = arguments_of(call)
    if arguments.get("src") is not None:
        raise DumpError(
            f"Its preprocessing has the step {call}, which reads other files than those to predict. "
            "If you trust the file, run its pipeline in Python."
        )
    components = arguments.get("components") or ()
    if "target" in ((components,) if isinstance(components, str) else components):
        raise DumpError(
            f"Its preprocessing has the step {call}, which joins labels, and records to predict have none. "
            "Save the model with a preprocessing without it."
        )


def _filled(value: Any, scope: Scope) -> Any:
    filled = evaluate(value, scope)
    left: tuple[Expression, ...] = tuple(expressions_in(filled))
    if left:
        raise DumpError(f"Its preprocessing has the setting {left[0]}, which is not a value.")
    return filled
