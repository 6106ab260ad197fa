"""Elements of a page, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Cell", "facts", "items", "section", "table"]


class Cell(NamedTuple):
    """A cell of a table."""

    text: str
    kind: str = ""
    """A class that the style sheet knows."""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str | Cell]], *, kind: str = "") -> str:
    """Return a table whose first column names the row; screen readers announce both names with each cell."""
    out = [f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">']
    out.append(f'<table class="{kind}"><caption>{escape(caption)}</caption><thead><tr>')
    out += [f'<th scope="col">{escape(name)}</th>' for name in head]
    out.append("</tr></thead><tbody>")
    for row in rows:
        first, *rest = (cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
        out.append(f'<tr><th scope="row">{escape(first.text)}</th>')
        out += [f"<td{_class(cell.kind)}>{escape(cell.text)}</td>" for cell in rest]
        out.append("</tr>")
    out.append("</tbody></table></div>")
    return "".join(out)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with their values."""
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{inside}</dl>'


def items(texts: Iterable[str]) -> str:
    """Return a list."""
    inside = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{inside}</ul>" if inside else ""


def section(name: str, heading: str, *inside: str) -> str:
    """Return a section that is a landmark with a heading."""
    body = "".join(inside)
    return f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{escape(heading)}</h2>{body}</section>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
