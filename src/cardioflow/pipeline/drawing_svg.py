"""Boxes under one another as SVG, with the parts of a step side by side inside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, final

__all__ = ["Box", "svg"]

_STYLES: Final = {
    "once": ("#eceff1", "#607d8b"),
    "event": ("#eceff1", "#607d8b"),
    "pure": ("#e3f2fd", "#1e88e5"),
    "random": ("#fff8e1", "#b26a00"),
    "cache": ("#e8f5e9", "#2e7d32"),
    "stateful": ("#fce4ec", "#c2185b"),
    "sink": ("#ede7f6", "#5e35b1"),
}
"""Fill and line of a box; the words in it say the same, for those who do not tell the colours apart."""
_CHARACTER: Final = 7.3
"""The width of a character of 12-pixel monospace, with a little room."""
_LONGEST: Final = 64
_HEIGHT: Final = 44
_GAP: Final = 18
_MARGIN: Final = 12


@final
@dataclass(frozen=True)
class Box:
    """A step."""

    number: str
    """Its place, such as ``"3"``, or ``"3.a.1"`` in a part of the third step."""
    text: str
    """The action and its arguments."""
    nature: str
    words: str
    """What the step is, for people."""
    is_cached: bool
    """Whether its result is kept by a later ``cache``."""
    begins_order: bool
    """Whether it is the first step that is done in order."""
    parts: tuple[tuple[Box, ...], ...] = ()
    """The steps of each pipeline that it does."""

    @property
    def line(self) -> str:
        """The text, cut where it is longer than a box."""
        whole = f"{self.number}. {self.text}"
        return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"

    @property
    def inner_size(self) -> tuple[float, float]:
        """Width and height of its parts."""
        sizes = [_size(part) for part in self.parts]
        if not sizes:
            return 0, 0
        return sum(w for w, _ in sizes) + _MARGIN * (len(sizes) + 1), max(h for _, h in sizes) + _MARGIN

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        width, height = self.inner_size
        own = _CHARACTER * max(len(self.line), len(self.words)) + 2 * _MARGIN
        return max(own, width), _HEIGHT + height


def _size(boxes: Sequence[Box]) -> tuple[float, float]:
    sizes = [box.size for box in boxes]
    lines = sum(_GAP for box in boxes if box.begins_order)
    return max((w for w, _ in sizes), default=60), sum(h for _, h in sizes) + _GAP * max(len(sizes) - 1, 0) + lines


def svg(title: str, boxes: Sequence[Box]) -> str:
    """Return the picture of ``boxes``, one under another, as the text of an SVG file."""
    inner, height = _size(boxes)
    width = max(inner, _CHARACTER * len(title), 420) + 2 * _MARGIN
    parts = "\n".join(_column(boxes, _MARGIN, 2 * _GAP + _MARGIN, width - 2 * _MARGIN))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + 3 * _GAP + _MARGIN:.0f}" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<text x="{_MARGIN}" y="{_GAP + 8}" font-weight="bold" fill="#263238">{escape(title)}</text>\n'
        f"{parts}\n</svg>\n"
    )


def _column(boxes: Sequence[Box], left: float, top: float, width: float) -> Iterator[str]:
    for i, box in enumerate(boxes):
        if i:
            arrow = f"M{left + 24:.1f} {top - _GAP:.1f} v{_GAP - 4} m-4 -5 l4 5 l4 -5"
            yield f'<path d="{arrow}" stroke="#90a4ae" fill="none"/>'
        if box.begins_order:
            yield (
                f'<path d="M{left:.1f} {top + 6:.1f} h{width:.1f}" stroke="#c2185b" stroke-dasharray="5 4"/>'
                f'<text x="{left + 40:.1f}" y="{top + 2:.1f}" font-size="10" fill="#c2185b">'
                "from here on in order</text>"
            )
            top += _GAP
        yield from _box(box, left, top)
        top += box.size[1] + _GAP


def _box(box: Box, left: float, top: float) -> Iterator[str]:
    width, height = box.size
    fill, line = _STYLES[box.nature]
    dashed = ' stroke-dasharray="6 3"' if box.is_cached else ""
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{fill}" '
        f'stroke="{line}" stroke-width="1.5"{dashed}/>'
        f'<text x="{left + _MARGIN:.1f}" y="{top + 18:.1f}" fill="#263238">{escape(box.line)}</text>'
        f'<text x="{left + _MARGIN:.1f}" y="{top + 34:.1f}" font-size="11" fill="{line}">{escape(box.words)}</text>'
    )
    at = left + _MARGIN
    for part in box.parts:
        own = _size(part)[0]
        yield from _column(part, at, top + _HEIGHT, own)
        at += own + _MARGIN
