"""What a saved model is, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Literal, Self, final

from cardioflow.bundle.bundle_card import Score
from cardioflow.bundle.description import BundleDescription
from cardioflow.core.printable import escaped
from cardioflow.models.dump_header import DumpHeader

__all__ = ["Card"]

_MEANINGS = {
    "exclusive": "one class per record",
    "independent": "any number of labels per record",
    "value": "numbers",
    "states": "a class per sample",
    "beats": "the beats of a record",
    "waves": "onset, peak and end of P, QRS and T",
    "quality": "how usable each lead is",
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
    bundle: BundleDescription | None = None
    """What a bundle of several files says of itself beside this."""

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

    @classmethod
    def of_bundle(cls, description: BundleDescription) -> Self:
        """Return the card of a bundle of several files."""
        members = ", ".join(f"{m.name} {m.weight:g}" for m in description.members)
        return cls(
            model=f"{description.name} {description.release}",
            adapter=members or f"method {description.method}",
            output=description.output,
            classes=description.classes,
            thresholds=dict(description.thresholds),
            leads=description.leads,
            units=(description.units,),
            fs=description.fs,
            input_shape=None,
            last={},
            preprocessing=tuple(m.name for m in description.members),
            notes=description.card.notes,
            bundle=description,
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
            **({} if self.bundle is None else _of_bundle(self.bundle)),
        }
        return "\n".join(f"{name:<12}{escaped(value or 'unknown')}" for name, value in lines.items() if value != "")


def _of_bundle(described: BundleDescription) -> dict[str, str]:
    """Return the lines that only a bundle of several files has, without those that say nothing."""
    own = described.card
    data = (", ".join(filter(None, (f"{d.name} {d.version}".strip(), d.part, d.used_for, d.licence))) for d in own.data)
    stood_in = (f"{lead} by {', '.join(others)}" for lead, others in described.substitutes.items())
    limits = {name: value for name, value in asdict(described.limits).items() if value is not None}
    # A method has none of the first ones.
    empty = [] if described.classes else ["classes", "thresholds"]
    return {
        **dict.fromkeys([*empty, *([] if described.fs else ["rate"]), "input", "last", "prepared"], ""),
        "title": described.title,
        "substitutes": "; ".join(stood_in),
        "chosen": described.thresholds_chosen,
        "limits": ", ".join(f"{name} {value}" for name, value in limits.items()),
        "intended": own.intended,
        "not for": "; ".join(own.not_for),
        "data": "; ".join(data),
        "split": own.split,
        "protocol": own.protocol,
        "scores": _scores(own.scores),
        "licence": own.licence,
        "recipe": own.recipe,
        "made": own.made,
    }


def _scores(scores: Sequence[Score]) -> str:
    """Return the figures, and after those of one set of records, which it is."""
    groups = ((on, "; ".join(map(str, found))) for on, found in groupby(scores, key=lambda score: score.on))
    return ". ".join(f"{figures} [{on}]" if on else figures for on, figures in groups)
