"""Data sets of arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.from_arrays import refuse_steps, refuse_time_first
from cardioflow.errors import InputError
from cardioflow.pipeline.data.locations import ArrayLocation
from cardioflow.pipeline.record_ids import record_id

__all__ = ["Names", "array_locations", "labels_by_id"]

Names = Sequence[str] | Sequence[Sequence[str]]
"""A text per lead, for all records or for each."""


def array_locations(
    signals: Any,
    *,
    fs: float | Sequence[float],
    leads: Names | None,
    units: str | Names | None,
    ids: Sequence[Any] | None,
) -> dict[str, ArrayLocation]:
    """Return the location of each of ``signals`` by id; no array is copied.

    Args:
        signals: An array of shape (record, lead, time), or one array of shape (lead, time) per record.
        fs: The sampling rate in Hz, of all records or one per record.
        leads: The names of the leads, of all records or of each; ``None`` numbers them.
        units: The unit of all leads, one per lead, or one per lead of each record; ``None`` is millivolts, and
            refused for integers.
        ids: The ids of the records; ``None`` numbers them.

    Raises:
        InputError: for an array of another shape or type, or a wrong number of anything.
    """
    arrays = _arrays(signals)
    n = len(arrays)
    if units is None:
        refuse_steps(arrays)
    found = {}
    columns = zip(
        _ids(ids, n),
        arrays,
        _rates(fs, n),
        _names("leads", leads, n),
        _names("units", "mV" if units is None else units, n),
        strict=True,
    )
    for name, array, rate, own_leads, own_units in columns:
        default = tuple(f"signal {i}" for i in range(len(array)))
        found[name] = ArrayLocation(
            array,
            rate,
            default if own_leads is None else _per_lead("leads", own_leads, len(array), name),
            _per_lead("units", own_units, len(array), name),
        )
    return found


def labels_by_id(targets: Any, ids: Sequence[str] = ()) -> dict[str, Any]:
    """Return a copy of ``targets``, labels by record id; a sequence of them is in the order of ``ids``.

    Raises:
        InputError: for a wrong number of labels, or an array of more than one axis.
    """
    if isinstance(targets, Mapping):
        return _of_mapping(targets)
    if isinstance(targets, (str, bytes, set, frozenset)) or not hasattr(targets, "__len__"):
        raise InputError(f"{targets!r} is not a label per record. Pass a sequence of labels, or a mapping of ids.")
    if isinstance(targets, np.ndarray) and targets.ndim == 2 and not np.isin(targets, (0, 1)).all():
        # Several numbers per record, as of survival. A matrix of 0 and 1 has labels without their names.
        targets = [tuple(map(float, row)) for row in targets]
    if getattr(targets, "ndim", 1) != 1:
        raise InputError(
            f"targets has shape {targets.shape}, but expected one label per record. Pass the names of the labels, "
            "a tuple of names where a record has several."
        )
    if len(targets) != len(ids):
        raise InputError(f"targets has {len(targets)} labels for {len(ids)} records. Pass one per record.")
    _refuse_other_order(targets, ids)
    # Not by index, which in a pandas Series means its labels.
    return dict(zip(ids, list(targets), strict=True))


def _of_mapping(targets: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, label in targets.items():
        name = record_id(key)
        if name in found:
            raise InputError(f"The labels have two keys for record {name!r}. Keep one.")
        found[name] = label
    return found


def _refuse_other_order(targets: Any, ids: Sequence[str]) -> None:
    """Raise for a pandas Series whose index has the very ids in another order: it may mean either."""
    if not hasattr(targets, "to_frame"):
        return
    index = [str(name) for name in targets.index]
    if index != list(ids) and sorted(index) == sorted(ids):
        raise InputError(
            "The index of targets has the ids of the records in another order. Pass targets.to_dict() to go by id, or "
            "targets.tolist() to go by position."
        )


def _arrays(signals: Any) -> list[NDArray[Any]]:
    if isinstance(signals, (str, bytes, Mapping)) or not hasattr(signals, "__len__"):
        raise InputError(f"signals is a {type(signals).__name__}; expected an array of shape (record, lead, time).")
    if isinstance(signals, np.ndarray) and signals.ndim != 3 and signals.dtype != object:
        raise InputError(
            f"signals has shape {signals.shape}; expected (record, lead, time). Pass x[None] for one record of shape "
            "(lead, time), x[:, None] for records of one lead."
        )
    arrays = [_unmasked(signal) for signal in signals]
    if not arrays:
        raise InputError("signals holds no record. Pass at least one.")
    for i, array in enumerate(arrays):
        if array.ndim != 2 or not array.size:
            raise InputError(
                f"signals[{i}] has shape {array.shape}; expected (lead, time), with at least one of each. "
                "Pass x[None] for one lead."
            )
        if array.dtype.kind not in "fiu":
            raise InputError(f"signals[{i}] is of type {array.dtype}; expected real numbers.")
        refuse_time_first(array, f"signals[{i}]")
    return arrays


def _unmasked(signal: Any) -> NDArray[Any]:
    """Return ``signal`` as an array, with NaN for the samples that NumPy's mask leaves out."""
    if not np.ma.is_masked(signal):
        return np.asarray(signal)
    return np.ma.filled(signal.astype(np.result_type(signal.dtype, np.float32)), np.nan)


def _ids(ids: Sequence[Any] | None, n: int) -> list[str]:
    names = [str(i) for i in range(n)] if ids is None else [record_id(name) for name in ids]
    if len(names) != n:
        raise InputError(f"ids has {len(names)} entries for {n} records. Pass one per record.")
    if len(set(names)) < n:
        double = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two records have the id {double!r}. Pass a different id for each.")
    return names


def _rates(fs: Any, n: int) -> list[float]:
    rates = [fs] * n if np.ndim(fs) == 0 else list(fs)
    if len(rates) != n:
        raise InputError(f"fs has {len(rates)} rates for {n} records. Pass one for all, or one per record.")
    for rate in rates:
        if isinstance(rate, (str, bytes, bool, np.bool_)) or not np.isreal(rate) or not 0 < rate < np.inf:
            raise InputError(f"fs={rate!r} is not a sampling rate. Pass a positive number of Hz.")
    return [float(rate) for rate in rates]


def _names(argument: str, given: Any, n: int) -> list[Any]:
    """Return what is given for each of ``n`` records: the same for all, unless it is a sequence of sequences."""
    if given is None or isinstance(given, str) or all(isinstance(text, str) for text in given):
        return [given] * n
    if len(given) != n:
        raise InputError(
            f"{argument} has {len(given)} entries for {n} records. Pass one per lead, or one list per record."
        )
    return list(given)


def _per_lead(argument: str, given: Any, n_leads: int, record: str) -> tuple[str, ...]:
    # One unit is meant for all leads, one name for one lead.
    times = n_leads if argument == "units" else 1
    found = (given,) * times if isinstance(given, str) else tuple(given)
    if len(found) != n_leads or not all(isinstance(text, str) for text in found):
        raise InputError(
            f"{argument}={list(found)!r}, but the record has {n_leads} lead{'' if n_leads == 1 else 's'}. "
            "Pass one text per lead.",
            record=record,
        )
    return found
