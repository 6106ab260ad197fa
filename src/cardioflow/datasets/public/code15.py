"""CODE-15 %, 345 779 ECGs of the Telehealth Network of Minas Gerais."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, final

from cardioflow.batch.leads import GROUPS
from cardioflow.batch.location import Location
from cardioflow.datasets.base import PublicDataset, Records
from cardioflow.datasets.tables import number, read_table, require_once
from cardioflow.errors import ConfigError, FormatError
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.hdf5_records import hdf5
from cardioflow.pipeline.data.locations import FileLocation, Hdf5Location

__all__ = ["Code15"]

_CLASSES: Final = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")
_LEADS: Final = GROUPS["standard"]
_TRUE: Final = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


@final
@dataclass(frozen=True)
class Code15(PublicDataset):
    """Twelve-lead ECGs of 7 or 10 s at 400 Hz with six abnormalities; a record has any number of them.

    Every record has 4 096 samples, of which zeros before and after the ECG fill what
    it is shorter: 48 on either side of 10 s, 648 on either side of 7 s. They are
    left as they are. Patients are known by ``patient_id``; there are no published folds.
    Reading needs h5py: ``pip install "cardioflow[hdf5]"``.

    Args:
        root: The folder with ``exams.csv`` and the files ``exams_part0.hdf5`` to ``exams_part17.hdf5``.
        missing: Whether a published record without a file is an error, or is left out.
        mv_per_unit: How many millivolts a sample of 1.0 is. The challenge of 2025, which uses the set, reads
            millivolts; the README of the authors' test set speaks of 1e-4 V, which is ``mv_per_unit=0.1``.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="code15",
        title="CODE-15%: a large scale annotated dataset of 12-lead ECGs",
        n_records=345_779,
        licence="CC BY 4.0",
        url="https://zenodo.org/records/4916206",
        size="about 68 GB unpacked",
        citation="Ribeiro AH, Paixao GMM, Lima EM, et al. CODE-15%: a large scale annotated dataset of 12-lead ECGs "
        "(version 1.0.0). Zenodo 2021. doi:10.5281/zenodo.4916206",
    )

    mv_per_unit: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.mv_per_unit < float("inf"):
            raise ConfigError(f"Code15(mv_per_unit={self.mv_per_unit!r}): expected a positive number.")

    def records(self, root: Path) -> Records:
        path = self.file(root, "exams.csv")
        rows = read_table(path, ("exam_id", "age", "is_male", "patient_id", "trace_file", *_CLASSES))
        require_once(rows["exam_id"], path)
        row_of = {file: self._rows(root / file) for file in sorted(set(rows["trace_file"])) if (root / file).is_file()}
        locations: dict[str, Location] = {}
        labels = {}
        for i, name in enumerate(rows["exam_id"]):
            file = rows["trace_file"][i]
            locations[name] = self._place(root / file, name, row_of.get(file))
            labels[name] = tuple(own for own in _CLASSES if _flag(rows[own][i], own, path))
        columns: dict[str, list[Any]] = {
            "patient": [f"code15/{cell}" for cell in rows["patient_id"]],
            "age": [number(cell) for cell in rows["age"]],
            "sex": ["M" if _flag(cell, "is_male", path) else "F" for cell in rows["is_male"]],
        }
        return Records(locations, columns, labels, _CLASSES)

    def _rows(self, path: Path) -> dict[str, int]:
        """Return the row of each exam in a file."""
        try:
            with hdf5().File(path, "r") as file:
                return {str(int(exam)): row for row, exam in enumerate(file["exam_id"][:])}
        except (OSError, KeyError, ValueError) as error:
            raise FormatError(f"{path} is not one of CODE-15's files: {error}. {self.source()}") from error

    def _place(self, path: Path, exam: str, rows: Mapping[str, int] | None) -> Location:
        if rows is None:
            return FileLocation(path)
        if exam not in rows:
            raise FormatError(f"{path} has no exam {exam}, which exams.csv says is in it. {self.source()}")
        return Hdf5Location(path, "tracings", rows[exam], 400.0, _LEADS, self.mv_per_unit)


def _flag(cell: str, column: str, path: Path) -> bool:
    try:
        return _TRUE[cell.strip().lower()]
    except KeyError:
        raise FormatError(f"{path}: {cell!r} in column {column!r} is neither True nor False.") from None
