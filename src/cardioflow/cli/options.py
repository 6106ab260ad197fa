"""Options of reading on the command line, such as ``-o fs=500``."""

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
        help="An option of load(), such as fs=500, common_fs=250, channels=II or start_s=10. Can be repeated.",
    ),
]


def reading_options(given: Sequence[str] | None) -> dict[str, Any]:
    """Return the ``-o`` options as a dictionary; a value that is not JSON is taken as text.

    >>> reading_options(["fs=500", "waveform=Median", 'channels=["II", "V1"]'])
    {'fs': 500, 'waveform': 'Median', 'channels': ['II', 'V1']}

    Raises:
        InputError: if one of them is not ``NAME=VALUE``.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--option {text!r} is not NAME=VALUE. Pass --option fs=500, for example.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
