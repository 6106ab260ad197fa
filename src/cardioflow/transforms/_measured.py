"""Where an action that measures puts what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cardioflow.batch import EcgBatch, Meta
from cardioflow.errors import InputError

__all__ = ["check_dst", "with_measured", "with_value"]

_HELD = ("signal", "annotation", "target")


def check_dst(transform: Any) -> None:
    """Check that ``dst`` is not a component that holds something else.

    Raises:
        InputError: when it is.
    """
    if transform.dst in _HELD:
        raise InputError(
            f"{transform.action_name}(dst={transform.dst!r}) would write over the {transform.dst}s. "
            "Choose another name, or 'meta'."
        )


def with_measured(batch: EcgBatch, dst: str, columns: Mapping[str, Sequence[Any]]) -> EcgBatch:
    """Return the batch with one measured value per record and name as the component ``dst``.

    Several names become a mapping per record: ``batch.ecg_parameters[0]["hr"]``,
    or ``batch.ecg_parameters["hr"]`` for all records. ``dst="meta"`` adds each name to the
    metadata.
    """
    if dst == "meta":
        return batch.replace(meta=batch.component("meta").with_columns(**columns))
    return batch.with_component(dst, Meta(dict(columns), len(batch)))


def with_value(batch: EcgBatch, dst: str, name: str, values: Any) -> EcgBatch:
    """Return the batch with one measured value per record as the component ``dst``, or as ``name`` in the metadata."""
    if dst == "meta":
        return with_measured(batch, dst, {name: list(values)})
    return batch.with_component(dst, values)
