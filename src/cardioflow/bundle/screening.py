"""Which records of a batch a bundle judges, with which of their leads, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.gate import gap_notes, named_unit, reasons_against
from cardioflow.bundle.lead_choice import choose, with_chosen
from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.bundle.reasons import Reason
from cardioflow.bundle.sources import file_of
from cardioflow.models._units import units_of

__all__ = ["Screened", "screened"]

Reasons = tuple[Reason, ...]


@final
@dataclass(frozen=True)
class Screened:
    """The records that can be judged, and answers for those that cannot."""

    kept: EcgBatch
    """With the leads that the bundle takes."""
    refused: Mapping[str, RecordPrediction]
    """By id, an answer that says why there is none."""
    notes: Mapping[str, Reasons]
    """By id, what is to be known about a record of ``kept``."""


def screened(batch: EcgBatch, described: BundleDescription) -> Screened:
    """Return the records of ``batch``, which were read, held against the leads, the unit and the limits of a bundle."""
    files = {record: file_of(batch, i) for i, record in enumerate(batch.ids)}
    against: dict[str, Reasons] = {}
    notes: dict[str, Reasons] = {}
    if described.leads == "any":
        batch = _with_unit(batch, described.units, against, notes)
    else:
        batch = _with_leads(batch, described.leads, described.substitutes, against, notes)
    if len(batch):
        why = reasons_against(batch, described.limits, described.units, any_lead=described.leads == "any")
        against.update((record, own) for record, own in zip(batch.ids, why, strict=True) if own)
        batch = batch.take([i for i, own in enumerate(why) if not own])
        gaps = gap_notes(batch, any_lead=described.leads == "any") if len(batch) else ()
        notes.update((record, (*notes.get(record, ()), *own)) for record, own in zip(batch.ids, gaps, strict=True))
    refused = {
        record: RecordPrediction(record, files[record], (), {}, reasons=own, notes=notes.get(record, ()))
        for record, own in against.items()
    }
    return Screened(batch, refused, notes)


def _with_leads(
    batch: EcgBatch,
    wanted: Sequence[str],
    substitutes: Mapping[str, Sequence[str]],
    against: dict[str, Reasons],
    notes: dict[str, Reasons],
) -> EcgBatch:
    """Return the records that have the leads ``wanted``, with these alone."""
    picks: list[tuple[int, ...]] = []
    kept: list[int] = []
    for i, (record, names) in enumerate(zip(batch.ids, batch.component("meta")["leads"].tolist(), strict=True)):
        found = choose(names or (), wanted, substitutes)
        if isinstance(found, Reason):
            against[record] = (found,)
        else:
            picks.append(found[0])
            notes[record] = found[1]
            kept.append(i)
    return with_chosen(batch.take(kept), picks, [tuple(wanted)] * len(kept)) if kept else batch.take(kept)


def _with_unit(batch: EcgBatch, unit: str, against: dict[str, Reasons], notes: dict[str, Reasons]) -> EcgBatch:
    """Return the records that have channels in ``unit``, with these alone."""
    kept: list[int] = []
    picks: list[tuple[int, ...]] = []
    names: list[tuple[str, ...]] = []
    all_names = batch.component("meta")["leads"].tolist()
    for i, (record, own) in enumerate(zip(batch.ids, units_of(batch), strict=True)):
        found = tuple(k for k, given in enumerate(own or ()) if given == unit)
        if not found:
            what = "not known" if own is None else ", ".join(dict.fromkeys(map(named_unit, own)))
            against[record] = (Reason("unknown_unit", f"No lead is in {unit}; the unit is {what}."),)
            continue
        leads = tuple(all_names[i])
        if len(found) < len(leads):
            left = ", ".join(f"{leads[k]} ({named_unit((own or ())[k])})" for k in range(len(leads)) if k not in found)
            notes[record] = (Reason("left_out", f"Channels in other units than {unit} were left out: {left}."),)
        kept.append(i)
        picks.append(found)
        names.append(tuple(leads[k] for k in found))
    return with_chosen(batch.take(kept), picks, names) if kept else batch.take(kept)
