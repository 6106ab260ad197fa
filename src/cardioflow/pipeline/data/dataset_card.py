"""Where a data set comes from and under which terms it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["DatasetCard"]


@final
@dataclass(frozen=True)
class DatasetCard:
    """What the publishers of a data set say about it."""

    name: str
    """The name in ``cardioflow.datasets``."""
    title: str
    n_records: int
    """How many records the published data set has; a copy of a part of it has fewer."""
    licence: str
    url: str
    """The page to read about it and to download it from."""
    size: str
    """Of the download, such as ``"1.7 GB"``."""
    citation: str
    """What its publishers ask to cite, with the DOI."""
