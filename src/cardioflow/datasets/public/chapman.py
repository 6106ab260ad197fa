"""The ECGs of Chapman University, Shaoxing People's Hospital and Ningbo First Hospital."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from cardioflow.datasets._challenge import codes_of, sex_of
from cardioflow.datasets.base import PublicDataset, Records, choose, wfdb
from cardioflow.datasets.tables import header_notes, number, read_table
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Chapman"]


@final
@dataclass(frozen=True)
class Chapman(PublicDataset):
    """45 152 twelve-lead ECGs of 10 s at 500 Hz, one per patient, with SNOMED CT codes in their headers.

    The label of a record is a tuple of codes, or of the acronyms that
    ``ConditionNames_SNOMED-CT.csv`` gives them; a code that the file does not list
    stays a code.

    Args:
        root: The folder with ``WFDBRecords``.
        missing: Whether a published record without a file is an error, or is left out.
        labels: ``"codes"`` or ``"acronyms"``.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="chapman",
        title="A large scale 12-lead electrocardiogram database for arrhythmia study",
        n_records=45_152,
        licence="CC BY 4.0",
        url="https://physionet.org/content/ecg-arrhythmia/1.0.0/",
        size="about 2.3 GB",
        citation="Zheng J, Chu H, Struppa D, et al. Optimal multi-stage arrhythmia classification approach. Sci Rep "
        "2020;10:2898; Zheng J, Guo H, Chu H. A large scale 12-lead electrocardiogram database for arrhythmia study "
        "(version 1.0.0). PhysioNet 2022. doi:10.13026/wgex-er52",
    )

    labels: Literal["codes", "acronyms"] = "codes"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose(self, "labels", ("codes", "acronyms"))

    def records(self, root: Path) -> Records:
        paths = sorted(path for path in root.rglob("JS*.hea") if re.fullmatch(r"JS\d{5}", path.stem))
        notes = [header_notes(path) for path in paths]
        names: dict[str, str] = {}
        if self.labels == "acronyms":
            rows = read_table(self.file(root, "ConditionNames_SNOMED-CT.csv"), ("Acronym Name", "Snomed_CT"))
            names = {
                code.strip(): own.strip() for own, code in zip(rows["Acronym Name"], rows["Snomed_CT"], strict=True)
            }
        labels = {}
        for path, own in zip(paths, notes, strict=True):
            labels[path.stem] = tuple(names.get(code, code) for code in codes_of(own))
        columns: dict[str, list[Any]] = {
            "patient": [f"chapman/{path.stem}" for path in paths],
            "age": [number(own.get("age", "")) for own in notes],
            "sex": [sex_of(own.get("sex", "")) for own in notes],
        }
        return Records(wfdb(paths), columns, labels)
