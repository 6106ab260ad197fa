"""What tells a function from another one of its name: its code, and what it has from outside, without places."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any

__all__ = ["closed_over", "code_lines"]


def code_lines(code: CodeType) -> Iterator[str]:
    """Yield what the code does as text that is the same in every process, without its file and its line numbers."""
    yield code.co_code.hex()
    yield code.co_exceptiontable.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_lines(constant)
        else:
            yield _constant(constant)


def _constant(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        # Its order depends on the hashes of texts, which every process draws anew.
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    return repr(value)


def closed_over(function: Any) -> tuple[list[Any], list[int]]:
    """Return the values that ``function`` has from the functions around it, and the places of those still without one.

    A variable has no value where the function around has not assigned it yet.
    """
    values: list[Any] = []
    empty: list[int] = []
    for place, cell in enumerate(getattr(function, "__closure__", None) or ()):
        try:
            values.append(cell.cell_contents)
        except ValueError:
            empty.append(place)
    return values, empty
