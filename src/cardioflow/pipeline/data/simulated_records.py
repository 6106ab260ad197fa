"""Data sets of simulated records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cardioflow.core.random_keys import record_keys
from cardioflow.errors import InputError, nearest
from cardioflow.pipeline.data.locations import SimulatedLocation

__all__ = ["simulated_records"]

_PARAMETERS = ("fs", "duration_s", "leads", "heart_rate", "noise_mv")


def simulated_records(
    n_records: int, rhythms: Sequence[str], seed: int, parameters: Mapping[str, Any]
) -> tuple[dict[str, SimulatedLocation], dict[str, str]]:
    """Return the locations of ``n_records`` simulated ECGs by id, and their rhythms.

    Args:
        n_records: How many.
        rhythms: Those of ``dsp.simulate``, in turn.
        seed: A whole number; each record has its own stream.
        parameters: Of ``simulate_ecg``, by name.

    Raises:
        InputError: when one of them is out of its range.
    """
    kinds = (rhythms,) if isinstance(rhythms, str) else tuple(rhythms)
    _check(n_records, kinds, seed, parameters)
    ids = [f"sim{i:05d}" for i in range(n_records)]
    keys = record_keys([f"{seed}/{name}" for name in ids])
    more = "".join(f"&{name}={_text(value)}" for name, value in parameters.items() if value is not None)
    found, labels = {}, {}
    for i, (name, key) in enumerate(zip(ids, keys.tolist(), strict=True)):
        labels[name] = kinds[i % len(kinds)]
        found[name] = SimulatedLocation(f"simulated:{labels[name]}?seed={key >> 1}{more}")
    return found, labels


def _check(n_records: Any, rhythms: Sequence[str], seed: Any, parameters: Mapping[str, Any]) -> None:
    from cardioflow.dsp.simulate import check_simulation  # it needs Numba, and a data set is to be light

    def fail(what: str) -> InputError:
        return InputError(f"EcgDataset.simulated({what}.")

    for name, value in (("n_records", n_records), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise fail(f"{name}={value!r}) is not a whole number")
    if n_records < 1:
        raise fail(f"n_records={n_records}): expected 1 or more")
    if not rhythms:
        raise fail(f"rhythms={rhythms!r}) names no rhythm. Pass at least one, such as ('SR', 'AF')")
    for name in parameters:
        if name not in _PARAMETERS:
            raise InputError(f"EcgDataset.simulated() takes no {name!r}. {nearest(name, _PARAMETERS)}")
    given: dict[str, Any] = {name: _leads(value) if name == "leads" else value for name, value in parameters.items()}
    for rhythm in dict.fromkeys(rhythms):
        try:
            check_simulation(rhythm, **given)
        except InputError as error:
            raise InputError(str(error).replace("simulate_ecg(", "EcgDataset.simulated(", 1)) from None
        except TypeError as error:
            raise InputError(f"EcgDataset.simulated(): a parameter is of the wrong type: {error}.") from None


def _leads(value: Any) -> Sequence[str]:
    return tuple(value.split(",")) if isinstance(value, str) else tuple(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return value if isinstance(value, str) or not isinstance(value, Sequence) else ",".join(value)
