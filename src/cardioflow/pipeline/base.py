"""What a template and a bound pipeline have in common: steps, the way they are written, and their text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from cardioflow.pipeline._fluent import PipelineActions
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.part import PipelinePart
from cardioflow.pipeline.template import Template

if TYPE_CHECKING:
    from cardioflow.pipeline.drawing import Drawing

__all__ = ["PipelineBase"]


class PipelineBase(PipelineActions, PipelinePart):
    """Steps in order that never change; every action is a method and returns a new pipeline with one more step."""

    template: Template

    @abstractmethod
    def _with_template(self, template: Template) -> Self:
        """Return the same pipeline over other steps."""

    @abstractmethod
    def _state(self) -> str:
        """Return what ``repr`` says of the pipeline."""

    def _with_call(self, name: str, /, *args: Any, **kwargs: Any) -> Self:
        return self._with_template(self.template.with_call(name, args, kwargs))

    @property
    def steps(self) -> tuple[Call, ...]:
        """The steps as they were written."""
        return self.template.steps

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings that ``C`` and models read."""
        return self.template.config

    @property
    def run_arguments(self) -> Mapping[str, Any]:
        """What ``run`` was given on the template."""
        return self.template.run_arguments

    def __add__(self, other: PipelineBase) -> Self:
        """Return the steps of both, one after the other; settings of one name must agree."""
        if not isinstance(other, PipelineBase):
            return NotImplemented
        return self._with_template(self.template.joined(other.template))

    def merge(self, *pipelines: PipelineBase) -> Self:
        """Return the pipeline whose batches hold its own rows and those of ``pipelines``: see ``merge_pipelines``."""
        return self._with_call("merge_pipelines", *pipelines)

    def draw(self) -> Drawing:
        """Return a drawing of the steps: ``print`` shows text, a notebook shows it, and ``save`` writes an SVG file."""
        # Nothing else needs it.
        from cardioflow.pipeline.drawing import draw

        return draw(self.template, self._state())

    def to_json(self) -> str:
        """Return the steps, configuration and run arguments as JSON; a bound pipeline leaves its data set out."""
        # The codec is not needed to write a pipeline.
        from cardioflow.pipeline.serialization import template_to_json

        return template_to_json(self.template)

    def __len__(self) -> int:
        return len(self.template.steps)

    def __bool__(self) -> bool:
        return True

    def _brief(self) -> str:
        names = [step.name for step in self.steps]
        shown = ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])}, … {len(names) - 3} more"
        return f"<pipeline: {shown or 'no steps'}>"

    def __repr__(self) -> str:
        lines = [f"Pipeline ({self._state()})"]
        lines += [f"  {i}. {step}" for i, step in enumerate(self.steps, 1)]
        if self.run_arguments:
            lines.append(f"  run({', '.join(f'{k}={v!r}' for k, v in self.run_arguments.items())})")
        return "\n".join(lines)
