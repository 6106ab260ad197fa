"""Tables of results: as text, JSON and a page of HTML that needs nothing else."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from cardioflow.core.atomic import whole_file

__all__ = ["Report", "Table"]

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#16181d}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .7rem;border-bottom:1px solid #d9dce1;"
    "text-align:right;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}"
    "thead th{border-bottom:2px solid #16181d}caption{text-align:left;font-weight:600;padding:.5rem 0}"
    "li{margin:.2rem 0}"
)


@final
@dataclass(frozen=True)
class Table:
    """Rows of one kind; a cell is a text, a number or ``None``."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        # A row in JSON is an object, which keeps one of two columns of one name.
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"The table {self.title!r} has two columns of one name among {', '.join(self.columns)}.")

    def to_text(self) -> str:
        """Return the table with columns of equal width."""
        cells = [self.columns, *(tuple(map(_cell, row)) for row in self.rows)]
        widths = [max(len(row[k]) for row in cells) for k in range(len(self.columns))]
        lines = [
            "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in cells
        ]
        return "\n".join([self.title, *(line.rstrip() for line in lines)])

    def to_markdown(self) -> str:
        """Return the table for a page of documentation."""
        # A bar in a text would begin a new cell.
        cells = [tuple(text.replace("|", "\\|") for text in map(_cell, row)) for row in [self.columns, *self.rows]]
        rows = [cells[0], ("---",) * len(self.columns), *cells[1:]]
        return "\n".join([f"**{self.title}**", "", *("| " + " | ".join(row) + " |" for row in rows)])

    def to_html(self) -> str:
        head = "".join(f"<th>{html.escape(c)}</th>" for c in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(c))}</td>" for c in row) + "</tr>" for row in self.rows
        )
        caption = f"<caption>{html.escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@final
@dataclass(frozen=True)
class Report:
    """What a task found: its protocol, its tables, and what a reader must know beside them."""

    title: str
    protocol: Mapping[str, Any]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with ``None`` for what could not be computed."""
        return {
            "title": self.title,
            "protocol": dict(self.protocol),
            "notes": list(self.notes),
            "tables": [
                {
                    "title": t.title,
                    "rows": [{c: _plain(v) for c, v in zip(t.columns, row, strict=True)} for row in t.rows],
                }
                for t in self.tables
            ],
        }

    def to_text(self) -> str:
        lines = [self.title, *(f"{name}: {value}" for name, value in self.protocol.items())]
        return "\n\n".join(["\n".join(lines), *(t.to_text() for t in self.tables), *self.notes])

    def to_markdown(self) -> str:
        lines = [f"# {self.title}", "", *(f"- {name}: {value}" for name, value in self.protocol.items())]
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join(["\n".join(lines), *(t.to_markdown() for t in self.tables), notes]).rstrip() + "\n"

    def to_html(self) -> str:
        """Return a whole page, without scripts and without anything to fetch."""
        facts = "".join(f"<li>{html.escape(str(k))}: {html.escape(str(v))}</li>" for k, v in self.protocol.items())
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(self.title)}</title>'
            f"<style>{_STYLE}</style><h1>{html.escape(self.title)}</h1><ul>{facts}</ul>"
            + "".join(t.to_html() for t in self.tables)
            + (f"<ul>{notes}</ul>" if notes else "")
            + "</html>\n"
        )

    def save_html(self, path: str | Path) -> Path:
        """Write the page to ``path`` and return it."""
        with whole_file(Path(path)) as file:
            file.write_text(self.to_html(), encoding="utf-8")
        return Path(path)

    def save_json(self, path: str | Path) -> Path:
        """Write the plain values to ``path`` and return it."""
        with whole_file(Path(path)) as file:
            file.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False), encoding="utf-8")
        return Path(path)


def _cell(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "–".join(map(_cell, value))
    return str(value)


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
