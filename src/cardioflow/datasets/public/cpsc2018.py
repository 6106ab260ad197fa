"""The training set of the China Physiological Signal Challenge 2018."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, final

from cardioflow.batch.location import Location
from cardioflow.datasets.base import PublicDataset, Records, by_stem
from cardioflow.datasets.tables import read_table, require_once
from cardioflow.errors import FormatError
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.locations import DescribedLocation

__all__ = ["Cpsc2018"]

_CLASSES: Final = ("Normal", "AF", "I-AVB", "LBBB", "RBBB", "PAC", "PVC", "STD", "STE")
_CLASS_OF: Final[dict[float, str]] = dict(enumerate(_CLASSES, 1))
_COLUMNS: Final = ("First_label", "Second_label", "Third_label")


@final
@dataclass(frozen=True)
class Cpsc2018(PublicDataset):
    """Twelve-lead ECGs of 6 to 60 s at 500 Hz, of nine classes; a record has up to three of them.

    The classes are those of ``REFERENCE.csv``: 1 Normal, 2 AF, 3 I-AVB, 4 LBBB,
    5 RBBB, 6 PAC, 7 PVC, 8 STD (depression of the ST segment), 9 STE (elevation).
    The files do not tell the sampling rate; it comes with the records, so that
    ``load()`` needs no ``fs``.

    Args:
        root: The folder with ``REFERENCE.csv``; the records are in it or in folders below.
        missing: Whether a published record without a file is an error, or is left out.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="cpsc2018",
        title="The China Physiological Signal Challenge 2018",
        n_records=6_877,
        licence="free for research",
        url="http://2018.icbeb.org/Challenge.html",
        size="about 4 GB",
        citation="Liu F, Liu C, Zhao L, et al. An open access database for evaluating the algorithms of "
        "electrocardiogram rhythm and morphology abnormality detection. J Med Imaging Health Inform 2018;8:1368-1373. "
        "doi:10.1166/jmihi.2018.2442",
    )

    def records(self, root: Path) -> Records:
        path = self.file(root, "REFERENCE.csv")
        rows = read_table(path, ("Recording", *_COLUMNS))
        require_once(rows["Recording"], path)
        files = by_stem(sorted(root.rglob("A*.mat")))
        locations: dict[str, Location] = {}
        labels = {}
        for i, name in enumerate(rows["Recording"]):
            numbers = [rows[column][i].strip() for column in _COLUMNS]
            try:
                labels[name] = tuple(_CLASS_OF[float(cell)] for cell in numbers if cell)
            except (ValueError, KeyError) as error:
                raise FormatError(f"{path}: the labels {numbers} of {name} are not numbers from 1 to 9.") from error
            locations[name] = DescribedLocation(files.get(name, root / f"{name}.mat"), "mat", (("fs", 500.0),))
        return Records(locations, {}, labels, _CLASSES)
