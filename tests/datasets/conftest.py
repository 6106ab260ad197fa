"""Small copies of public data sets: their published folders and tables, with simulated records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cardioflow import EcgDataset, Pipeline

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Write simulated WFDB records ``folder/name.hea`` with comments to the temporary folder."""

    def written(
        names: Sequence[str], *, comments: str = "", leads: Sequence[str] = ("I", "II"), fs: float = 500
    ) -> None:
        places = EcgDataset.simulated(len(names), fs=fs, duration_s=2, leads=leads).locations
        for name, place in zip(names, places, strict=True):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            one = EcgDataset({path.name: place})
            (one >> Pipeline().load().dump(path.parent, fmt="wfdb")).run(1)
            if comments:
                with path.with_suffix(".hea").open("a") as file:
                    file.write(comments)

    return written
