"""The leads of a batch, put into the order that a model takes them in, by name."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.leads import standard_name
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError
from cardioflow.models._refuse import refuse

__all__ = ["Leads", "leads_of", "with_leads"]

Leads = tuple[str, ...]
"""Standard names, in the order of the signal."""

_NUMBERED = re.compile(r"signal \d+")
"""What readers call a channel whose name the file does not give."""


def leads_of(batch: EcgBatch) -> list[Leads | None]:
    """Return the standard names of each record's leads; ``None`` where they are not known.

    Names do not count as known if they are not as many as the signal's first
    axis is long, or if each is only a number that the reader gave.
    """
    if batch.meta is None or "leads" not in batch.meta.columns:
        return [None] * len(batch)
    counts = batch.component("signal").shapes[:, 0].tolist()
    given = batch.meta["leads"].tolist()
    return [None if own is None else _known(tuple(own), n) for own, n in zip(given, counts, strict=True)]


def with_leads(batch: EcgBatch, wanted: Leads, noted: set[Leads]) -> EcgBatch:
    """Return ``batch`` with the leads ``wanted`` of every record, in that order; other leads are left out.

    Records whose leads are not known stay as they are. A warning says once for
    each set of leads that records were changed.

    Args:
        batch: An unstacked batch.
        wanted: The names of leads.
        noted: The leads that a warning was given about; the new ones are added.

    Raises:
        InputError: for a record that lacks one of them; it names the record.
        BadRecordsError: for several such records.
    """
    names = tuple(map(standard_name, wanted))
    own = leads_of(batch)
    picks = {leads: _picks(leads, names) for leads in set(own) if leads is not None and leads != names}
    if not picks:
        return batch
    bad = np.array([leads in picks and picks[leads] is None for leads in own])
    refuse(batch, bad, lambda row: _lacking(batch, row, own[row] or (), names))
    for leads in picks.keys() - noted:
        _say(batch.provenance.record_id[own.index(leads)], leads, names)
    noted.update(picks)
    return _picked(batch, [None if leads is None else picks.get(leads) for leads in own])


@lru_cache(maxsize=1024)
def _known(names: Leads, n_leads: int) -> Leads | None:
    if len(names) != n_leads or all(_NUMBERED.fullmatch(name) for name in names):
        return None
    return tuple(map(standard_name, names))


@lru_cache(maxsize=1024)
def _picks(leads: Leads, wanted: Leads) -> tuple[int, ...] | None:
    """Return where each of ``wanted`` is in ``leads``; ``None`` where one is not there, or there twice."""
    if len(set(wanted)) < len(wanted) or any(leads.count(name) != 1 for name in wanted):
        return None
    return tuple(leads.index(name) for name in wanted)


def _picked(batch: EcgBatch, rows: list[tuple[int, ...] | None]) -> EcgBatch:
    """Return the batch with the leads ``rows[i]`` of each record; ``None`` for all as they are."""
    signal, meta = batch.signal_and_meta
    arrays = [x if picks is None else x[list(picks)] for x, picks in zip(signal, rows, strict=True)]
    columns = {
        name: [
            values if picks is None or values is None else tuple(values[i] for i in picks)
            for values, picks in zip(meta[name].tolist(), rows, strict=True)
        ]
        for name in ("leads", "units")
        if name in meta.columns
    }
    return batch.replace(
        signal=Ragged.from_arrays(arrays, dtype=signal.dtype, ndim=signal.ndim), meta=meta.with_columns(**columns)
    )


def _lacking(batch: EcgBatch, row: int, leads: Leads, wanted: Leads) -> InputError:
    missing = [name for name in dict.fromkeys(wanted) if name not in leads]
    twice = [name for name in dict.fromkeys(wanted) if leads.count(name) > 1]
    what = f"{', '.join(missing)} missing" if missing else f"{', '.join(twice)} more than once"
    return InputError(
        f"The model takes the leads {', '.join(wanted)}, and record {batch.ids[row]!r} has {', '.join(leads)}: "
        f'{what}. Read these leads, give them their names with rename_channels, or set leads="any" on a model '
        "for which the leads do not matter."
    )


def _say(record: str, leads: Leads, wanted: Leads) -> None:
    warnings.warn(
        f"The model takes the leads {', '.join(wanted)}. They are taken by name from records with the leads "
        f"{', '.join(leads)}, such as {record!r}.",
        stacklevel=2,
    )
