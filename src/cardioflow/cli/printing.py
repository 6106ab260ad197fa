"""Printing of texts from files, which may contain terminal control sequences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import typer

from cardioflow.cli.wording import in_options
from cardioflow.core.printable import escaped

__all__ = ["about", "as_json_text", "complain", "say"]


def as_json_text(value: Any) -> str:
    """Return ``value`` as indented JSON; unprintable characters are escaped."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def about(file: str, reason: str) -> str:
    """Return ``reason`` with the file that it is about before it, once."""
    if reason.startswith(file):
        return reason
    # A reason may go on with a sentence that the name of the file begins.
    return f"{file} {reason}" if reason[:1].islower() else f"{file}: {reason}"


def complain(text: str, own: Mapping[str, str] | None = None) -> None:
    """Print an error or a warning, with the hints of the library in the words of the command line."""
    say(f"cardioflow: {in_options(text, own)}", err=True)


def say(text: str, *, err: bool = False) -> None:
    """Print ``text``; unprintable characters other than line ends are escaped."""
    typer.echo("\n".join(map(escaped, text.split("\n"))), err=err)
