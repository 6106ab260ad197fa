"""Keyword arguments by their current names, where earlier versions had others."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

from cardioflow.errors import InputError

__all__ = ["Renamed", "current_names"]


class Renamed(Protocol):
    """An action class that knows the former names of its parameters."""

    former_parameters: Mapping[str, str]


def current_names(action: Renamed, name: str, arguments: Mapping[str, Any], *, stacklevel: int) -> dict[str, Any]:
    """Return the keyword arguments of the action ``name`` by today's names, with a warning for each former one.

    Raises:
        InputError: when an argument is given by both names.
    """
    named = dict(arguments)
    for old, new in action.former_parameters.items():
        if old in named:
            if new in named:
                raise InputError(f"{name}() was given {old!r} and {new!r}, which are the same. Pass {new} only.")
            warnings.warn(f"{name}({old}=…) is now {name}({new}=…).", DeprecationWarning, stacklevel=stacklevel + 1)
            named[new] = named.pop(old)
    return named
