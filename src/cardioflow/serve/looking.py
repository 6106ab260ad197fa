"""Measurements and the report of an uploaded file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cardioflow.bundle.bundle import Bundle
from cardioflow.report.measure_file import measure_file
from cardioflow.report.page.examination import examine
from cardioflow.report.page.page import page_of
from cardioflow.serve.reading import one_of

__all__ = ["measured", "report_page"]


def measured(files: Sequence[Path]) -> dict[str, Any]:
    """Return the measurements of the one ECG in ``files`` as JSON values, without the name of the file.

    Raises:
        RefusalError: when the file cannot be read.
    """
    with one_of(files) as path:
        found = measure_file(path)
    del found["file"]
    return found


def report_page(files: Sequence[Path], rhythm: Bundle | None) -> str:
    """Return the report on the one ECG in ``files`` as a page, without the name of the file.

    Args:
        files: what was uploaded.
        rhythm: The bundle that judges the rhythm; ``None`` for the classical test.

    Raises:
        RefusalError: when the file cannot be read.
    """
    with one_of(files) as path:
        seen = examine(path, bundle=None if rhythm is None else (rhythm.description.name, rhythm))
        # A name can be a patient's.
        return page_of(replace(seen, path=Path(f"upload{path.suffix}")))
