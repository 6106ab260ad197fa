"""The Lobachevsky University Electrocardiography Database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from cardioflow.datasets._challenge import sex_of
from cardioflow.datasets.base import PublicDataset, Records, wfdb
from cardioflow.datasets.tables import number, read_table, require_once
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Ludb"]


@final
@dataclass(frozen=True)
class Ludb(PublicDataset):
    """200 twelve-lead ECGs of 10 s, one per subject, with the boundaries of P, QRS and T marked in every lead.

    The label is the rhythm; where the table lists several for a record, labels are
    tuples. The boundaries of a lead are read with ``load(components=["signal",
    "annotation"], ann_ext="ii")``. The first and last beats of a record are not
    marked: score inside the marked span.

    Args:
        root: The folder with ``ludb.csv`` and ``data``.
        missing: Whether a published record without a file is an error, or is left out.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="ludb",
        title="Lobachevsky University Electrocardiography Database",
        n_records=200,
        licence="ODC-BY 1.0",
        url="https://physionet.org/content/ludb/1.0.1/",
        size="about 25 MB",
        citation="Kalyakulina AI, Yusipov II, Moskalenko VA, et al. LUDB: a new open-access validation tool for "
        "electrocardiogram delineation algorithms. IEEE Access 2020;8:186181-186190. doi:10.1109/ACCESS.2020.3029211",
    )

    def records(self, root: Path) -> Records:
        path = self.file(root, "ludb.csv")
        rows = read_table(path, ("ID", "Sex", "Age", "Rhythms"))
        names = [cell.strip() for cell in rows["ID"]]
        require_once(names, path)
        rhythms = [tuple(line.strip() for line in cell.splitlines() if line.strip()) for cell in rows["Rhythms"]]
        several = any(len(own) != 1 for own in rhythms)
        columns: dict[str, list[Any]] = {
            "patient": [f"ludb/{name}" for name in names],
            "sex": [sex_of(cell) for cell in rows["Sex"]],
            "age": [number(cell.strip()) for cell in rows["Age"]],
        }
        for name, cells in rows.items():
            if name not in ("ID", "Sex", "Age", "Rhythms"):
                columns[name] = [cell.strip() or None for cell in cells]
        labels = dict(zip(names, rhythms if several else [own[0] for own in rhythms], strict=True))
        return Records(wfdb(root / "data" / f"{name}.hea" for name in names), columns, labels)
