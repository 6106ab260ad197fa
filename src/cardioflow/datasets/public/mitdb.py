"""The MIT-BIH Arrhythmia Database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, final

from cardioflow.datasets.base import PublicDataset, Records, wfdb
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.leaks.tapes import tape_of

__all__ = ["Mitdb"]

_DS1: Final = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
_DS2: Final = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"
_PACED: Final = "102 104 107 217"
_PART: Final = {
    **dict.fromkeys(_DS1.split(), "DS1"),
    **dict.fromkeys(_DS2.split(), "DS2"),
    **dict.fromkeys(_PACED.split(), "paced"),
}


@final
@dataclass(frozen=True)
class Mitdb(PublicDataset):
    """48 half-hour ambulatory ECGs of two leads, with every beat annotated.

    The table's column ``part`` is the split of de Chazal, O'Dwyer and Reilly (IEEE
    Trans Biomed Eng 51 (2004) 1196): ``DS1``, ``DS2``, and the ``paced`` records, which
    it leaves out. Records 201 (DS1) and 202 (DS2) are of one subject; the leak
    guard exempts that under the name ``mitdb-201-202``. Beats are read with
    ``load(components=["signal", "annotation"], ann_ext="atr")``, and
    ``cardioflow.datasets.aami.AAMI`` maps their codes to the five classes of EC57.

    Args:
        root: The folder.
        missing: Whether a published record without a file is an error, or is left out.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="mitdb",
        title="MIT-BIH Arrhythmia Database",
        n_records=48,
        licence="ODC-BY 1.0",
        url="https://physionet.org/content/mitdb/1.0.0/",
        size="about 105 MB",
        citation="Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med Biol 2001;20:45-50. "
        "doi:10.1109/51.932724",
    )

    def records(self, root: Path) -> Records:
        names = sorted(_PART)
        columns: dict[str, list[Any]] = {
            "patient": [tape_of("mitdb", name) for name in names],
            "part": [_PART[name] for name in names],
        }
        return Records(wfdb(root / f"{name}.hea" for name in names), columns)
