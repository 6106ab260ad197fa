"""A drawing in millimetres, which is drawn as a figure or as SVG without a change of scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError

__all__ = ["A4", "Band", "Line", "LineKind", "Scale", "Sheet", "Text"]

Floats = NDArray[np.float64]
LineKind = Literal["trace", "pulse", "p", "qrs", "t", "beat", "label", "calipers", "rule"]

A4: Final = (297.0, 210.0)
"""Width and height in millimetres, landscape (ISO 216)."""


@dataclass(frozen=True)
class Scale:
    """How large time and voltage are drawn: 25 mm/s and 10 mm/mV, unless another is chosen."""

    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0

    def __post_init__(self) -> None:
        for name, value, low, high in (("mm_per_s", self.mm_per_s, 0.1, 500), ("mm_per_mv", self.mm_per_mv, 0.5, 200)):
            if not low <= value <= high:
                raise InputError(
                    f"{name}={value!r} is not between {low:g} and {high:g}. The usual is 25 mm/s, 10 mm/mV."
                )

    def __str__(self) -> str:
        return f"{self.mm_per_s:g} mm/s   ·   {self.mm_per_mv:g} mm/mV"


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points in millimetres from the lower left corner; NaN interrupts it."""

    kind: LineKind
    x: Floats
    y: Floats
    name: str = ""
    """What it is, for a reader who does not see it."""


@dataclass(frozen=True)
class Text:
    """A text whose baseline begins (or ends, or has its middle) at a point."""

    x: float
    y: float
    text: str
    size_pt: float = 8.0
    bold: bool = False
    align: Literal["left", "center", "right"] = "left"
    soft: bool = False
    """Whether it is secondary, and grey."""
    boxed: bool = False
    """Whether the paper behind it is covered."""


@dataclass(frozen=True)
class Band:
    """A filled rectangle, by its lower left corner and size."""

    kind: Literal["blank", "gap", "episode", "bar", "track"]
    x: float
    y: float
    width: float
    height: float
    strength: float = 1.0
    """From 0 to 1, how strongly it is filled."""


@dataclass
class Sheet:
    """A page: its size, where it is ruled as ECG paper, and what is on it."""

    width: float
    height: float
    grid: tuple[float, float, float, float] | None = None
    """x, y, width and height of the ruled part."""
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)

    def write(self, x: float, y: float, text: str, **more: Any) -> None:
        """Add a text."""
        self.texts.append(Text(x, y, text, **more))
