"""From decoded samples to the ``Record`` that every reader gives: lead names, derived leads, checks, and the crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.leads import resolve, standard_name
from cardioflow.batch.units import is_unknown
from cardioflow.dsp.amplitude import amplitude_warnings
from cardioflow.dsp.leads import check_limb_leads, derive_limb_leads, suspect_swapped_electrodes
from cardioflow.errors import FormatError, InputError
from cardioflow.io._derived import PER_LEAD, columns_of_leads, computed_leads
from cardioflow.io.base import ReadRequest, Record

__all__ = ["Waveform", "make_record", "with_warnings"]

# Above this no device samples an ECG, and seconds times rate would leave what an index can be.
_MOST_HZ = 1e6


@dataclass(frozen=True, eq=False)
class Waveform:
    """All samples of a file, in physical units."""

    signal: NDArray[np.floating]
    """Of shape (lead, time), in ``units``; NaN where there is no sample."""
    fs: float
    names: tuple[str, ...]
    """The leads as the file names them."""
    units: tuple[str, ...] = ()
    """One per lead; empty means millivolts."""
    steps: tuple[float, ...] = ()
    """Millivolts, per lead, that all samples are whole numbers of; empty where they are not."""


def make_record(
    wave: Waveform,
    request: ReadRequest,
    meta: Mapping[str, Any],
    annotation: Annotation | None = None,
    *,
    derived: tuple[str, ...] = (),
    meta_per_lead: bool = False,
) -> Record:
    """Return the record of ``wave``: standard names, missing leads computed, checked, cropped, leads chosen.

    Into ``meta`` go ``signame`` (the file's own names), ``derived_leads``, ``swapped_electrodes`` (``None`` unless
    suspected), ``uncalibrated`` (whether a unit is unknown), ``fs_source`` (``"header"``, unless the reader says where
    else the rate comes from), ``warnings`` (see ``dsp.amplitude``), and where the limb leads were recorded
    ``einthoven_rms`` and ``goldberger_rms`` (see ``dsp.leads``).
    ``derived`` names leads of ``wave`` that the reader has computed itself. With ``wave.steps`` there are also
    ``adc_gain``, ``baseline``, ``fmt`` and ``adc_units``, as of a WFDB record. With ``meta_per_lead``, as suits tables
    and arrays that people write, these keys of ``meta`` follow the choice of leads. Which leads are computed is the
    request's ``derive``.

    Raises:
        FormatError: when there is no lead or no sample, a sample is infinite, the rate is not a positive number, what
            was asked for is not there, or, with ``strict``, a unit is unknown.
    """
    signal = _checked(wave)
    n_leads, n_samples = signal.shape
    stored = tuple(standard_name(name) for name in wave.names)
    known = {**meta, **({} if derived else _limb_checks(signal, stored))} if "meta" in request.components else None
    steps = dict(zip(stored, wave.steps, strict=True)) if wave.steps else {}
    all_leads = _with_computed(wave, signal, stored, steps, request)
    _check_units(all_leads, request)
    leads = all_leads.names
    rows, start, stop = _wanted(request, leads, wave.fs, n_samples)
    signame = tuple(all_leads.own_names[i] for i in rows)
    # A choice of rows copies; all of them are taken as they are.
    signal = all_leads.signal
    chosen = np.ascontiguousarray((signal if request.channels is None else signal[rows])[:, start:stop])
    units = tuple(all_leads.units[i] for i in rows)
    if known is not None:
        known["uncalibrated"] = bool(all_leads.without_unit or known.get("uncalibrated"))
        known.setdefault("fs_source", "header")
        known.setdefault("patient_key", None)
        known["swapped_electrodes"] = suspect_swapped_electrodes(signal, leads)
        if len(set(stored)) == n_leads:
            known.update(_integers([leads[i] for i in rows], steps))
        elif wave.steps:  # channels of one name, by which no lead was computed: rows are the file's channels
            known.update(_gains([wave.steps[i] for i in rows]))
        if meta_per_lead:
            known.update(_of_rows(known, stored, leads, rows))
            signame = known.get("signame", signame)
        known["warnings"] = amplitude_warnings(chosen, [leads[i] for i in rows], units)
    picks = [all_leads.sources[i] for i in rows]
    return Record(
        signal=chosen if "signal" in request.components else None,
        fs=float(wave.fs),
        leads=tuple(leads[i] for i in rows),
        units=units,
        meta={} if known is None else {**known, "signame": signame, "derived_leads": derived + all_leads.computed},
        annotation=_marks(annotation, picks, n_leads, start, stop) if "annotation" in request.components else None,
    )


@dataclass(frozen=True, eq=False)
class _Leads:
    """The leads of a file and those that were computed from them."""

    signal: NDArray[np.float32]
    names: tuple[str, ...]
    own_names: tuple[str, ...]
    """As the file names them; a computed one by its standard name."""
    units: tuple[str, ...]
    sources: tuple[int, ...]
    """Which of the file's leads each one is; -1 for a computed one."""
    computed: tuple[str, ...]

    @property
    def without_unit(self) -> tuple[str, ...]:
        """The leads whose unit is not known."""
        return tuple(lead for lead, unit in zip(self.names, self.units, strict=True) if is_unknown(unit))


def _checked(wave: Waveform) -> NDArray[np.float32]:
    n_leads, n_samples = wave.signal.shape
    if not n_leads or not n_samples:
        raise FormatError(f"holds {n_leads} leads of {n_samples} samples; expected at least one of each.")
    if not 0 < wave.fs <= _MOST_HZ:
        raise FormatError(f"gives a sampling rate of {wave.fs!r} Hz; expected a positive number up to {_MOST_HZ:.0f}.")
    signal = np.asarray(wave.signal, dtype=np.float32)
    if np.isinf(signal).any():
        raise FormatError("has samples that are too large for float32. Its scale is damaged.")
    return signal


def _check_units(leads: _Leads, request: ReadRequest) -> None:
    if leads.without_unit and request.strict:
        raise FormatError(
            f"does not say the unit of {', '.join(leads.without_unit)}; expected one. Read it without strict=True, as "
            "bare numbers."
        )


def _with_computed(
    wave: Waveform,
    signal: NDArray[np.float32],
    stored: tuple[str, ...],
    steps: Mapping[str, float],
    request: ReadRequest,
) -> _Leads:
    """Return the leads ``stored``, and the limb leads that ``request`` wants computed."""
    units = wave.units or ("mV",) * len(stored)
    computed = computed_leads(stored, units, request.derive)
    if not computed:
        return _Leads(signal, stored, wave.names, units, tuple(range(len(stored))), ())
    step = steps.get("I") if steps.get("I") == steps.get("II") else None
    full, leads, _ = derive_limb_leads(signal, stored, step)
    place = {name: i for i, name in reversed(list(enumerate(stored)))}
    return _Leads(
        full.astype(np.float32, copy=False),
        leads,
        tuple(wave.names[place[lead]] if lead in place else lead for lead in leads),
        tuple(units[place[lead]] if lead in place else "mV" for lead in leads),
        tuple(place.get(lead, -1) for lead in leads),
        computed,
    )


def with_warnings(record: Record, texts: Sequence[str]) -> Record:
    """Return a record whose ``meta["warnings"]`` has ``texts`` besides its own."""
    if not texts or not record.meta:
        return record
    return replace(record, meta={**record.meta, "warnings": (*record.meta["warnings"], *texts)})


def _integers(leads: Sequence[str], steps: Mapping[str, float]) -> dict[str, Any]:
    """Return the keys that a WFDB record has, by which samples are packed and written as the integers that they were.

    III is a whole number of the step of I and II, the augmented leads are of half of it.
    """
    second = steps.get("II", 0.0)
    return _gains([steps.get(lead, second if lead in ("I", "III") else second / 2) for lead in leads])


def _gains(steps: Sequence[float]) -> dict[str, Any]:
    if not all(steps):
        return {}
    n = len(steps)
    gains = tuple(float(f"{1 / step:.15g}") for step in steps)
    return {"adc_gain": gains, "baseline": (0,) * n, "fmt": ("16",) * n, "adc_units": ("mV",) * n}


def _of_rows(known: Mapping[str, Any], stored: Sequence[str], leads: Sequence[str], rows: Sequence[int]) -> Any:
    """Return the metadata per lead of the leads ``rows``, where they are given for all leads that are stored."""
    if len(set(stored)) == len(stored):
        return columns_of_leads(known, stored, [leads[i] for i in rows])
    columns = {key: known.get(key) for key in PER_LEAD}
    return {
        key: tuple(c[i] for i in rows) for key, c in columns.items() if isinstance(c, tuple) and len(c) == len(stored)
    }


def _limb_checks(signal: NDArray[np.float32], leads: tuple[str, ...]) -> dict[str, Any]:
    check = check_limb_leads(signal, leads)
    if check.einthoven is None:
        return {}
    return {"einthoven_rms": check.einthoven, "goldberger_rms": check.goldberger}


def _wanted(request: ReadRequest, leads: Sequence[str], fs: float, n_samples: int) -> tuple[list[int], int, int]:
    start = round(request.start_s * fs)
    stop = n_samples if request.stop_s is None else min(round(request.stop_s * fs), n_samples)
    if not 0 <= start < stop:
        raise FormatError(
            f"lasts {n_samples / fs:g} s, which has nothing between start_s={request.start_s:g} and "
            f"stop_s={'the end' if request.stop_s is None else f'{request.stop_s:g}'}."
        )
    if request.channels is None:
        return list(range(len(leads))), start, stop
    try:
        return list(resolve(leads, request.channels)), start, stop
    except InputError as error:
        raise FormatError(f"{error}") from error


def _marks(annotation: Annotation | None, picks: Sequence[int], n_leads: int, start: int, stop: int) -> Annotation:
    return Annotation() if annotation is None else annotation.of_leads(picks, n_leads).window(start, stop)
