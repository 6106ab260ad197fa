"""The file of one saved model: a zip of ``model.json``, its header, and the weights.

Nothing in it is ever run or unpickled, and the header can be read without any
backend. A dump is written under a temporary name and renamed, so that it is
complete or absent.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cardioflow.core.atomic import folder_beside, put_in_place
from cardioflow.errors import DumpError
from cardioflow.models._onnx.file import METADATA_KEY, looks_like_onnx, read_onnx
from cardioflow.models.dump_header import DumpHeader, is_weights_name

__all__ = ["read_header", "weights", "write"]

_HEADER = "model.json"
_REMEDY = "Pass the path of a file that save or save_model wrote."
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""What zipfile raises on damaged files; each was seen when random bytes were changed."""


def write(path: Path, header: DumpHeader, write_weights: Callable[[Path], str]) -> None:
    """Write a dump to ``path``, completely or not at all.

    ``write_weights`` is given a folder and returns the name of the one file that it wrote there.

    Raises:
        WriteError: when the disk is full, or the folder cannot be written to.
        DumpError: when the folder of ``path`` does not exist, or the weights' name is not one that can be read.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise DumpError(
            f"The model cannot be saved as {str(path)!r}: the folder {str(path.parent)!r} does not exist. "
            "Create it first."
        )
    if path.is_dir():
        raise DumpError(f"The model cannot be saved as {str(path)!r}: that is a folder. Pass the name of a file.")
    with folder_beside(path) as folder:
        name = write_weights(folder)
        if not is_weights_name(name) or not (folder / name).is_file():
            raise DumpError(
                f"The weights of {header.model} were written as {name!r}, which could not be loaded again. "
                "Write one file whose name is 'weights.' and an ending in lower case, such as "
                "'weights.safetensors', into the folder and return that name."
            )
        done = folder / "dump"
        # Stored, not compressed: weights do not shrink, and a size in the file can then be checked against the file.
        with zipfile.ZipFile(done, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_HEADER, replace(header, weights=name).to_json())
            archive.write(folder / name, name)
        put_in_place(done, path)


def read_header(path: str | Path) -> DumpHeader:
    """Return the header of a dump; no backend is loaded.

    For a plain ``.keras`` file, the header that it would have; for an ``.onnx`` file, the one that ``export_onnx`` put
    into it.

    Raises:
        DumpError: when ``path`` is missing, a folder, not a dump, incomplete, or of a later version.
    """
    path = Path(path)
    if _is_onnx(path):
        return _header_in_onnx(path)
    with _opened(path) as archive:
        names = set(archive.namelist())
        if _HEADER not in names and {"config.json", "metadata.json"} <= names:
            return DumpHeader()
        if _HEADER not in names:
            raise DumpError(f"{str(path)!r} is a zip file but not a model: it has no {_HEADER}. {_REMEDY}")
        try:
            header = DumpHeader.from_json(archive.read(_HEADER))
        except DumpError as error:
            raise DumpError(
                f"{str(path)!r} cannot be loaded, because its {_HEADER} is not a valid header. {error}"
            ) from None
        except _ZIP_ERRORS as error:
            raise DumpError(f"{str(path)!r} is damaged: {_HEADER} cannot be read ({error}). Save it again.") from error
        if header.weights is None or header.weights not in names:
            raise DumpError(f"{str(path)!r} has no weights. Save the model again.")
        return header


@contextmanager
def weights(path: str | Path, header: DumpHeader) -> Iterator[Path]:
    """Give the path of a dump's weights as a separate file, for as long as the context lasts."""
    path = Path(path)
    if header.weights is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, _opened(path) as archive:
        copy = Path(folder) / header.weights
        try:
            with archive.open(header.weights) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except _ZIP_ERRORS as error:
            raise DumpError(f"{str(path)!r} is damaged: {error}. Save the model again.") from error
        yield copy


def _is_onnx(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return looks_like_onnx(file.read(2))


def _header_in_onnx(path: Path) -> DumpHeader:
    """Return the header of an ``.onnx`` file, the default one if it was not exported by CardioFlow."""
    try:
        held = read_onnx(path.read_bytes()).metadata.get(METADATA_KEY)
        header = DumpHeader() if held is None else DumpHeader.from_json(held.encode())
    except DumpError as error:
        raise DumpError(f"{str(path)!r} cannot be loaded. {error}") from None
    return replace(header, adapter="onnx", model="OnnxModel", weights=None)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.exists():
        raise DumpError(f"The dump {str(path)!r} does not exist. {_REMEDY}")
    if path.is_dir():
        raise DumpError(
            f"{str(path)!r} is a folder, and a dump is one file. A TensorFlow SavedModel is not read, because loading "
            "one can run code. Build the model and save it with save."
        )
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        raise _not_a_zip(path) from error
    with archive:
        claimed, size = sum(entry.file_size for entry in archive.infolist()), path.stat().st_size
        # Neither CardioFlow nor Keras compresses, so a file that claims more content than its own size is a trap.
        if claimed > size:
            raise DumpError(f"{str(path)!r} claims {claimed} bytes of content in a file of {size}. {_REMEDY}")
        # Weights of Keras are a zip file themselves, which is found where the end of the dump was cut off.
        if min((entry.header_offset for entry in archive.infolist()), default=0) > 0:
            raise _incomplete(path)
        yield archive


def _not_a_zip(path: Path) -> DumpError:
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        return DumpError(f"{str(path)!r} cannot be opened: {error}. {_REMEDY}")
    if is_zip:
        return _incomplete(path)
    return DumpError(f"{str(path)!r} is not a model. {_REMEDY}")


def _incomplete(path: Path) -> DumpError:
    return DumpError(
        f"{str(path)!r} is incomplete: it was cut off at {path.stat().st_size} bytes. Copy it or save it again."
    )
