"""The axes of a record over which an action takes a mean, a range or a scale."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["AXES", "Axis"]

Axis = Literal[-1] | tuple[Literal[-2], Literal[-1]] | None
"""-1 for each lead by itself, (-2, -1) for all leads of a segment together, ``None`` for the whole record."""

AXES: Final = (-1, (-2, -1), None)
"""All values of ``Axis``."""
