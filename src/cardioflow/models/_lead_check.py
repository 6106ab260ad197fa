"""The leads and units that a model takes: declared, or those of the first batch that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError
from cardioflow.models._leads import Leads, leads_of, with_leads
from cardioflow.models._units import Units, refuse_other_units, units_of

__all__ = ["Choice", "checked_batch", "learned"]

Choice = tuple[str, ...] | Literal["any"] | None
"""A text per lead; ``"any"`` where they do not matter, ``None`` where they are not known."""


def checked_batch(batch: EcgBatch, leads: Choice, units: Choice, noted: set[Leads], *, training: bool) -> EcgBatch:
    """Return ``batch`` with its leads in the model's order, by name, after a check of their units.

    Args:
        batch: An unstacked batch.
        leads: The leads that the model takes.
        units: Their units.
        noted: The sets of leads that a warning was given about; see ``with_leads``.
        training: Whether records must agree with the batch's first one where the model knows no leads or units.

    Raises:
        ConfigError: for ``leads`` or ``units`` that are not a valid choice.
        InputError: for a record that does not fit; it names the record.
        BadRecordsError: for several such records.
    """
    if batch.component("signal").ndim != 2:
        return batch
    wanted: Leads | None = _wanted("leads", leads, batch, leads_of, training=training)
    if wanted is not None:
        batch = with_leads(batch, wanted, noted)
    expected: Units | None = _wanted("units", units, batch, units_of, training=training)
    if expected is not None:
        refuse_other_units(batch, expected)
    return batch


def learned(found: list[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Return what all of ``found`` are; ``None`` where they differ, or one is not known."""
    different = set(found)
    return different.pop() if len(different) == 1 else None


def _wanted(
    name: str,
    given: Any,
    batch: EcgBatch,
    of: Callable[[EcgBatch], list[tuple[str, ...] | None]],
    *,
    training: bool,
) -> tuple[str, ...] | None:
    if given == "any":
        return None
    if given is None:
        return next((own for own in of(batch) if own is not None), None) if training else None
    if isinstance(given, str) or not hasattr(given, "__len__") or not len(given):
        raise ConfigError(f'model.{name} is {given!r}. Set it to a text per lead, such as ("I", "II"), or to "any".')
    return tuple(map(str, given))
