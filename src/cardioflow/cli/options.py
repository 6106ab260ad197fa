"""Arguments and options that commands share, such as ``-o fs=500``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cardioflow.errors import InputError

__all__ = ["AsJson", "Files", "ReadingOptions", "layout_of", "reading_options", "thresholds_of"]

_LAYOUTS = {".json": "json", ".csv": "csv", ".parquet": "parquet", ".txt": "text"}

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="ECG files, or folders of them; for a WFDB record, its .hea file.")
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for use by other programs.")]

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


def layout_of(name: str | None, out: Path | None, *, as_json: bool) -> Any:
    """Return the form of the output: the one that was named, or that of the suffix of ``out``.

    Raises:
        InputError: for a form that does not exist, or two of them.
    """
    if as_json and name not in (None, "json"):
        raise InputError(f"predict got both --json and --format {name}. Pass one of them.")
    if name is not None and name not in _LAYOUTS.values():
        raise InputError(f"--format {name!r} is not a form of the output. Pass text, json, csv or parquet.")
    suffix = None if out is None else out.suffix.lower()
    return "json" if as_json else name or _LAYOUTS.get(suffix or "", "text")


def thresholds_of(given: Sequence[str] | None) -> dict[str, float]:
    """Return the ``--threshold`` options as a dictionary.

    >>> thresholds_of(["A=0.4"])
    {'A': 0.4}

    Raises:
        InputError: if one of them is not ``LABEL=P``.
    """
    found: dict[str, float] = {}
    for text in given or ():
        label, equals, share = text.rpartition("=")
        try:
            found[label] = float(share)
        except ValueError:
            equals = ""
        if not equals or not label:
            raise InputError(f"--threshold {text!r} is not LABEL=P. Pass --threshold A=0.4, for example.")
    return found
