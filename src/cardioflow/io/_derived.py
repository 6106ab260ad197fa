"""Leads that are computed from others: which, by one rule for all formats, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import GROUPS, resolve
from cardioflow.dsp.leads import derive_limb_leads
from cardioflow.errors import FormatError, InputError
from cardioflow.io.base import Derive, Record

__all__ = ["PER_LEAD", "columns_of_leads", "complete", "computed_leads", "recorded"]

_COMPUTED: Final = ("III", "aVR", "aVL", "aVF")
# The leads of a 12-lead ECG that devices store, because the other four follow from I and II.
_EIGHT: Final = frozenset(GROUPS["standard"]) - frozenset(_COMPUTED)
_GAINS: Final = ("adc_gain", "baseline", "fmt", "adc_units")
PER_LEAD: Final = (*_GAINS, "signame")
"""The keys of ``meta`` that have a value per lead in records of every format."""
_PER_SIGNAL: Final = (
    *("transducer", "prefiltering", "physical_range", "digital_range", "dimension"),
    *("highpass_hz", "lowpass_hz", "notch_hz", "lead_off"),
)
# Of the largest sample: what rounding to float32, before and after a linear filter, may change.
_ROUNDING: Final = 5e-7


def computed_leads(leads: Sequence[str], units: Sequence[str], derive: Derive) -> tuple[str, ...]:
    """Return which of III, aVR, aVL, aVF are to be computed for a record of ``leads``.

    Args:
        leads: Standard names of the stored leads.
        units: One per lead.
        derive: ``"never"``: none. ``"standard"``: those that a stored I, II, V1 to V6 lack of a 12-lead ECG.
            ``"limb"``: those that any stored I and II lack.
    """
    needed = {"never": None, "standard": _EIGHT, "limb": {"I", "II"}}[derive]
    # With a name twice, which of the two belongs to the sums cannot be told.
    if needed is None or len(set(leads)) < len(leads) or not needed <= set(leads):
        return ()
    if any(units[leads.index(name)] != "mV" for name in ("I", "II")):
        return ()
    return tuple(name for name in _COMPUTED if name not in leads)


def complete(record: Record, made: Sequence[str], channels: Sequence[str | int] | None) -> Record:
    """Return a record of all stored leads with the leads ``made`` computed, and of these the leads ``channels``.

    Raises:
        FormatError: when one of ``channels`` is not there.
    """
    stored = record.leads
    signal = np.empty((len(stored), 0), np.float32) if record.signal is None else record.signal
    step = _step(record.meta, stored)
    whole, order, _ = derive_limb_leads(signal, stored, step)
    try:
        rows = list(range(len(order))) if channels is None else list(resolve(order, channels))
    except InputError as error:
        raise FormatError(f"{error}") from error
    leads = tuple(order[i] for i in rows)
    sources = [stored.index(lead) if lead in stored else -1 for lead in leads]
    meta = record.meta
    if meta:
        meta = {**meta, **columns_of_leads(meta, stored, leads), "derived_leads": tuple(made)}
    return Record(
        signal=None if record.signal is None else np.ascontiguousarray(whole[rows], np.float32),
        fs=record.fs,
        leads=leads,
        units=tuple("mV" if i < 0 else record.units[i] for i in sources),
        meta=meta,
        annotation=record.annotation and record.annotation.of_leads(sources, len(stored)),
    )


def columns_of_leads(meta: Mapping[str, Any], stored: Sequence[str], leads: Sequence[str]) -> dict[str, Any]:
    """Return what ``meta`` says per lead of ``stored``, of ``leads`` instead, some of which may be computed.

    III is a whole number of the step of I and II, the augmented leads are of half of it.
    """
    told = {key: meta[key] for key in PER_LEAD if isinstance(meta.get(key), tuple) and len(meta[key]) == len(stored)}
    place = {name: i for i, name in reversed(list(enumerate(stored)))}
    computed = [name for name in leads if name not in place]
    found = {
        key: tuple(column[place[name]] if name in place else name for name in leads)
        for key, column in told.items()
        if key == "signame"
    }
    gains = [key for key in _GAINS if key in told]
    if not computed:
        return found | {key: tuple(told[key][place[name]] for name in leads) for key in gains}
    step = _step(meta, stored)
    if step is None or len(gains) < len(_GAINS):
        # Without a common step the computed leads are not whole multiples of one.
        return found | dict.fromkeys((key for key in _GAINS if key in meta), ())
    second = place["II"]
    gain, fmt, unit = (told[key][second] for key in ("adc_gain", "fmt", "adc_units"))
    made = {
        name: {
            "adc_gain": gain if name == "III" else 2 * gain,
            "baseline": 0,
            # Sums of two leads need more bits than each.
            "fmt": fmt if fmt in {"24", "32", "524"} else "16",
            "adc_units": unit,
        }
        for name in computed
    }
    return found | {
        key: tuple(told[key][place[name]] if name in place else made[name][key] for name in leads) for key in gains
    }


def _step(meta: Mapping[str, Any], stored: Sequence[str]) -> float | None:
    """Return the millivolts that I and II are whole numbers of, ``None`` where they are not of the same."""
    rows = [stored.index("I"), stored.index("II")] if {"I", "II"} <= set(stored) else []
    columns = [meta.get(key) for key in ("adc_gain", "baseline", "adc_units")]
    if not rows or not all(isinstance(column, tuple) and len(column) == len(stored) for column in columns):
        return None
    first, second = ([column[i] for column in columns if column is not None] for i in rows)
    return 1 / first[0] if first == second and first[0] and first[1:] == [0, "mV"] else None


def recorded(record: Record) -> Record:
    """Return a record that is to be written, without the leads that reading would compute again in their places.

    Computed leads that were changed since stay.
    """
    leads, signal = record.leads, record.signal
    made = [lead for lead in record.meta.get("derived_leads") or () if lead in _COMPUTED and lead in leads]
    if not made or signal is None or signal.ndim != 2 or len(signal) != len(leads) or len(set(leads)) < len(leads):
        return record
    rows = [i for i, lead in enumerate(leads) if lead not in made]
    kept = tuple(leads[i] for i in rows)
    again, order, _ = derive_limb_leads(signal[rows], kept, None)
    if order != leads or not _is_same(signal, again):
        return record
    n = len(leads)
    per_lead = {
        key: tuple(column[i] for i in rows)
        for key in (*PER_LEAD, *_PER_SIGNAL)
        if isinstance(column := record.meta.get(key), tuple) and len(column) == n
    }
    return replace(
        record,
        signal=np.ascontiguousarray(signal[rows]),
        leads=kept,
        units=tuple(record.units[i] for i in rows),
        meta={**record.meta, **per_lead, "derived_leads": ()},
        annotation=record.annotation and record.annotation.of_leads(rows, n),
    )


def _is_same(signal: NDArray[Any], again: NDArray[Any]) -> bool:
    if np.iscomplexobj(signal):
        return False
    # No sample, or none but NaN, is 0.
    largest = float(np.nanmax(np.abs(signal), initial=0.0))
    return bool(np.allclose(signal, again, rtol=0, atol=largest * _ROUNDING, equal_nan=True))
