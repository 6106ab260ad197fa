"""QT at 60 beats per minute, by the four formulas in common use."""

from __future__ import annotations

from typing import Literal, get_args

from cardioflow.errors import InputError, nearest

__all__ = ["QtFormula", "corrected_qt"]

QtFormula = Literal["bazett", "fridericia", "framingham", "hodges"]


def corrected_qt(qt_s: float, rr_s: float, formula: QtFormula = "fridericia") -> float:
    """Return QT, in seconds, as it would be at 60 beats per minute.

    Bazett (Heart 7, 1920): QT / √RR. Fridericia (Acta Med Scand 53, 1920): QT / ∛RR. Framingham (Sagie et al.,
    Am J Cardiol 70, 1992): QT + 0.154 (1 - RR). Hodges (Hodges et al., J Am Coll Cardiol 1, 1983):
    QT + 1.75 ms per beat per minute above 60.

    Raises:
        InputError: when the formula is not one of these.
    """
    if formula not in get_args(QtFormula):
        raise InputError(f"{formula!r} is not a formula for QT. {nearest(formula, get_args(QtFormula))}")
    if formula == "framingham":
        return qt_s + 0.154 * (1.0 - rr_s)
    if formula == "hodges":
        return qt_s + 0.00175 * (60.0 / rr_s - 60.0)
    return float(qt_s / rr_s ** (1 / 2 if formula == "bazett" else 1 / 3))
