"""What every test may ask for: the real records, and a seedable batch made of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real ECGs, named by ``CARDIOFLOW_DATA``."""
    folder = os.environ.get("CARDIOFLOW_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CARDIOFLOW_DATA names no folder of real records")
    return Path(folder)


@pytest.fixture(scope="session")
def cinc(data: Path) -> Path:
    """300 single-lead records of the PhysioNet/CinC Challenge 2017, with ``REFERENCE.csv``."""
    return data / "cinc2017"
