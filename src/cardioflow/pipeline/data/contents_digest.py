"""A short text that tells one state of a data set from another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from cardioflow.batch.location import Location
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    Hdf5Location,
    StoreLocation,
)

__all__ = ["contents_digest", "store_digest"]

_HEAD: Final = 4096


def contents_digest(ids: Iterable[str], locations: Iterable[Location], labels: Mapping[str, Any] | None) -> str:
    """Return a checksum of the records' ids, their labels, and the size and first 4 KiB of each file, of 16 digits.

    A folder that was moved or copied keeps it. A WFDB header, which is the file
    of a WFDB record, holds checksums of the signals; of other formats, samples
    after the first 4 KiB may change without a change of size.
    """
    digest = hashlib.blake2b(digest_size=8)
    # The records of an HDF5 file, and of a store, follow one another.
    head, store = lru_cache(maxsize=32)(_head), lru_cache(maxsize=32)(store_digest)
    for name, place in zip(ids, locations, strict=True):
        digest.update(f"{name}\0{None if labels is None else labels.get(name)!r}\0".encode("utf-8", "surrogatepass"))
        digest.update(_content(place, head, store))
    return digest.hexdigest()


def _content(place: Location, head: Callable[[Path], bytes], store: Callable[[Path], str]) -> bytes:
    if isinstance(place, ArrayLocation):
        return np.ascontiguousarray(place.signal).tobytes() + f"{place.fs} {place.leads} {place.units}".encode()
    if isinstance(place, FileLocation):
        return head(place.path)
    if isinstance(place, StoreLocation):
        return f"{store(place.store)} {place.row}".encode()
    if isinstance(place, DescribedLocation | Hdf5Location):
        return head(place.path) + place.details.encode("utf-8", "surrogatepass")
    return str(place.readable()).encode("utf-8", "surrogatepass")


def store_digest(store: Path) -> str:
    """Return a checksum of the index of a packed store, all of it: it has the checksums of every block of the store."""
    try:
        return hashlib.blake2b((store / "store.json").read_bytes(), digest_size=8).hexdigest()
    except OSError:
        return store.name


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD) + str(path.stat().st_size).encode()
    except OSError:
        # The name of a record of several files, or a file that is not there.
        return path.name.encode("utf-8", "surrogatepass")
