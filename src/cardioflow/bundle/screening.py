"""Which records of a batch a bundle judges, with which of their leads, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.leads import is_ecg_name
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.gate import gap_notes, named_unit, reasons_against
from cardioflow.bundle.lead_choice import choose, with_chosen
from cardioflow.bundle.predictions import RecordPrediction
from cardioflow.bundle.reasons import Reason
from cardioflow.bundle.sources import file_of
from cardioflow.bundle.spikes import spike_counts, spike_notes
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
    spikes = spike_counts(batch, described.units)
    any_lead = described.leads == "any"
    if described.leads == "any":
        known = described.limits.other_channels == "abstain"
        batch = _with_channels(batch, described.units, against, notes, only_known=known)
    else:
        batch = _with_leads(batch, described.leads, described.substitutes, against, notes)
    if len(batch):
        why = reasons_against(batch, described.limits, described.units, spikes, any_lead=any_lead)
        against.update((record, own) for record, own in zip(batch.ids, why, strict=True) if own)
        batch = batch.take([i for i, own in enumerate(why) if not own])
    if len(batch):
        _note_samples(batch, spikes, notes, any_lead=any_lead)
    refused = {
        record: RecordPrediction(record, files[record], (), {}, reasons=own, notes=notes.get(record, ()))
        for record, own in against.items()
    }
    return Screened(batch, refused, notes)


def _note_samples(batch: EcgBatch, spikes: Mapping[str, int], notes: dict[str, Reasons], *, any_lead: bool) -> None:
    """Note the gaps and the spikes of a pacemaker in records that are judged."""
    rows = zip(
        batch.ids, batch.component("signal"), batch.fs.tolist(), gap_notes(batch, any_lead=any_lead), strict=True
    )
    for record, x, fs, gaps in rows:
        notes[record] = (*notes.get(record, ()), *gaps, *spike_notes(spikes[record], x, fs))


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


def _with_channels(
    batch: EcgBatch, unit: str, against: dict[str, Reasons], notes: dict[str, Reasons], *, only_known: bool
) -> EcgBatch:
    """Return the records that have channels in ``unit``, and with ``only_known`` such as have the name of an ECG lead.

    They have these channels alone.
    """
    kept: list[int] = []
    picks: list[tuple[int, ...]] = []
    names: list[tuple[str, ...]] = []
    all_names = batch.component("meta")["leads"].tolist()
    for i, (record, own) in enumerate(zip(batch.ids, units_of(batch), strict=True)):
        leads = tuple(all_names[i] or ())
        in_unit = tuple(k for k, given in enumerate(own or ()) if given == unit)
        if not in_unit:
            what = "not known" if own is None else ", ".join(dict.fromkeys(map(named_unit, own)))
            against[record] = (Reason("unknown_unit", f"No lead is in {unit}; the unit is {what}."),)
            continue
        found = tuple(k for k in in_unit if is_ecg_name(leads[k])) if only_known else in_unit
        if not found:
            text = "None of the names of the channels is that of an ECG lead: {}. If they are ECG leads, name them."
            against[record] = (Reason("no_known_lead", text.format(", ".join(leads[k] for k in in_unit))),)
            continue
        notes[record] = _left_out(leads, own or (), in_unit, found, unit)
        kept.append(i)
        picks.append(found)
        names.append(tuple(leads[k] for k in found))
    return with_chosen(batch.take(kept), picks, names) if kept else batch.take(kept)


def _left_out(
    leads: Sequence[str], units: Sequence[str], in_unit: Sequence[int], found: Sequence[int], unit: str
) -> Reasons:
    """Return notes on the channels that are not in ``unit``, and on those of them that are not ECG leads."""
    others = [f"{name} ({named_unit(units[k])})" for k, name in enumerate(leads) if k not in in_unit]
    unknown = [leads[k] for k in in_unit if k not in found]
    return (
        *_note(f"Channels in other units than {unit} were left out: {{}}.", others),
        *_note("Channels whose names are not those of ECG leads were left out: {}.", unknown),
    )


def _note(text: str, names: Sequence[str]) -> Reasons:
    return (Reason("left_out", text.format(", ".join(names))),) if names else ()
