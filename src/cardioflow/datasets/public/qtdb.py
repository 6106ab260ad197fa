"""The QT Database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, final

from cardioflow.datasets.base import PublicDataset, Records, wfdb
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.leaks.tapes import tape_of

__all__ = ["Qtdb"]

# The records by the database that each was taken from, without the "sel" that their names begin with.
_ORIGINS: Final = {
    "edb": (
        "e0104 e0106 e0107 e0110 e0111 e0112 e0114 e0116 e0121 e0122 e0124 e0126 e0129 e0133 e0136 e0166 "
        "e0170 e0203 e0210 e0211 e0303 e0405 e0406 e0409 e0411 e0509 e0603 e0604 e0606 e0607 e0609 e0612 "
        "e0704"
    ),
    "ltdb": "14046 14157 14172 15814",
    "mitdb": "100 102 103 104 114 116 117 123 213 221 223 230 231 232 233",
    "nsrdb": "16265 16272 16273 16420 16483 16539 16773 16786 16795 17453",
    "sddb": "30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52",
    "stdb": "301 302 306 307 308 310",
    "svdb": "803 808 811 820 821 840 847 853 871 872 873 883 891",
    "unknown": "17152",
}


@final
@dataclass(frozen=True)
class Qtdb(PublicDataset):
    """105 excerpts of 15 min and two leads, with the waves of at least 30 beats marked by cardiologists.

    Most are taken from other databases: the table's column ``origin`` has their
    names in PhysioNet's addresses, and ``tape`` the recording, as ``cardioflow.audit``
    compares it. Boundaries are read with ``load(components=["signal",
    "annotation"], ann_ext="q1c")``; 11 records have a second annotator's, ``q2c``.

    Args:
        root: The folder.
        missing: Whether a published record without a file is an error, or is left out.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="qtdb",
        title="QT Database",
        n_records=105,
        licence="ODC-BY 1.0",
        url="https://physionet.org/content/qtdb/1.0.0/",
        size="about 85 MB",
        citation="Laguna P, Mark RG, Goldberger AL, Moody GB. A database for evaluation of algorithms for measurement "
        "of QT and other waveform intervals in the ECG. Comput Cardiol 1997;24:673-676. doi:10.1109/CIC.1997.648140",
    )

    def records(self, root: Path) -> Records:
        origin = {f"sel{own}": database for database, names in _ORIGINS.items() for own in names.split()}
        names = sorted(origin)
        columns: dict[str, list[Any]] = {
            "patient": [tape_of("qtdb", name) or f"qtdb/{name}" for name in names],
            "origin": [origin[name] if origin[name] != "unknown" else None for name in names],
        }
        return Records(wfdb(root / f"{name}.hea" for name in names), columns)
