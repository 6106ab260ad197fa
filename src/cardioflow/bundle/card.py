"""What a saved model is, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, final

from cardioflow.core.printable import escaped
from cardioflow.models.dump_header import DumpHeader

__all__ = ["Card"]

_MEANINGS = {
    "exclusive": "one class per record",
    "independent": "any number of labels per record",
    "value": "numbers",
    "states": "a class per sample",
}


@final
@dataclass(frozen=True)
class Card:
    """The facts of a saved model; printed, one line for each, with what is not printable escaped."""

    model: str
    """The class that was saved."""
    adapter: str
    """The backend."""
    output: str
    classes: tuple[str, ...] | None
    thresholds: Mapping[str, float]
    leads: tuple[str, ...] | Literal["any"] | None
    """The leads that the model takes, in its order; ``"any"`` if they do not matter to it."""
    units: tuple[str, ...] | Literal["any"] | None
    """The unit of each lead, ``"adu"`` for numbers without one."""
    fs: float | None
    """Sampling rate in Hz of the signals that the model was trained on, where all had the same."""
    input_shape: tuple[int, ...] | None
    """(lead, time)."""
    last: Mapping[str, float]
    """The last value of each loss and metric of the history."""
    preprocessing: tuple[str, ...]
    """The steps from a file to what the model takes."""
    notes: str

    @classmethod
    def of(cls, header: DumpHeader, thresholds: Mapping[str, float], preprocessing: tuple[str, ...]) -> Self:
        """Return the card of a model whose dump has ``header``."""
        return cls(
            model=header.model,
            adapter=header.adapter,
            output=header.output,
            classes=header.classes,
            thresholds=dict(thresholds),
            leads=header.leads,
            units=header.units,
            fs=header.fs,
            input_shape=header.input_shape,
            last={name: values[-1] for name, values in header.hist.items() if values},
            preprocessing=preprocessing,
            notes=header.notes,
        )

    def __str__(self) -> str:
        shape = None if self.input_shape is None else " × ".join(map(str, self.input_shape))
        lines = {
            "model": f"{self.model} ({self.adapter})",
            "output": _MEANINGS[self.output],
            "classes": None if self.classes is None else ", ".join(map(str, self.classes)),
            "thresholds": ", ".join(f"{label} {share:g}" for label, share in self.thresholds.items()) or "default",
            "leads": self.leads if self.leads is None or self.leads == "any" else " ".join(self.leads),
            "units": self.units if self.units is None or self.units == "any" else " ".join(dict.fromkeys(self.units)),
            "rate": None if self.fs is None else f"{self.fs:g} Hz",
            "input": None if shape is None else f"{shape} (lead × time)",
            "last": "   ".join(f"{name} {value:.3f}" for name, value in self.last.items()),
            "prepared": " → ".join(self.preprocessing),
            "notes": self.notes,
        }
        return "\n".join(f"{name:<12}{escaped(value or 'unknown')}" for name, value in lines.items() if value != "")
