"""A lazy list of steps: a template until it meets a data set."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from cardioflow.errors import CardioFlowError, ConfigError, NotRunError
from cardioflow.pipeline._fluent import PipelineActions
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.options import RunOptions

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.bound import BoundPipeline
    from cardioflow.pipeline.dataset import EcgDataset
    from cardioflow.pipeline.run import Run

__all__ = ["Pipeline", "given_arguments"]


class Pipeline(PipelineActions):
    """Steps in order, written once and run on any data; nothing happens before ``run`` or ``batches``.

    Every action is a method and returns a new pipeline with one more step; the
    pipeline itself never changes. ``dataset >> pipeline`` binds it to data.

    >>> template = Pipeline().load(fmt="wfdb", components=["signal", "meta"]).standardize()
    >>> print(template)
    Pipeline (not run: no dataset)
      1. load(fmt='wfdb', components=['signal', 'meta'])
      2. standardize()
    """

    def __init__(self, *, config: Mapping[str, Any] | None = None) -> None:
        self.steps: tuple[Call, ...] = ()
        self.config: Mapping[str, Any] = dict(config or {})
        self.run_arguments: Mapping[str, Any] = {}
        """What ``run`` was given on the template."""

    def _changed(self, **changes: Any) -> Self:
        new = copy(self)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def _with_call(self, name: str, /, *args: Any, **kwargs: Any) -> Self:
        call = Call(name, args, kwargs)
        try:
            call.check()
        except CardioFlowError as error:
            error.step = error.step or f"{len(self.steps) + 1}, {call}"
            raise
        return self._changed(steps=(*self.steps, call))

    # -- joining ------------------------------------------------------------

    def bind(self, dataset: EcgDataset) -> BoundPipeline:
        """Return the pipeline bound to ``dataset``; ``dataset >> pipeline`` says the same."""
        from cardioflow.pipeline.bound import BoundPipeline

        return BoundPipeline(dataset, self)

    def __lshift__(self, dataset: EcgDataset) -> BoundPipeline:
        return self.bind(dataset)

    def __add__(self, other: Pipeline) -> Pipeline:
        """Return the steps of both, one after the other; settings of one name must agree."""
        if not isinstance(other, Pipeline):
            return NotImplemented
        for name in self.config.keys() & other.config.keys():
            if self.config[name] != other.config[name]:
                raise ConfigError(
                    f"Both pipelines set {name!r}, to {self.config[name]!r} and to {other.config[name]!r}. "
                    "Drop one of them."
                )
        return self._changed(
            steps=self.steps + other.steps,
            config={**self.config, **other.config},
            run_arguments={**self.run_arguments, **other.run_arguments},
        )

    # -- running ------------------------------------------------------------

    def run(self, batch_size: int | None = None, **arguments: Any) -> Pipeline:
        """Record the arguments for a run of the bound pipeline, and return the template.

        Takes what ``RunOptions`` lists: ``batch_size``, ``shuffle``,
        ``drop_last``, ``n_epochs``, ``seed``, ``on_error``, ``threads``,
        ``prefetch`` and ``progress``.

        Raises:
            NotRunError: when the template has recorded its arguments already.
        """
        if self.run_arguments:
            raise NotRunError(
                "This template has its run() already and still no dataset. Bind it: (dataset >> template).run()."
            )
        given = given_arguments(batch_size, arguments)
        RunOptions.check_names(given)
        if "batch_size" in given:
            RunOptions.of(given)
        return self._changed(run_arguments=given)

    def batches(self, batch_size: int | None = None, **arguments: Any) -> Run:  # noqa: ARG002 -- the signature of every pipeline
        """Raise: a template has no batches; ``dataset >> template`` has."""
        raise NotRunError(
            "This pipeline is a template: it has no dataset, so there are no batches. "
            "Bind it first: (dataset >> template).batches(…)."
        )

    def next_batch(self, batch_size: int | None = None, **arguments: Any) -> EcgBatch:
        """Raise, as ``batches`` does."""
        return self.batches(batch_size, **arguments).next_batch()

    # -- as text ------------------------------------------------------------

    def to_json(self) -> str:
        """Return the steps, configuration and run arguments as JSON; a bound pipeline leaves its data set out."""
        from cardioflow.pipeline.serialization import pipeline_to_json

        return pipeline_to_json(self)

    @classmethod
    def from_json(cls, text: str, functions: Mapping[str, Any] | None = None) -> Pipeline:
        """Return the pipeline that ``to_json`` wrote.

        Functions are written as names, and never imported from the text:
        ``functions`` gives the ones that it may use.
        """
        from cardioflow.pipeline.serialization import pipeline_from_json

        return pipeline_from_json(text, functions or {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pipeline):
            return NotImplemented
        return (
            type(self) is type(other)
            and self.steps == other.steps
            and dict(self.config) == dict(other.config)
            and dict(self.run_arguments) == dict(other.run_arguments)
        )

    def __hash__(self) -> int:
        return hash(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def _state(self) -> str:
        return "not run: no dataset"

    def __repr__(self) -> str:
        lines = [f"Pipeline ({self._state()})"]
        lines += [f"  {i}. {step}" for i, step in enumerate(self.steps, 1)]
        if self.run_arguments:
            lines.append(f"  run({', '.join(f'{k}={v!r}' for k, v in self.run_arguments.items())})")
        return "\n".join(lines)


def given_arguments(batch_size: int | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``run`` by name, without a batch size that was not given."""
    return arguments if batch_size is None else {"batch_size": batch_size, **arguments}
