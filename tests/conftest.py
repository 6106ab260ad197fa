"""What every test may ask for: the real records, and a seedable batch made of them."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed the global generators that networks draw their first weights and dropout from.

    A model that is built without a seed is another one in every run, and a
    test of its loss would fail now and then. The seed is the test's own, so
    that neither the order of the tests nor a chosen few change it.
    """
    seed = crc32(item.name.encode())
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 -- the one that backends draw from
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(seed)


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
