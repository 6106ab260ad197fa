"""Write the table that ``recipes/ptbxl.yaml`` reads: the records of PTB-XL with one superclass, and their folds.

    python -m recipes.ptbxl.superclass_table --data DIR --out FILE

A recipe learns one of several labels, so that records with two superclasses, or without any, are left out.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from cardioflow import datasets

__all__ = ["rows"]


def rows(data: Path) -> list[tuple[str, str, int]]:
    """Return the file below ``data`` without its suffix, the superclass and the published fold of each record."""
    records = datasets.ptbxl(data, task="superdiagnostic", rate=100)
    folds = records.table.column("fold", list(records.ids))
    found = []
    for name, path, fold in zip(records.ids, records.paths, folds, strict=True):
        labels = records.labels[name]
        if len(labels) == 1:
            found.append((path.relative_to(data).with_suffix("").as_posix(), labels[0], int(fold)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with given.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("record", "label", "fold"))
        writer.writerows(rows(given.data))


if __name__ == "__main__":
    main()
