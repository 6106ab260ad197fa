"""Records made for a count by hand: flat signals whose annotations are all that matters."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow.batch.annotation import Annotation
from cardioflow.io._wfdb.write_marks import annotation_bytes


def write_record(folder, name, marks, *, n, fs=100, leads=("II",), comment=None):
    """Write a record of zeros with annotations.

    Args:
        marks: ``(sample, symbol)`` or ``(sample, symbol, note)``, of all leads; or a dict of such lists by suffix.
        comment: A line of the header behind ``#``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {len(leads)} {fs} {n}", *(f"{name}.dat 16 200/mV 16 0 0 0 0 {lead}" for lead in leads)]
    (folder / f"{name}.hea").write_text("\n".join(lines + ([f"# {comment}"] if comment else [])) + "\n")
    (folder / f"{name}.dat").write_bytes(bytes(2 * n * len(leads)))
    for suffix, own in (marks if isinstance(marks, dict) else {"atr": marks}).items():
        sample, symbol, note = zip(*((*mark, "")[:3] for mark in sorted(own)), strict=True)
        (folder / f"{name}.{suffix}").write_bytes(
            annotation_bytes(Annotation(np.array(sample), np.array(symbol), note))
        )
    return folder


def table_rows(report, title):
    """Return the rows of the first table whose title begins with ``title``, as a report's JSON has them."""
    return next(t["rows"] for t in report.to_dict()["tables"] if t["title"].startswith(title))


@pytest.fixture(scope="session")
def record():
    return write_record


@pytest.fixture(scope="session")
def rows():
    return table_rows


@pytest.fixture
def mine(monkeypatch, request):
    """The test's module under the name ``mine``, as a user's own."""
    monkeypatch.setitem(sys.modules, "mine", sys.modules[request.module.__name__])
