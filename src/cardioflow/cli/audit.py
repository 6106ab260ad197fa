"""``cardioflow audit``: what a test part shares with a training part, as a table or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioflow.cli.printing import as_json_text, say
from cardioflow.errors import InputError
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.data.leaks.audit import audit

__all__ = ["print_audit"]


def print_audit(
    train: Path,
    test: Path | None,
    *,
    databases: Sequence[str],
    exempt: Sequence[str],
    as_json: bool,
    options: Mapping[str, Any],
) -> int:
    """Print the leaks between two folders' records, or the copies in one, and return the exit status: 1 for a leak.

    Raises:
        InputError: for more than two databases, or an option that the format does not have.
    """
    if len(databases) > 2:
        raise InputError(f"audit got {len(databases)} databases. Pass --database once for TRAIN and once for TEST.")
    known: list[str | None] = [*databases, None, None]
    found = audit(
        _records(train),
        None if test is None else _records(test),
        exempt=tuple(exempt),
        databases=known[:2],
        on_error="skip",
        **options,
    )
    if as_json:
        rows = found.rows()
        say(as_json_text([dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]))
    else:
        say(str(found))
    return 1 if found.leaks else 0


def _records(source: Path) -> EcgDataset:
    if not source.is_dir():
        return EcgDataset(source)
    # Records of several folders may share their names.
    return EcgDataset(source, ids=lambda path: path.relative_to(source).with_suffix("").as_posix())
