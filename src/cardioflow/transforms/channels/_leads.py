"""Leads of a batch by name or number, and batches with other leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.leads import resolve
from cardioflow.batch.timeline import move_events
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered

__all__ = ["check_choice", "chosen", "lead_names", "with_events_of_leads", "with_leads"]


def check_choice(transform: Any) -> None:
    """Check that ``names``, ``indices`` or both are given, and store them as tuples."""
    if transform.names is None and transform.indices is None:
        raise InputError(f"{transform.action_name}() does not choose a channel. Pass names, indices or both.")
    if transform.names is not None:
        _parameters.names(transform, "names")
    if transform.indices is not None:
        given = transform.indices
        listed = tuple(given) if isinstance(given, Iterable) else (given,)
        if not listed or not all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in listed):
            raise InputError(f"{transform.action_name}(indices={given!r}) is not a list of integers.")
        _parameters.set_fields(transform, indices=tuple(int(i) for i in listed))


def lead_names(batch: EcgBatch, step: str, row: int) -> tuple[str, ...]:
    """Return the names of a record's leads.

    Raises:
        InputError: when they are unknown, or are not as many as the signal has.
    """
    signal, meta = batch.signal_and_meta
    names = meta["leads"][row] if "leads" in meta.columns else None
    n = int(signal.shapes[row, -2])
    if names is None:
        raise InputError(
            f"{step} needs the lead names of record {batch.ids[row]!r}, but meta['leads'] has none. "
            "Choose channels by indices instead.",
            record=batch.ids[row],
        )
    if len(names) != n:
        raise InputError(
            f"Record {batch.ids[row]!r} has {n} leads, but meta['leads'] names {len(names)}.", record=batch.ids[row]
        )
    return tuple(names)


def chosen(
    batch: EcgBatch, step: str, names: Sequence[str] | None, indices: Sequence[int] | None
) -> list[tuple[int, ...]]:
    """Return the numbers of the channels chosen in each record, by names first, then by indices, each once.

    Raises:
        InputError: naming the record that lacks one.
    """
    picked: list[tuple[int, ...]] = []
    reasons: dict[str, CardioFlowError] = {}
    for i in range(len(batch)):
        try:
            found = resolve(lead_names(batch, step, i), names) if names is not None else ()
            numbers = tuple(str(k) for k in range(int(batch.component("signal").shapes[i, -2])))
            found = (*found, *(resolve(numbers, list(indices)) if indices is not None else ()))
            picked.append(tuple(dict.fromkeys(found)))
        except InputError as error:
            reasons[batch.ids[i]] = InputError(f"{step}: {error.args[0]}", record=batch.ids[i])
    raise_bad_records(reasons)
    return picked


def with_leads(batch: EcgBatch, picks: Sequence[Sequence[int]]) -> EcgBatch:
    """Return the batch with the channels ``picks[i]`` of each record, in that order, their names, units and marks."""
    signal, meta = batch.signal_and_meta
    if not len(batch):
        return batch
    arrays = [x[..., list(own), :] for x, own in zip(signal, picks, strict=True)]
    columns = {}
    for name in ("leads", "units"):
        if name in meta.columns:
            columns[name] = [
                None if known is None else tuple(known[k] for k in own)
                for known, own in zip(meta[name], picks, strict=True)
            ]
    return with_events_of_leads(batch, picks).replace(
        signal=gathered(arrays, signal.ndim), meta=meta.with_columns(**columns)
    )


def with_events_of_leads(batch: EcgBatch, picks: Sequence[Sequence[int]]) -> EcgBatch:
    """Return the batch with the events of the leads ``picks[i]`` of each record; -1 is a lead that was computed."""
    n_leads = batch.component("signal").shapes[:, -2].tolist()
    return move_events(batch, lambda marks, i: marks.of_leads(picks[i], n_leads[i]))
