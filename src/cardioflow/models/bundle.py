"""One file for a dump: a zip of ``model.json``, which says what it is, and the weights.

Nothing in it is ever run or unpickled, and what it is can be read without any
backend. It is written to a temporary name and renamed, so that a dump is whole
or is not there.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

from cardioflow.errors import DumpError

__all__ = ["VERSION", "read_header", "weights", "write"]

VERSION = 1
_FORMAT = "cardioflow-model"
_HEADER = "model.json"
_REMEDY = "Give the path of a file written by save, or by save_model."
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""What zipfile raises on damaged files: of each of these, some were seen when bytes were changed at random."""
_DEFAULTS: dict[str, Any] = {
    "adapter": "keras",
    "model": "KerasBaseModel",
    "classes": None,
    "multilabel": False,
    "input_shape": None,
    "fs": None,
    "leads": None,
    "hist": {},
    "preprocessing": None,
    "notes": "",
    "seed": 0,
}


def write(path: Path, header: Mapping[str, Any], write_weights: Callable[[Path], str]) -> None:
    """Write a dump to ``path``, at once or not at all.

    ``write_weights`` is given a folder and returns the name of the one file that it wrote there.

    Raises:
        DumpError: when there is no such folder, or the header is no JSON.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise DumpError(
            f"The model cannot be saved as {str(path)!r}: there is no folder {str(path.parent)!r}. Make it first."
        )
    if path.is_dir():
        raise DumpError(f"The model cannot be saved as {str(path)!r}: that is a folder. Give the name of a file.")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        name = write_weights(Path(folder))
        whole = {"format": _FORMAT, "version": VERSION, **_DEFAULTS, **header, "weights": name}
        try:
            text = json.dumps(_without_nan(whole), allow_nan=False, indent=1)
        except (TypeError, ValueError) as error:
            raise DumpError(f"The model's preprocessing or notes cannot be saved: {error}. Give plain JSON.") from error
        done = Path(folder) / "dump"
        # Stored, not compressed: weights do not shrink, and a size in the file can then be checked against the file.
        with zipfile.ZipFile(done, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_HEADER, text)
            archive.write(Path(folder) / name, name)
        done.replace(path)


def read_header(path: str | Path) -> dict[str, Any]:
    """Return what a dump says of itself; no backend is loaded.

    Of a plain ``.keras`` file, the header that it would have.

    Raises:
        DumpError: when ``path`` is missing, a folder, no dump, not whole, or of a version to come.
    """
    path = Path(path)
    with _opened(path) as archive:
        names = set(archive.namelist())
        if _HEADER not in names and {"config.json", "metadata.json"} <= names:
            return {"format": "keras", "version": VERSION, **_DEFAULTS, "weights": None}
        if _HEADER not in names:
            raise DumpError(f"{str(path)!r} is a zip file, but no model: it holds no {_HEADER}. {_REMEDY}")
        header = _parsed(path, archive)
        if header.get("format") != _FORMAT:
            raise DumpError(f"{str(path)!r} is no model: its {_HEADER} is not CardioFlow's. {_REMEDY}")
        if not isinstance(header.get("version"), int) or header["version"] > VERSION:
            raise DumpError(
                f"{str(path)!r} is a dump of version {header.get('version')!r}, and this CardioFlow reads up to "
                f"version {VERSION}. Update CardioFlow."
            )
        name = header.get("weights")
        if not isinstance(name, str) or not re.fullmatch(r"weights\.[a-z]+", name) or name not in names:
            raise DumpError(f"{str(path)!r} holds no weights. Save the model again.")
        return _checked(path, {**_DEFAULTS, **header})


@contextmanager
def weights(path: str | Path, header: Mapping[str, Any]) -> Iterator[Path]:
    """Give the path of a dump's weights as a file of their own, for as long as the context lasts."""
    path = Path(path)
    name = header["weights"]
    if name is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, _opened(path) as archive:
        # The name of the copy is ours: a dump cannot name a file outside the folder.
        copy = Path(folder) / f"weights{Path(name).suffix}"
        try:
            copy.write_bytes(archive.read(name))
        except _ZIP_ERRORS as error:
            raise DumpError(f"{str(path)!r} is damaged: {error}. Save the model again.") from error
        yield copy


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.exists():
        raise DumpError(f"There is no dump {str(path)!r}. {_REMEDY}")
    if path.is_dir():
        raise DumpError(
            f"{str(path)!r} is a folder, and a dump is one file. A TensorFlow SavedModel is not read: loading one can "
            "run code. Build the model and save it with save."
        )
    size = path.stat().st_size
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        with path.open("rb") as file:
            begun = file.read(4) == b"PK\x03\x04"
        if begun:
            raise DumpError(
                f"{str(path)!r} is not whole: it was cut off at {size} bytes. Copy it or save it again."
            ) from error
        raise DumpError(f"{str(path)!r} is no model. {_REMEDY}") from error
    with archive:
        claimed = sum(entry.file_size for entry in archive.infolist())
        # Keras compresses nothing either, so that whatever claims more than the file holds is a trap.
        if claimed > size:
            raise DumpError(f"{str(path)!r} claims {claimed} bytes of content in a file of {size}. {_REMEDY}")
        yield archive


def _parsed(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        header = json.loads(archive.read(_HEADER))
    except _ZIP_ERRORS as error:  # RecursionError is a RuntimeError
        raise DumpError(f"{str(path)!r} is damaged: its {_HEADER} cannot be read ({error}). Save it again.") from error
    if not isinstance(header, dict):
        raise DumpError(f"{str(path)!r} is no model: its {_HEADER} is not CardioFlow's. {_REMEDY}")
    return header


def _checked(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """Return ``header`` with the history's NaN put back, if every entry is of its type."""
    texts = ("adapter", "model", "notes")
    sound = all(isinstance(header[key], str) for key in texts) and isinstance(header["multilabel"], bool)
    for key, kind in (("classes", str), ("leads", str), ("input_shape", int)):
        entry = header[key]
        sound &= entry is None or (isinstance(entry, list) and all(type(v) is kind for v in entry))
    sound &= type(header["seed"]) is int
    sound &= header["fs"] is None or isinstance(header["fs"], (int, float))
    hist = header["hist"]
    sound &= isinstance(hist, dict) and all(isinstance(values, list) for values in hist.values())
    if not sound or not all(isinstance(v, (int, float, NoneType)) for values in hist.values() for v in values):
        raise DumpError(f"{str(path)!r} is damaged: an entry of its {_HEADER} is not of its type. Save it again.")
    return {**header, "hist": {k: [math.nan if v is None else v for v in values] for k, values in hist.items()}}


def _without_nan(header: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: a loss or metric that was none is written as null."""
    hist = {k: [v if math.isfinite(v) else None for v in values] for k, values in header["hist"].items()}
    return {**header, "hist": hist}
