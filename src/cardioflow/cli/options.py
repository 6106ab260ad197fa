"""Options of reading, as the command line gives them: ``-o fs=500``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cardioflow.errors import InputError

__all__ = ["ReadingOptions", "reading_options"]

ReadingOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="NAME=VALUE",
        help="How to read, as load() takes it: fs=500, common_fs=250, channels=II, start_s=10. May be given again.",
    ),
]


def reading_options(given: Sequence[str] | None) -> dict[str, Any]:
    """Return what ``-o`` options say; a value is JSON, or else a text.

    >>> reading_options(["fs=500", "waveform=Median", 'channels=["II", "V1"]'])
    {'fs': 500, 'waveform': 'Median', 'channels': ['II', 'V1']}

    Raises:
        InputError: when one of them is no ``NAME=VALUE``.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--option {text!r}: expected NAME=VALUE, such as fs=500.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
