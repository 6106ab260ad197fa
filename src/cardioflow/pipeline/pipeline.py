"""A lazy list of steps: a template until it meets a data set."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.errors import CardioFlowError, ConfigError, NotRunError
from cardioflow.pipeline._fluent import PipelineActions
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.options import RunOptions

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.dataset import EcgDataset
    from cardioflow.pipeline.run import Run

__all__ = ["Pipeline"]


@final
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

    __slots__ = ("_current", "config", "dataset", "run_arguments", "steps")

    steps: tuple[Call, ...]
    config: Mapping[str, Any]
    dataset: EcgDataset | None
    run_arguments: Mapping[str, Any]
    """What ``run`` was given on the template."""

    def __init__(self, *, config: Mapping[str, Any] | None = None) -> None:
        self.steps = ()
        self.config = dict(config or {})
        self.dataset = None
        self.run_arguments = {}
        self._current: Run | None = None

    def _changed(self, **changes: Any) -> Self:
        new = copy(self)
        new._current = None
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def _with_call(self, name: str, *args: Any, **kwargs: Any) -> Self:
        call = Call(name, args, kwargs)
        try:
            call.check()
        except CardioFlowError as error:
            error.step = error.step or f"{len(self.steps) + 1}, {call}"
            raise
        return self._changed(steps=(*self.steps, call))

    # -- joining ------------------------------------------------------------

    def bind(self, dataset: EcgDataset) -> Self:
        """Return the pipeline bound to ``dataset``; ``dataset >> pipeline`` says the same."""
        return self._changed(dataset=dataset)

    def __lshift__(self, dataset: EcgDataset) -> Self:
        return self.bind(dataset)

    def __add__(self, other: Pipeline) -> Self:
        """Return the steps of both, one after the other; settings of one name must agree."""
        if not isinstance(other, Pipeline):
            return NotImplemented
        for name in self.config.keys() & other.config.keys():
            if self.config[name] != other.config[name]:
                raise ConfigError(
                    f"Both pipelines set {name!r}, to {self.config[name]!r} and to {other.config[name]!r}. "
                    "Drop one of them."
                )
        if self.dataset is not None and other.dataset is not None and self.dataset is not other.dataset:
            raise ConfigError("Both pipelines have a dataset. Join them first, then bind: dataset >> (a + b).")
        return self._changed(
            steps=self.steps + other.steps,
            config={**self.config, **other.config},
            dataset=self.dataset or other.dataset,
            run_arguments={**self.run_arguments, **other.run_arguments},
        )

    # -- running ------------------------------------------------------------

    def run(self, batch_size: int | None = None, **arguments: Any) -> Run | Self:
        """Run to the end and return the ``Run``; on a template, record the arguments and return the template.

        Takes what ``RunOptions`` lists: ``batch_size``, ``shuffle``,
        ``drop_last``, ``n_epochs``, ``seed``, ``on_error``, ``threads``,
        ``prefetch`` and ``progress``. What is given here goes before what the
        template recorded.

        Raises:
            NotRunError: on a template that has recorded its arguments already.
        """
        given = _given(batch_size, arguments)
        if self.dataset is not None:
            return self._start(given).execute()
        if self.run_arguments:
            raise NotRunError(
                "This template has its run() already and still no dataset. Bind it: (dataset >> template).run()."
            )
        RunOptions.check_names(given)
        if "batch_size" in given:
            RunOptions.of(given)
        return self._changed(run_arguments=given)

    def batches(self, batch_size: int | None = None, **arguments: Any) -> Run:
        """Return a ``Run`` to loop over: ``for batch in (dataset >> template).batches(100, shuffle=True)``.

        Takes the arguments of ``run``. Nothing is read before the first batch is asked for.
        """
        return self._start(_given(batch_size, arguments))

    def next_batch(self, batch_size: int | None = None, **arguments: Any) -> EcgBatch:
        """Return the next batch of a run that the first call starts; ``reset`` begins anew.

        Takes the arguments of ``run``.

        Raises:
            EndOfDataError: after the last batch.
        """
        if self._current is None:
            self._current = self._start(_given(batch_size, arguments))
        elif self._current.options != RunOptions.of({**self.run_arguments, **_given(batch_size, arguments)}):
            raise ConfigError("next_batch() was given other arguments than the call that began. Call reset() first.")
        return self._current.next_batch()

    def reset(self) -> None:
        """Let the next ``next_batch`` begin at the first batch again."""
        self._current = None

    def _start(self, given: dict[str, Any]) -> Run:
        if self.dataset is None:
            raise NotRunError(
                "This pipeline is a template: it has no dataset, so there are no batches. "
                "Bind it first: (dataset >> template).batches(…)."
            )
        from cardioflow.pipeline.run import Run  # a run knows its pipeline; loading it is not needed to write one

        return Run(self, RunOptions.of({**self.run_arguments, **given}))

    # -- as text ------------------------------------------------------------

    def to_json(self) -> str:
        """Return the steps, configuration and run arguments as JSON; a bound pipeline leaves its data set out."""
        from cardioflow.pipeline.text import pipeline_to_json

        return pipeline_to_json(self)

    @classmethod
    def from_json(cls, text: str, functions: Mapping[str, Any] | None = None) -> Pipeline:
        """Return the pipeline that ``to_json`` wrote.

        Functions are written as names, and never imported from the text:
        ``functions`` gives the ones that it may use.
        """
        from cardioflow.pipeline.text import pipeline_from_json

        return pipeline_from_json(text, functions or {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pipeline):
            return NotImplemented
        return (
            self.steps == other.steps
            and dict(self.config) == dict(other.config)
            and dict(self.run_arguments) == dict(other.run_arguments)
            and self.dataset is other.dataset
        )

    def __hash__(self) -> int:
        return hash(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("steps", "config", "dataset", "run_arguments")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._current = None

    def __repr__(self) -> str:
        state = "not run: no dataset" if self.dataset is None else f"bound to {len(self.dataset)} records"
        lines = [f"Pipeline ({state})"]
        lines += [f"  {i}. {step}" for i, step in enumerate(self.steps, 1)]
        if self.run_arguments:
            lines.append(f"  run({', '.join(f'{k}={v!r}' for k, v in self.run_arguments.items())})")
        return "\n".join(lines)


def _given(batch_size: int | None, arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments if batch_size is None else {"batch_size": batch_size, **arguments}
