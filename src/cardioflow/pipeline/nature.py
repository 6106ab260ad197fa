"""What each step of a pipeline is to the engine: done once, pure, random, in order, writing."""

from __future__ import annotations

from typing import Final, Literal

from cardioflow.pipeline.call import Call
from cardioflow.pipeline.steps.apply_pipeline import ApplyPipeline
from cardioflow.pipeline.steps.base import EventStep, RunStep, SetupStep, SinkStep
from cardioflow.pipeline.steps.cache import Cache
from cardioflow.pipeline.template import parts_of
from cardioflow.transforms.base import PartnerTransform, RandomTransform

__all__ = ["Nature", "is_ahead", "is_repeated", "nature"]

Nature = Literal["once", "event", "cache", "random", "pure", "sink", "stateful"]


def nature(call: Call) -> Nature:
    """Return what ``call`` is.

    ``"once"``: done when the run begins. ``"event"``: acts on the events of the
    run, such as its end. ``"cache"``: keeps what the steps before it make.
    ``"random"``: pure, with numbers of its own in every epoch. ``"pure"``: the
    same result anywhere and any number of times. ``"sink"``: writes in order.
    ``"stateful"``: depends on the run, and is done in order.
    """
    for base, name in _BY_KIND:
        if issubclass(call.kind, base):
            return name
    if call.is_stateful:
        return "stateful"
    return "random" if issubclass(call.kind, RandomTransform | PartnerTransform) or _draws(call) else "pure"


_BY_KIND: Final[tuple[tuple[type, Nature], ...]] = (
    (SetupStep, "once"),
    (EventStep, "event"),
    (SinkStep, "sink"),
    (RunStep, "stateful"),
    (Cache, "cache"),
)


def _draws(call: Call) -> bool:
    """Return whether a step that does other pipelines' steps draws random numbers, itself or in one of them."""
    inner = any(nature(step) == "random" for part in parts_of(call) for step in part.steps)
    if inner or not issubclass(call.kind, ApplyPipeline):
        return inner
    share = call.args[1] if len(call.args) > 1 else call.kwargs.get("p", 1)
    # A setting is not known here, and may be any share.
    return not isinstance(share, int | float) or 0 < share < 1


def is_repeated(call: Call) -> bool:
    """Return whether the step is done for batches, and not once in a run."""
    return nature(call) not in ("once", "event")


def is_ahead(call: Call) -> bool:
    """Return whether the step may be done anywhere and ahead of time."""
    return nature(call) in ("pure", "random", "cache")
