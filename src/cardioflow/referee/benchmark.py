"""The referee as one function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cardioflow.errors import InputError
from cardioflow.referee.tables import Report
from cardioflow.referee.tasks.base import Where
from cardioflow.registry import referees

__all__ = ["benchmark"]


def benchmark(
    task: str,
    data: str | Path,
    methods: str | Sequence[str] = ("ours",),
    *,
    split: str | Path | None = None,
    part: str | None = None,
    **options: Any,
) -> Report:
    """Score ``methods`` on the records in ``data`` by the protocol of ``task``.

    Args:
        task: what is scored, such as ``"qrs"``; a file in ``referee/tasks/``.
        data: the folder of the records.
        methods: ``"ours"``, a peer's name such as ``"sleepecg"``, or ``"module:function"``; one or several.
        split: a CSV table with the columns ``record`` and ``part``; by default all records count.
        part: the part of it to score on.
        options: the task's own.

    Raises:
        UnknownNameError: when there is no such task or method.
        MissingDependencyError: when a peer is not installed.
        InputError: when an option or the data cannot be used.

    >>> benchmark("qrs", "mitdb", ["ours", "sleepecg"]).save_html("qrs.html")  # doctest: +SKIP
    """
    chosen = referees.get(task)
    if not methods:
        raise InputError("benchmark(methods=()) names no method. Pass at least one, such as 'ours'.")
    known = [field.name for field in fields(chosen)]
    for name in options:
        if name not in known:
            raise InputError(f"benchmark({task!r}) takes no option {name!r}. Its options are: {', '.join(known)}.")
    made = chosen(**options)
    names = [methods] if isinstance(methods, str) else list(dict.fromkeys(methods))
    where = Where(Path(data), None if split is None else Path(split), part)
    found: Report = made.run(where, names)
    return found
