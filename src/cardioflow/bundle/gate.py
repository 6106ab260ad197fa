"""Whether a record can be judged: its length, rate, unit, samples, noise and pacing, held against a bundle's limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.ecg_evidence import ecg_evidence
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.reasons import Reason
from cardioflow.bundle.spikes import PACED, is_paced
from cardioflow.models._units import UNCALIBRATED, units_of

__all__ = ["gap_notes", "named_unit", "reasons_against"]

_FLAT_MV: Final = 0.01
_EVIDENCE_FS: Final = 80.0


def reasons_against(
    batch: EcgBatch, limits: Limits, units: str | None, spikes: Mapping[str, int], *, any_lead: bool = False
) -> list[tuple[Reason, ...]]:
    """Return for each record of ``batch`` why it cannot be judged; nothing where it can.

    Args:
        batch: Records that were read, with the leads that are to be judged.
        limits: What they must have.
        units: The unit that their signals must be in; ``None`` if it does not matter.
        spikes: How many spikes of a pacemaker each record has, by id.
        any_lead: Whether one good lead is enough; otherwise each must be good.
    """
    known = units_of(batch)
    signal = batch.component("signal")
    found = []
    for i, (x, fs) in enumerate(zip(signal, batch.fs.tolist(), strict=True)):
        own = [*_of_units(known[i], units), *_of_shape(x, fs, limits)]
        # What follows measures samples, which says nothing of a record in steps of a converter.
        own = own or list(_of_samples(x, fs, limits, any_lead=any_lead))
        # Last, because white noise has spikes too.
        if not own and limits.pacing == "abstain" and is_paced(spikes[batch.ids[i]], x.shape[-1] / fs):
            own = [PACED]
        found.append(tuple(own))
    return found


def gap_notes(batch: EcgBatch, *, any_lead: bool = False) -> list[tuple[Reason, ...]]:
    """Return for each record of ``batch`` a note on its missing samples; nothing where there are none.

    Args:
        batch: Records that can be judged.
        any_lead: Whether the share is that of the best lead; otherwise that of the worst.
    """
    shares = [_missing_share(x, any_lead=any_lead) for x in batch.component("signal")]
    text = "{:.2g} % of the samples are missing; the answer rests on the others."
    return [(Reason("missing_samples", text.format(100 * share)),) if share else () for share in shares]


def named_unit(unit: str) -> str:
    """Return a unit of ``units_of`` for people."""
    return "numbers without a unit" if unit == UNCALIBRATED else unit


def _of_units(own: Sequence[str] | None, wanted: str | None) -> Iterator[Reason]:
    if wanted is None:
        return
    if own is None:
        yield Reason("unknown_unit", f"The unit of the signal is not known, and {wanted} is needed.")
    elif others := [unit for unit in own if unit != wanted]:
        yield Reason("unknown_unit", f"The signal is in {named_unit(others[0])}, and {wanted} is needed.")


def _of_shape(x: NDArray[Any], fs: float, limits: Limits) -> Iterator[Reason]:
    seconds = x.shape[-1] / fs
    if limits.shortest_s is not None and seconds < limits.shortest_s:
        yield Reason("too_short", f"The record lasts {seconds:.3g} s, and at least {limits.shortest_s:g} s are needed.")
    if limits.longest_s is not None and seconds > limits.longest_s:
        yield Reason(
            "too_long",
            f"The record lasts {seconds:.6g} s, and at most {limits.longest_s:g} s are judged.",
        )
    if limits.lowest_fs is not None and fs < limits.lowest_fs:
        yield Reason("low_rate", f"The record has {fs:g} samples per second, and {limits.lowest_fs:g} are needed.")


def _of_samples(x: NDArray[Any], fs: float, limits: Limits, *, any_lead: bool) -> Iterator[Reason]:
    """Yield the first reason that the samples give; the later ones would follow from it."""
    known = np.isfinite(x)
    worst: Any = np.min if any_lead else np.max
    missing = _missing_share(x, any_lead=any_lead)
    if limits.most_missing is not None and missing > limits.most_missing:
        yield Reason("missing_samples", f"{missing:.0%} of the samples are missing.")
        return
    if limits.most_flat is not None and (flat := float(worst(_flat_shares(x, fs)))) > limits.most_flat:
        yield Reason("flat", f"The signal is flat in {flat:.0%} of the seconds.")
        return
    if limits.most_mv is not None and known.any():
        low, high = np.nanpercentile(np.where(known, x, np.nan)[known.any(axis=-1)], [1, 99], axis=-1)
        spread = float(worst(high - low))
        if spread > limits.most_mv:
            text = f"The signal ranges over {spread:.3g} mV, and at most {limits.most_mv:g} mV is an ECG."
            yield Reason("out_of_range", text)
            return
    if limits.most_offset_mv is not None and known.any():
        offset = float(worst(np.abs(np.nanmedian(x[known.any(axis=-1)], axis=-1))))
        if offset > limits.most_offset_mv:
            text = f"The signal stands {offset:.3g} mV from 0, and at most {limits.most_offset_mv:g} mV is judged."
            yield Reason("out_of_range", f"{text} Subtract the median of each lead.")
            return
    if limits.least_evidence is not None and fs >= _EVIDENCE_FS:
        evidence = float(ecg_evidence(x, fs).max(initial=0.0))
        if evidence < limits.least_evidence:
            yield Reason(
                "noise",
                f"No heart beats can be made out: the evidence is {evidence:.2f}, below {limits.least_evidence:g}.",
            )
            return


def _missing_share(x: NDArray[Any], *, any_lead: bool) -> float:
    worst: Any = np.min if any_lead else np.max
    return float(worst(1.0 - np.isfinite(x).mean(axis=-1))) if x.size else 1.0


def _flat_shares(x: NDArray[Any], fs: float) -> NDArray[np.float64]:
    """Return the share of whole seconds in which each lead stands still, or has no samples."""
    if not x.shape[-1]:
        return np.ones(len(x))
    second = min(max(round(fs), 1), x.shape[-1])
    n = x.shape[-1] // second
    whole = x[:, : n * second].reshape(len(x), n, second)
    known = np.isfinite(whole)
    high, low = np.where(known, whole, -np.inf).max(axis=-1), np.where(known, whole, np.inf).min(axis=-1)
    shares: NDArray[np.float64] = (high - low < _FLAT_MV).mean(axis=1)
    return shares
