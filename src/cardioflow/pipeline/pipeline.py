"""A lazy list of steps: a template until it meets a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from cardioflow.errors import InputError, NotRunError
from cardioflow.pipeline.base import PipelineBase
from cardioflow.pipeline.bound import BoundPipeline
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.options import with_batch_size
from cardioflow.pipeline.template import Template

__all__ = ["Pipeline"]


class Pipeline(PipelineBase):
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
        self.template = Template(config=dict(config or {}))

    def _with_template(self, template: Template) -> Self:
        new = type(self)()
        new.template = template
        return new

    def _as_part(self) -> Template:
        return self.template

    # -- binding --------------------------------------------------------------

    def bind(self, dataset: EcgDataset) -> BoundPipeline:
        """Return the pipeline bound to ``dataset``; ``dataset >> pipeline`` does the same.

        Raises:
            InputError: when ``dataset`` is not an ``EcgDataset``.
        """
        if not isinstance(dataset, EcgDataset):
            raise InputError(
                f"A pipeline is bound to an EcgDataset, and a {type(dataset).__name__} was given. "
                "Make one first: EcgDataset('data/*.hea') >> pipeline."
            )
        return BoundPipeline(dataset, self.template)

    def __rrshift__(self, dataset: EcgDataset) -> BoundPipeline:
        return self.bind(dataset)

    def __lshift__(self, dataset: EcgDataset) -> BoundPipeline:
        return self.bind(dataset)

    # -- running --------------------------------------------------------------

    def run(self, batch_size: int | None = None, **arguments: Any) -> Self:
        """Record the arguments for a run of the bound pipeline, and return the template.

        Takes what ``RunOptions`` lists: ``batch_size``, ``shuffle``,
        ``drop_last``, ``n_epochs``, ``epoch``, ``seed``, ``on_error``,
        ``threads``, ``prefetch``, ``progress``, ``engine``, ``callbacks``,
        ``checkpoint``, ``every`` and ``keep``.

        Raises:
            NotRunError: when the template has recorded its arguments already.
        """
        return self._with_template(self.template.with_run(with_batch_size(batch_size, arguments)))

    def batches(self, batch_size: int | None = None, **arguments: Any) -> NoReturn:  # noqa: ARG002 -- the signature of every pipeline
        """Raise: a template has no batches; ``dataset >> template`` has."""
        raise NotRunError(
            "This pipeline is a template: it has no dataset, so there are no batches. "
            "Bind it first: (dataset >> template).batches(…)."
        )

    def next_batch(self, batch_size: int | None = None, **arguments: Any) -> NoReturn:
        """Raise, as ``batches`` does."""
        self.batches(batch_size, **arguments)

    # -- as text --------------------------------------------------------------

    @classmethod
    def from_json(cls, text: str, functions: Mapping[str, Any] | None = None) -> Self:
        """Return the pipeline that ``to_json`` wrote.

        Functions are written as names, and never imported from the text:
        ``functions`` gives the ones that it may use.
        """
        # The codec is not needed to write a pipeline.
        from cardioflow.pipeline.serialization import template_from_json

        return cls()._with_template(template_from_json(text, functions or {}, cls()._with_template))

    def _state(self) -> str:
        return "not run: no dataset"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipeline) and self.template == other.template

    def __hash__(self) -> int:
        return hash(self.template)
