"""``cardioflow.load``: a bundle by its name or its path."""

from __future__ import annotations

from pathlib import Path

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.package import is_package, read_package
from cardioflow.bundle.preparation import Preparation
from cardioflow.bundle.shipped_bundles import shipped_names, shipped_path
from cardioflow.errors import DumpError, ModelError, nearest
from cardioflow.models.adapters import from_dump
from cardioflow.models.dump import read_header
from cardioflow.models.persistence import PersistentModel

__all__ = ["load"]


def load(path: str | Path) -> Bundle:
    """Return the bundle that comes with the package under that name, or the one at ``path``; no code of it is run.

    ``path`` is the folder or the file of a bundle, or one model as ``save`` and ``save_model`` write it. A shipped
    name goes first: write ``"./af"`` for a folder of that name.

    >>> bundle = cardioflow.load("beats")
    >>> for found in bundle.predict(["A00001.hea", "A00002.hea"]):
    ...     print(found.file, len(found.beats))

    Raises:
        DumpError: when ``path`` is not a bundle or a dump, was altered, is of another version, or its preparation does
            anything else than prepare records.
        ModelError: when only the code that built the model can load it.
        MissingDependencyError: when the model needs a backend that is not installed.
    """
    shipped = shipped_path(path) if isinstance(path, str) else None
    place = shipped or Path(path)
    if shipped is not None or is_package(place):
        return Bundle.from_files(read_package(place), name=str(path))
    if not place.exists() and isinstance(path, str) and "/" not in path and "." not in path:
        raise DumpError(
            f"{path!r} is neither a bundle of the package nor the path of one. {nearest(path, shipped_names())}"
        )
    return _load_dump(place)


def _load_dump(path: Path) -> Bundle:
    header = read_header(path)
    try:
        preparation = None if header.preprocessing is None else Preparation.from_json(header.preprocessing)
        model = from_dump(path)
    except DumpError as error:
        if repr(str(path)) in str(error):
            raise
        raise DumpError(f"{str(path)!r} cannot be loaded. {error}") from error
    if not isinstance(model, PersistentModel):
        raise ModelError(
            f"{str(path)!r} was loaded as a {type(model).__name__}, which does not save what a bundle has."
        )
    return Bundle.of_model(model, header, preparation, name=str(path))
