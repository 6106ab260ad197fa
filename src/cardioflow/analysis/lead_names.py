"""Names of leads that tell each from the others."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["distinct_names"]


def distinct_names(leads: Sequence[str]) -> list[str]:
    """Return the names of leads, with a number behind one that is there before: two Holter leads may both be ECG.

    >>> distinct_names(["ECG", "II", "ECG"])
    ['ECG', 'II', 'ECG (2)']
    """
    found: list[str] = []
    for k, lead in enumerate(leads):
        number = leads[:k].count(lead) + 1
        while (name := lead if number == 1 else f"{lead} ({number})") in found:
            number += 1
        found.append(name)
    return found
