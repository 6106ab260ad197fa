"""Steps that read something once, when a pipeline meets its data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cardioflow.errors import CardioFlowError
from cardioflow.pipeline.expressions import C, Scope
from cardioflow.pipeline.steps.base import Reader
from cardioflow.registry import actions

if TYPE_CHECKING:
    from cardioflow.pipeline.call import Call
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["Readers", "bind_readers"]

Readers = Mapping[int, tuple["Call", Reader]]
"""The steps that have read what they read once, with their calls, by their place in the pipeline."""


def bind_readers(
    calls: Sequence[Call], config: Mapping[str, Any], dataset: EcgDataset, known: Readers | None = None
) -> Readers:
    """Return the readers among ``calls`` bound to ``dataset``: tables are read now, and mappings copied.

    Args:
        calls: The steps of a pipeline.
        config: Its configuration.
        dataset: The data set.
        known: Readers that are bound to this data set already; a call that they hold is not read again.

    Raises:
        CardioFlowError: with the step in it, for what cannot be read, such as a table of labels.
    """
    from cardioflow.pipeline.steps._nested import NestedStep  # imports what reads records, which no template needs

    found: dict[int, tuple[Call, Reader]] = {}
    for number, call in enumerate(calls, 1):
        held = (known or {}).get(number)
        if held is not None and held[0] is call:
            found[number] = held
            continue
        if not issubclass(actions.get(call.name), Reader) or any(not isinstance(e, C) for e in call.expressions):
            continue
        try:
            made = call.make(Scope(config))
            if isinstance(made, NestedStep):
                made = made.with_config(config)
            if isinstance(made, Reader):
                found[number] = (call, made.bind(dataset))
        except CardioFlowError as error:
            error.step = f"{number}, {call}"
            raise
    return found
