"""The training set of the PhysioNet/CinC Challenge 2017."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, final

from cardioflow.datasets.base import PublicDataset, Records, wfdb
from cardioflow.datasets.tables import csv_rows, require_once
from cardioflow.errors import FormatError
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Cinc2017"]

_CLASSES: Final = ("A", "N", "O", "~")


@final
@dataclass(frozen=True)
class Cinc2017(PublicDataset):
    """Single-lead ECGs of 9 to 61 s: normal rhythm (N), atrial fibrillation (A), another rhythm (O), noise (~).

    The labels are those of version 3, which the challenge's final scores are of:
    5 076 N, 758 A, 2 415 O, 279 ~. Older downloads bring a ``REFERENCE.csv`` of an
    earlier version; it is read only when it is named. The set has no patients.

    Args:
        root: The folder of the records, ``training2017``, or the one above it.
        missing: Whether a published record without a file is an error, or is left out.
        reference: The file of labels, in ``root`` or as a path of its own.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="cinc2017",
        title="AF Classification from a Short Single Lead ECG Recording: the PhysioNet/CinC Challenge 2017",
        n_records=8_528,
        licence="ODC-BY 1.0",
        url="https://physionet.org/content/challenge-2017/1.0.0/",
        size="the training set about 160 MB",
        citation="Clifford GD, Liu C, Moody B, et al. AF Classification from a Short Single Lead ECG Recording: the "
        "PhysioNet/Computing in Cardiology Challenge 2017. Comput Cardiol 2017;44. doi:10.22489/CinC.2017.065-469",
    )

    reference: str | Path = "REFERENCE-v3.csv"

    def records(self, root: Path) -> Records:
        labels = self._labels(self._reference(root))
        folder = root / "training2017" if (root / "training2017").is_dir() else root
        return Records(wfdb(folder / f"{name}.hea" for name in labels), {}, labels, _CLASSES)

    def _labels(self, path: Path) -> dict[str, str]:
        rows = [[cell.strip() for cell in row] for _, row in csv_rows(path)]
        if rows and not re.fullmatch(r"A\d{5}", rows[0][0]):
            rows = rows[1:]  # a header
        for row in rows:
            if len(row) < 2 or row[1] not in _CLASSES:
                raise FormatError(f"{path}: the row {','.join(row)!r} is not a record and its label N, A, O or ~.")
        require_once([row[0] for row in rows], path)
        return {row[0]: row[1] for row in rows}

    def _reference(self, root: Path) -> Path:
        for path in (root / self.reference, root / "training2017" / self.reference):
            if path.is_file():
                return path
        older = ""
        if (root / "REFERENCE.csv").is_file():
            older = " Its REFERENCE.csv may be of an earlier version; pass reference='REFERENCE.csv' to use it."
        raise self.fail(f"the folder {str(root)!r} has no {self.reference}.{older}")
