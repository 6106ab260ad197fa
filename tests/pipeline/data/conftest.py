"""Data sets of names alone: what only looks at ids, labels and tables needs no files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardioflow import EcgDataset


@pytest.fixture
def named() -> Callable[..., EcgDataset]:
    """Return a function that makes a data set of the records ``r00``, ``r01`` …."""

    def make(n: int, **options: object) -> EcgDataset:
        return EcgDataset({f"r{i:02d}": f"r{i:02d}.hea" for i in range(n)}, **options)  # type: ignore[arg-type]

    return make
