"""Reports on files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioflow.cli.info import records_in
from cardioflow.cli.printing import about, complain, say
from cardioflow.report.write_report import write_reports

__all__ = ["print_reports"]


def print_reports(
    files: Sequence[Path],
    out: Path,
    *,
    model: str | Path | None,
    pdf: bool,
    texts: Path | None,
    fmt: str | None,
    options: Mapping[str, Any],
) -> int:
    """Write a report on each of ``files``, print its path, and return the exit status: 2 if one could not be read."""
    found = write_reports(
        list(records_in(files, fmt)),
        out,
        model=model,
        pdf=pdf,
        texts=texts,
        fmt=fmt,
        options=options,
        told=lambda path: say(str(path)),
    )
    for failure in found.failures:
        complain(about(failure.file, failure.reason))
    return 2 if found.failures else 0
