"""``cardioflow benchmark``: methods scored by the referee."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cardioflow.cli.printing import as_json_text, say
from cardioflow.referee.benchmark import benchmark

__all__ = ["print_benchmark"]


def print_benchmark(
    task: str,
    data: Path,
    methods: str,
    *,
    split: Path | None,
    part: str | None,
    options: Mapping[str, Any],
    as_json: bool,
    page: Path | None,
) -> int:
    """Print the report of ``task``, or write it to ``page`` as HTML, and return the exit status.

    ``options`` are those of the task; one that is ``None`` keeps its default.
    """
    names = [name.strip() for name in methods.split(",") if name.strip()]
    given = {name: value for name, value in options.items() if value is not None}
    report = benchmark(task, data, names, split=split, part=part, **given)
    if page is not None:
        report.save_html(page)
        say(f"Written: {page}", err=True)
    if as_json:
        say(as_json_text(report.to_dict()))
    elif page is None:
        say(report.to_text())
    return 0
