"""From arrays in memory to the columns of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.leads import standard_name
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError, LabelError

__all__ = ["column_values", "refuse_steps", "refuse_time_first"]

_MOST_LEADS: Final = 32
"""Of records shorter than their number of leads, as tests and windows of a model may be."""

Names = Sequence[str] | Sequence[Sequence[str]] | None


def column_values(  # noqa: PLR0917 -- the arguments of EcgBatch.from_arrays, in its order
    signals: Any,
    fs: ArrayLike,
    leads: Names,
    units: Names | str,
    targets: Any,
    classes: Sequence[str] | None,
    annotations: Sequence[Annotation] | None,
    ids: Sequence[str] | None,
) -> dict[str, Any]:
    """Return the fields of a batch of the arrays ``signals``, as ``EcgBatch.from_arrays`` describes them.

    Raises:
        InputError: when an argument does not fit the signals.
        LabelError: when a target is not one of ``classes``.
    """
    signal = _signal_column(signals, has_units=units is not None)
    n = len(signal)
    known = None if classes is None else tuple(classes)
    target, known = (None, known) if targets is None else _label_column(targets, known, n)
    return {
        "ids": _ids_of(ids, n),
        "signal": signal,
        "annotation": None if annotations is None else _annotation_column(annotations, n),
        "meta": _meta_of_arrays(signal, fs, leads, units),
        "target": target,
        "classes": known,
    }


def _signal_column(signals: Any, *, has_units: bool) -> Ragged:
    """Return arrays of (lead, time), or one array of (record, lead, time), as the signals of a batch.

    Raises:
        InputError: when a record has another number of axes or no real numbers, or integers without a unit.
    """
    masked = next((i for i, x in enumerate(signals) if np.ma.is_masked(x)), None)
    if masked is not None:
        raise InputError(
            f"from_arrays(signals=…): signal {masked} is a masked array, whose masked samples would count as measured. "
            "Pass x.astype(float).filled(np.nan)."
        )
    arrays = [np.asarray(x) for x in signals]
    for i, x in enumerate(arrays):
        if x.ndim != 2 or x.dtype.kind not in "biuf":
            raise InputError(
                f"from_arrays(signals=…): signal {i} is an array of shape {x.shape} and type {x.dtype}; expected real "
                "numbers of shape (lead, time). Pass x[None] for a single lead."
            )
        refuse_time_first(x, f"from_arrays(signals=…): signal {i}")
    if not has_units:
        refuse_steps(arrays)
    return Ragged.from_arrays(arrays)


def refuse_steps(arrays: Sequence[NDArray[Any]]) -> None:
    """Raise for integers, which are steps of a converter more often than millivolts.

    Raises:
        InputError: when one of the arrays is of integers.
    """
    for i, array in enumerate(arrays):
        if array.dtype.kind in "iu":
            raise InputError(
                f"signals[{i}] is of type {array.dtype}, whose unit is not known. Pass units='uV' or 'mV' for "
                "integers that are voltages, or units='adu' for steps of a converter."
            )


def refuse_time_first(x: NDArray[Any], name: str) -> None:
    """Raise for an array of (time, lead), which would pass for hundreds of leads of a few samples.

    Body surface maps have up to some 250 leads, but always more samples than leads.

    Raises:
        InputError: for an array with more leads than ``_MOST_LEADS`` and than samples.
    """
    n_leads, n_samples = x.shape
    if n_leads > max(_MOST_LEADS, n_samples):
        raise InputError(
            f"{name} has shape {x.shape}, which would be {n_leads} leads of {n_samples} sample"
            f"{'' if n_samples == 1 else 's'}; expected (lead, time). Pass x.T for an array of (time, lead)."
        )


def _ids_of(ids: Sequence[str] | None, n: int) -> tuple[str, ...]:
    """Return the ids, by default ``"0"``, ``"1"`` and so on.

    Raises:
        InputError: when they are not one text per record, each different.
    """
    found = tuple(str(i) for i in range(n)) if ids is None else tuple(ids)
    if len(found) != n or not all(isinstance(i, str) for i in found):
        raise InputError(f"from_arrays(ids={found!r}): expected {n} texts, one per signal.")
    if len(set(found)) < n:
        twice = next(i for i in found if found.count(i) > 1)
        raise InputError(f"from_arrays(ids=…) has the id {twice!r} twice. Pass a different id for each signal.")
    return found


def _meta_of_arrays(signal: Ragged, fs: ArrayLike, leads: Names, units: Names | str) -> Meta:
    """Return the metadata of ``signal``: sampling rates in Hz, standard lead names and units, by default millivolts.

    Raises:
        InputError: when they do not fit the signals.
    """
    n = len(signal)
    try:
        rates = np.broadcast_to(np.asarray(fs, np.float64), (n,)).copy()
    except (TypeError, ValueError):
        raise InputError(f"from_arrays(fs={fs!r}): expected one sampling rate in Hz, or {n} of them.") from None
    if not (np.isfinite(rates) & (rates > 0)).all():
        raise InputError(f"from_arrays(fs={fs!r}): expected sampling rates above 0 Hz.")
    columns: dict[str, Any] = {"fs": rates, "units": _per_record("units", units or "mV", signal)}
    if leads is not None:
        columns["leads"] = [tuple(map(standard_name, own)) for own in _per_record("leads", leads, signal)]
    return Meta(columns, n)


def _label_column(targets: Any, known: tuple[str, ...] | None, n: int) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Return targets and classes: labels, tuples of labels, or an array of numbers, one per record.

    Without ``known`` classes, labels get those that occur, in alphabetical order.

    Raises:
        InputError: when they are not one per record.
        LabelError: when a label is not one of ``known``, or is not a text.
    """
    if len(targets) != n:
        raise InputError(f"from_arrays(targets=…) has {len(targets)} entries for {n} signals. Pass one per signal.")
    if (numbers := _as_numbers(targets)) is not None:
        return (numbers.astype(np.float32) if numbers.ndim > 1 else numbers), known
    column = np.empty(n, dtype=object)
    for i, target in enumerate(targets):
        is_missing = target is None or (isinstance(target, float) and np.isnan(target))
        column[i] = tuple(target) if isinstance(target, list | tuple | set | frozenset) else target
        if is_missing:  # as in a table with empty cells; what needs the label refuses the record by its name
            column[i] = None
    labels = {label for own in column if own is not None for label in (own if isinstance(own, tuple) else (own,))}
    for i, own in enumerate(column):
        for label in own if isinstance(own, tuple) else (own,):
            if not isinstance(label, str) and own is not None:
                raise LabelError(
                    f"from_arrays(targets=…): {label!r} of signal {i} is not a label. Pass a text or a tuple of texts "
                    "for each signal, a row of numbers for each, or leave out the signal."
                )
    for label in sorted(labels):
        if known is not None and label not in known:
            raise LabelError(f"from_arrays(targets=…): {label!r} is not one of classes={known!r}.")
    return column, tuple(sorted(labels)) if known is None else known


def _as_numbers(targets: Any) -> NDArray[Any] | None:
    """Return targets that are numbers, or rows of numbers of one length, as an array; ``None`` for all others."""
    try:
        array = np.asarray(targets)
    except ValueError:  # rows of different lengths
        return None
    # NumPy makes texts of numbers beside texts, so that a missing label would become the label "nan".
    return array if array.size and array.dtype.kind in "biuf" else None


def _annotation_column(annotations: Sequence[Annotation], n: int) -> tuple[Annotation, ...]:
    """Return the annotations, one per record.

    Raises:
        InputError: when they are not.
    """
    found = tuple(annotations)
    if len(found) != n or not all(isinstance(own, Annotation) for own in found):
        raise InputError(f"from_arrays(annotations=…): expected {n} Annotation objects, one per signal.")
    return found


def _per_record(name: str, given: Any, signal: Ragged) -> list[tuple[str, ...]]:
    """Return a tuple of texts per record, from one for all leads, one per lead, or one per lead of each record."""
    counts = signal.shapes[:, 0].tolist()
    if isinstance(given, str):
        rows = [(given,) * k for k in counts] if name == "units" else [(given,)] * len(counts)
    elif all(isinstance(own, str) for own in given):
        rows = [tuple(given)] * len(counts)
    else:
        rows = [tuple(own) for own in given]
    if [len(own) for own in rows] != counts:
        raise InputError(
            f"from_arrays({name}={given!r}) does not fit signals of {sorted(set(counts))} leads. "
            f"Pass one text per lead, for all records or for each of the {len(counts)}."
        )
    return rows
