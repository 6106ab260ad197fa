"""Printing of texts from files, which may contain terminal control sequences."""

from __future__ import annotations

import json
from typing import Any

import typer

from cardioflow.core.printable import escaped

__all__ = ["as_json_text", "say"]


def as_json_text(value: Any) -> str:
    """Return ``value`` as indented JSON; unprintable characters are escaped."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def say(text: str, *, err: bool = False) -> None:
    """Print ``text``; unprintable characters other than line ends are escaped."""
    typer.echo("\n".join(map(escaped, text.split("\n"))), err=err)
