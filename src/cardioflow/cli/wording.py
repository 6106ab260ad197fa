"""Hints of the library in the words of the command line: ``load(fmt='csv', fs=500)`` is ``-o fs=500`` there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from re import Match
from typing import Final

__all__ = ["in_options"]

_OPTIONS: Final = {
    "fmt": "--fmt",
    "ann_ext": "--ann-ext",
    "data": "--data",
    "layout": "--layout",
    "mm_per_s": "--speed",
    "mm_per_mv": "--gain",
}
"""Parameters that are options of their own; others are given with ``-o``."""

_PLACE: Final = re.compile(r" \[(?:record .*, )?step \d+, load\(.*\)\]$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"load\(\) takes no '(\w+)' for fmt='(\w+)'")
_CALL: Final = re.compile(r"\bload\(((?:\w+=(?:'[^']*'|[^(),']*)(?:, )?)+)\)")
_ARGUMENT: Final = re.compile(r"(\w+)=('[^']*'|[^,']*)")
_PARAMETER: Final = re.compile(r"(?<![\w('-])(\w+)=(?:'([^']*)'|([^\s,.;)']*(?:\.\d+)?))")


def in_options(text: str, own: Mapping[str, str] | None = None) -> str:
    """Return ``text``, an error or a warning, with parameters of functions as options of the command line.

    >>> in_options("Pass it: load(fmt='csv', fs=500).")
    'Pass it: -o fs=500.'
    >>> in_options("Pass fmt= if it is.")
    'Pass --fmt if it is.'

    Args:
        text: what the library says.
        own: Parameters that have an option of their own in this command alone.
    """
    known = {**_OPTIONS, **(own or {})}
    text = _PLACE.sub("", text)
    text = _UNKNOWN.sub(r"-o \1=… is not an option of the format \2", text)
    text = _CALL.sub(_reading_options, text)
    return _PARAMETER.sub(_option_of(known), text)


def _reading_options(call: Match[str]) -> str:
    """Return the arguments of ``load``; the format is left out where others follow, because it has been recognised."""
    given = [(name, value.strip("'")) for name, value in _ARGUMENT.findall(call[1])]
    others = [f"-o {name}={value}" for name, value in given if name != "fmt"]
    return " ".join(others) or " ".join(f"--fmt {value}" for _, value in given)


def _option_of(known: Mapping[str, str]) -> Callable[[Match[str]], str]:
    def replaced(found: Match[str]) -> str:
        name, value = found[1], found[2] if found[2] is not None else found[3]
        before = found.string[: found.start()]
        if name in known:
            return f"{known[name]} {value}".rstrip()
        # Other equals signs, such as those of a file, are not ours to change.
        return f"-o {name}={value}" if re.search(r"\b[Pp]ass $", before) else found[0]

    return replaced
