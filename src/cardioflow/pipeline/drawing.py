"""A drawing of a pipeline: what is pure, random, cached, done in order, written, or done once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from cardioflow.core.atomic import whole_file
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.drawing_svg import Box, svg
from cardioflow.pipeline.nature import is_ahead, is_repeated, nature
from cardioflow.pipeline.template import Template, parts_of

__all__ = ["Drawing", "draw"]

_WORDS = {
    "once": "once, before the first batch",
    "event": "on the events of the run",
    "sink": "writes, in order",
    "stateful": "stateful, in order",
    "cache": "cache",
    "random": "random",
    "pure": "pure",
}
_ORDER = "from here on in order, in the thread that asks for batches"


@final
@dataclass(frozen=True)
class Drawing:
    """A pipeline as text and as SVG; ``print`` shows the text, a notebook the picture."""

    title: str
    boxes: tuple[Box, ...]

    @property
    def svg(self) -> str:
        """The picture, as the text of an SVG file."""
        return svg(self.title, self.boxes)

    def save(self, path: str | Path) -> None:
        """Write the picture to ``path``, an SVG file.

        Raises:
            WriteError: when it cannot be written.
        """
        with whole_file(Path(path)) as temporary:
            temporary.write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        lines = list(_lines(self.boxes, ""))
        width = max((len(left) for left, _ in lines), default=0)
        return "\n".join([self.title, *(f"{left:<{width}}  {right}".rstrip() for left, right in lines)])

    __repr__ = __str__


def draw(template: Template, state: str) -> Drawing:
    """Return the drawing of ``template``; ``state`` says whether it is bound to a data set."""
    return Drawing(f"Pipeline ({state})", _boxes(template.steps, ""))


def _boxes(calls: Sequence[Call], prefix: str) -> tuple[Box, ...]:
    repeated = [call for call in calls if is_repeated(call)]
    ahead = [is_ahead(call) for call in repeated]
    n_ahead = ahead.index(False) if False in ahead else len(ahead)
    first_in_order = repeated[n_ahead] if n_ahead < len(repeated) and not prefix else None
    caches = [i for i, call in enumerate(repeated[:n_ahead]) if nature(call) == "cache"]
    n_cached = caches[-1] if caches else 0
    kept = {id(call) for call in repeated[:n_cached]}
    in_order = {id(call) for call in repeated[n_ahead:]}
    return tuple(
        Box(
            f"{prefix}{number}",
            str(call),
            nature(call),
            _words(call, is_cached=id(call) in kept, is_in_order=id(call) in in_order),
            is_cached=id(call) in kept,
            begins_order=call is first_in_order,
            parts=tuple(_boxes(part.steps, f"{prefix}{number}.{letter}") for letter, part in _lettered(call)),
        )
        for number, call in enumerate(calls, 1)
    )


def _lettered(call: Call) -> Iterator[tuple[str, Template]]:
    parts = parts_of(call)
    for i, part in enumerate(parts):
        yield ("" if len(parts) == 1 else f"{chr(97 + i % 26)}."), part


def _words(call: Call, *, is_cached: bool, is_in_order: bool) -> str:
    kind = nature(call)
    if kind in ("pure", "random", "cache") and is_in_order:
        return f"{_WORDS[kind]}, in order"
    return f"{_WORDS[kind]}, cached" if is_cached else _WORDS[kind]


def _lines(boxes: Sequence[Box], indent: str) -> Iterator[tuple[str, str]]:
    for box in boxes:
        if box.begins_order:
            yield f"{indent}  ── {_ORDER} ──", ""
        yield f"{indent}  {box.number:>2}. {box.text}", box.words
        for part in box.parts:
            yield from _lines(part, f"{indent}    │")
