"""The leads of a record that a bundle takes: those it names, or the substitutes that it allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.leads import standard_name
from cardioflow.batch.ragged import Ragged
from cardioflow.bundle.reasons import Reason
from cardioflow.errors import InputError

__all__ = ["choose", "with_chosen", "with_lead_names"]

Choice = tuple[tuple[int, ...], tuple[Reason, ...]]
"""The channels to take, in the bundle's order, and a note for each substitute."""


def choose(names: Sequence[str], wanted: Sequence[str], substitutes: Mapping[str, Sequence[str]]) -> Choice | Reason:
    """Return which channels to take from a record with leads ``names``, or why there are none to take.

    A lead is taken by its standard name. Where it is missing, the first of its substitutes that the record has and
    that is not taken for another lead stands in. A lead that is there twice is not taken: which one is meant is not
    known.
    """
    own = [standard_name(name) for name in names]
    picked: list[int] = []
    notes: list[Reason] = []
    for lead in wanted:
        candidates = [standard_name(name) for name in (lead, *substitutes.get(lead, ()))]
        found = next((own.index(c) for c in candidates if own.count(c) == 1 and own.index(c) not in picked), None)
        if found is None:
            others = f" or a substitute ({', '.join(substitutes[lead])})" if substitutes.get(lead) else ""
            return Reason(
                "no_known_lead",
                f"Lead {lead}{others} is needed, and the record has {', '.join(names) or 'no leads'}.",
            )
        if own[found] != standard_name(lead):
            notes.append(Reason("substitute_lead", f"Lead {lead} is missing; {names[found]} was used instead."))
        picked.append(found)
    return tuple(picked), tuple(notes)


def with_chosen(batch: EcgBatch, picks: Sequence[Sequence[int]], names: Sequence[tuple[str, ...]]) -> EcgBatch:
    """Return ``batch`` with the channels ``picks[i]`` of record ``i``, called ``names[i]``."""
    if [len(own) for own in picks] == batch.component("signal").shapes[:, 0].tolist() and all(
        own == tuple(range(len(own))) for own in map(tuple, picks)
    ):
        return batch.replace(meta=batch.component("meta").with_columns(leads=list(names)))
    signal, meta = batch.signal_and_meta
    arrays = [x[list(own)] for x, own in zip(signal, picks, strict=True)]
    units = [
        None if values is None else tuple(values[i] for i in own)
        for values, own in zip(meta["units"].tolist(), picks, strict=True)
    ]
    return batch.replace(
        signal=Ragged.from_arrays(arrays, dtype=signal.dtype, ndim=signal.ndim),
        meta=meta.with_columns(leads=list(names), units=units),
    )


def with_lead_names(batch: EcgBatch, names: Sequence[str]) -> EcgBatch:
    """Return ``batch`` with leads called ``names`` in every record.

    Raises:
        InputError: when a record has more or fewer leads.
    """
    signal, meta = batch.signal_and_meta
    for record, n in zip(batch.ids, signal.shapes[:, 0].tolist(), strict=True):
        if n != len(names):
            raise InputError(
                f"Record {record!r} has {n} leads, and {len(names)} names were given: {', '.join(names)}. Pass one "
                "name for each lead, in the order of the file."
            )
    return batch.replace(meta=meta.with_columns(leads=[tuple(map(standard_name, names))] * len(batch)))
