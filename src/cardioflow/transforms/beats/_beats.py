"""The beats among a record's annotations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np

from cardioflow.batch import Annotation, EcgBatch
from cardioflow.batch.annotation import BEATS
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters

__all__ = ["AAMI", "BEATS", "beats_of", "check_symbols"]

AAMI: Final = {
    **dict.fromkeys("NLRBej", "N"),
    **dict.fromkeys("AaJSn", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""Each beat's class in ANSI/AAMI EC57, table 3: normal, supraventricular, ventricular, fusion, unknown."""


def check_symbols(transform: Any) -> None:
    """Check that the parameter ``symbols`` names beats, and store it as a tuple.

    Raises:
        InputError: naming a symbol that does not stand for a beat.
    """
    for symbol in _parameters.names(transform, "symbols"):
        if symbol not in BEATS:
            raise InputError(
                f"{transform.action_name}(symbols=…): {symbol!r} does not stand for a beat. "
                f"Pass some of: {' '.join(sorted(BEATS))}."
            )


def beats_of(batch: EcgBatch, step: str, symbols: Collection[str] | None) -> list[Annotation]:
    """Return each record's beats, those of ``symbols`` where given.

    Raises:
        InputError: when annotations are not loaded, or the signals are cut.
    """
    wanted = BEATS if symbols is None else symbols
    found = []
    for marks in batch.component("annotation"):
        if isinstance(marks, tuple):
            raise InputError(
                f"{step} needs signals that are not cut. Call it before cutting, or call unstack_signals first."
            )
        found.append(marks.take(np.array([s in wanted for s in marks.symbol.tolist()], dtype=bool)))
    return found
