"""MIMIC-IV-ECG, 800 035 diagnostic ECGs of 161 352 patients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, final

from cardioflow.datasets.base import PublicDataset, Records, wfdb
from cardioflow.datasets.tables import number, read_table
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["MimicIvEcg"]

_NOT_MEASURED: Final = 29_999
"""What the carts write for an interval or an axis that they could not measure; as a number it would be 30 s."""


@final
@dataclass(frozen=True)
class MimicIvEcg(PublicDataset):
    """Twelve-lead ECGs of 10 s at 500 Hz, whose patients are those of MIMIC-IV; leads are in the order … aVR, aVF, aVL.

    There are no labels and no published folds. The table has the columns
    ``patient``, ``subject_id``, ``study_id`` and ``ecg_time`` (dates are shifted for
    each patient), with ``measurements`` also those of ``machine_measurements.csv``:
    the intervals as numbers, ``None`` where the machine wrote its marker 29999 for
    what it could not measure, and the reports ``report_0`` to ``report_17`` as text.

    Args:
        root: The folder with ``record_list.csv``.
        missing: Whether a published record without a file is an error, or is left out.
        measurements: Whether to read what the machines measured and reported.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="mimic_iv_ecg",
        title="MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset",
        n_records=800_035,
        licence="ODbL 1.0",
        url="https://physionet.org/content/mimic-iv-ecg/1.0/",
        size="about 90 GB unpacked",
        citation="Gow B, Pollard T, Nathanson LA, et al. MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset "
        "(version 1.0). PhysioNet 2023. doi:10.13026/4nqg-sb35",
    )

    measurements: bool = False

    def records(self, root: Path) -> Records:
        rows = read_table(self.file(root, "record_list.csv"), ("subject_id", "study_id", "ecg_time", "path"))
        columns: dict[str, list[Any]] = {
            "patient": [f"mimic/{cell}" for cell in rows["subject_id"]],
            "subject_id": rows["subject_id"],
            "study_id": rows["study_id"],
            "ecg_time": rows["ecg_time"],
        }
        if self.measurements:
            columns |= self._measured(root, rows["study_id"])
        return Records(wfdb(root / f"{path}.hea" for path in rows["path"]), columns)

    def _measured(self, root: Path, studies: list[str]) -> dict[str, list[Any]]:
        rows = read_table(self.file(root, "machine_measurements.csv"), ("study_id",))
        row_of = {study: i for i, study in enumerate(rows["study_id"])}
        found: dict[str, list[Any]] = {}
        for name, cells in rows.items():
            if name in ("subject_id", "study_id", "ecg_time", "cart_id"):
                continue
            own = [cells[row_of[study]] if study in row_of else "" for study in studies]
            is_text = name.startswith("report") or name in ("bandwidth", "filtering")
            found[name] = [cell or None for cell in own] if is_text else [_measured(cell) for cell in own]
        return found


def _measured(cell: str) -> float | None:
    """Return what was measured; ``None`` for an empty cell, and for the machine's marker of a missing value."""
    found = number(cell)
    return None if found == _NOT_MEASURED else found
