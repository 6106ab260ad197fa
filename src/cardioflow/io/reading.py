"""The public door of ``cardioflow.io``: what the layers above need beside the formats themselves.

Everything else in this package whose name begins with an underscore is private to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._compressed_names import is_compressed
from cardioflow.io._folders import FoundFile, files_in, formats_in
from cardioflow.io._options import check_options, reader_for, request_for
from cardioflow.io._parts import RecordParts
from cardioflow.io._recognise import recognise
from cardioflow.io._source import open_plain
from cardioflow.io.base import Columns, Format, ReadRequest, Record
from cardioflow.registry import formats

if TYPE_CHECKING:
    from cardioflow.io._packed.store import Store, Verify
    from cardioflow.io._packed.writer import StoreWriter
    from cardioflow.io.packed import Packed

__all__ = [
    "FoundFile",
    "RecordParts",
    "annotation_files",
    "array_record",
    "check_options",
    "check_verify",
    "files_in",
    "formats_in",
    "has_plain_annotations",
    "identifies_person",
    "open_store",
    "read_columns",
    "read_each",
    "recognise",
    "request_for",
    "samples_in",
    "store_writer",
    "stored_columns",
    "stored_errors",
]


def read_each(
    paths: Sequence[Path], fmt: str | None, request: ReadRequest, options: Mapping[str, Any]
) -> list[Record | FormatError]:
    """Read each file; one that cannot be read gives its error in its place.

    Args:
        paths: The files.
        fmt: Their format, or ``None`` to recognise each file's from its content.
        request: What to read, as ``request_for`` makes it.
        options: All options of ``load``; those that belong to the format alone configure its reader.
    """
    if fmt is not None:
        return _read(reader_for(fmt, options), paths, request)
    found: list[Record | FormatError] = []
    for path in paths:
        try:
            found += _read(reader_for(recognise(path), options), [path], request)
        except FormatError as error:
            found.append(error)
    return found


def read_columns(
    paths: Sequence[str | Path], fmt: str | None, request: ReadRequest, options: Mapping[str, Any]
) -> Columns | None:
    """Read files of one format all at once, where there is a faster way for them than ``read_each``, or ``None``.

    Args:
        paths: The files.
        fmt: Their format, or ``None`` to recognise it where all have one suffix.
        request: What to read, as ``request_for`` makes it.
        options: All options of ``load``.
    """
    names = [os.fspath(path) for path in paths]
    if any(map(is_compressed, names)):
        return None
    if fmt is None:
        fmt = _common_format(names)
    if fmt is None:
        return None
    try:
        found: Columns | None = reader_for(fmt, options).read_columns(names, request)
    except (FormatError, MemoryError):
        return None
    return found


def _common_format(paths: Sequence[str]) -> str | None:
    """Return the format that ``recognise`` finds of all files; ``None`` where it takes a look at each to know."""
    suffixes = {os.path.splitext(path)[1].lower() for path in paths}  # noqa: PTH122 -- Path.suffix takes as long as reading
    if len(suffixes) != 1:
        return None
    suffix = suffixes.pop()
    # No other format has headers of that name, and importing all readers takes half a second.
    names = ("wfdb",) if suffix == ".hea" else formats.names()
    owners = [name for name in names if suffix in formats.get(name).suffixes]
    # As in recognise, the suffix decides whatever other formats claim. A record of WFDB is told by its header alone.
    if len(owners) != 1 or (owners == ["wfdb"]) != (suffix == ".hea"):
        return None
    return owners[0] if formats.get(owners[0]).recognises_all(paths) else None


def _read(reader: Format, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
    if any(map(is_compressed, paths)):
        return [
            _through(reader, path, request) if is_compressed(path) else _read(reader, [path], request)[0]
            for path in paths
        ]
    return _read_plain(reader, paths, request)


def _through(reader: Format, path: Path, request: ReadRequest) -> Record | FormatError:
    """Return the record in a compressed file; a file that the format itself compresses, such as NPZ, is left as it is.

    What is wrong with it is said of ``path``.
    """
    from cardioflow.io._compressed import unpacked  # it imports all kinds of compression

    try:
        with open_plain(path) as file:
            if reader.recognises(file.read(4096)):
                return _read_plain(reader, [path], request)[0]
        with unpacked(path) as inner:
            found = _read_plain(reader, [inner], request)[0]
    except FormatError as error:
        return error
    except OSError as error:
        return FormatError(f"{path} cannot be opened: {error.strerror}. Check the path and its permissions.")
    if isinstance(found, FormatError):
        found.args = (str(found.args[0]).replace(str(inner), str(path)),)
    return found


def _read_plain(reader: Format, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
    found = _settled(reader, paths, request)
    if request.damaged == "read":
        return [
            replace(record, meta={"damage": (), **record.meta})
            if isinstance(record, Record) and record.meta
            else record
            for record in found
        ]
    return found


def _settled(reader: Format, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
    from cardioflow.io._rates import settled  # it needs SciPy, and importing this door is to be light

    try:
        found = reader.read_many(paths, request)
    except MemoryError:
        if len(paths) > 1:
            return [record for path in paths for record in _read_plain(reader, [path], request)]
        found = [
            FormatError(
                f"{paths[0]} needs more memory than there is. Read a part of it, with start_s, stop_s or channels."
            )
        ]
    return [settled(reader, path, request, own) for path, own in zip(paths, found, strict=True)]


def array_record(
    signal: NDArray[Any], fs: float, leads: tuple[str, ...], units: tuple[str, ...], request: ReadRequest
) -> Record:
    """Return the record of an array in memory, as a reader gives it of a file.

    Args:
        signal: Of shape (lead, time), in ``units``; integers are taken at their value.
        fs: Samples per second.
        leads: The names of the leads; standard ones are spelled as the standard does.
        units: One per lead. Voltages become millivolts.
        request: What to read.

    Raises:
        FormatError: when ``request`` asks for what is not there, or a sample is infinite.
    """
    from cardioflow.batch.units import millivolts_per
    from cardioflow.io._record import Waveform, make_record

    if request.ann_ext is not None:
        raise FormatError("is in memory and has no annotation files. Leave out ann_ext.")
    scale = [millivolts_per(unit) for unit in units]
    own = tuple("mV" if factor is not None else unit for factor, unit in zip(scale, units, strict=True))
    factors = np.array([1.0 if factor is None else factor for factor in scale])
    values = signal if (factors == 1.0).all() else signal * factors[:, None]
    meta = {"age": None, "sex": None, "timestamp": None, "comments": (), "device": None}
    with np.errstate(over="ignore"):
        # An array has the leads that its owner gave it: only what is asked for by name is computed.
        asked = request if request.derive == "limb" else replace(request, derive="never")
        return make_record(Waveform(values, fs, leads, own), asked, meta, meta_per_lead=True)


def samples_in(path: Path, fmt: str, options: Mapping[str, Any]) -> int | None:
    """Return the samples of each lead that a file says it has, without reading them; ``None`` if not known so.

    Raises:
        FormatError: when the file cannot be read.
    """
    if (is_compressed(path) and fmt != "npz") or options.get("damaged") == "read":
        return None
    found: int | None = reader_for(fmt, options).n_samples(path)
    return found


def annotation_files(folder: Path) -> dict[str, list[str]]:
    """Return the extensions of the WFDB annotation files in ``folder``, by record name, in one listing."""
    from cardioflow.io._wfdb.annotation_files import annotated

    return annotated(str(folder))


def has_plain_annotations(extensions: Sequence[str]) -> bool:
    """Return whether it is plain which of a WFDB record's annotation files is meant when none is named."""
    from cardioflow.batch.leads import GROUPS
    from cardioflow.io._wfdb.annotation_files import is_plain

    return is_plain(extensions, GROUPS["standard"])


def identifies_person(meta: Mapping[str, Any]) -> bool:
    """Return whether ``meta``, as it is read with ``identify``, says whose ECG it is."""
    from cardioflow.io._record_json import without_person

    rest = without_person(meta, identify=False)
    if len(rest.get("comments") or ()) < len(meta.get("comments") or ()):
        return True
    return any(_says_something(value) for key, value in meta.items() if key not in rest)


_NOTHING: Final = re.compile(
    r"(?:X|Startdate|\d{1,2}-\w{3}-\d{4}|n_samples=\d+|[MF]|age=\S+|[\s,;:()-])*", re.IGNORECASE
)
"""What the fields of EDF+ hold that identify no person: X for what is left out, the date, the sex."""


def _says_something(value: Any) -> bool:
    return value is not None and _NOTHING.fullmatch(str(value)) is None


def stored_columns(
    store: Path, rows: Sequence[int], request: ReadRequest, options: Mapping[str, Any], *, checksum: str = ""
) -> Columns:
    """Read records of a packed store by their numbers, all at once.

    Args:
        store: The store.
        rows: The numbers of the records.
        request: What to read.
        options: All options of ``load``; ``verify`` says when checksums are checked.
        checksum: Of the store that the numbers belong to; not checked if it is empty.

    Raises:
        FormatError: when the store or one of the records is damaged.
        InputError: when the store was packed again and no longer has ``checksum``.
    """
    columns: Columns = _packed(options).read_rows(store, rows, request, checksum=checksum)
    return columns


def stored_errors(
    store: Path, rows: Sequence[int], request: ReadRequest, options: Mapping[str, Any]
) -> list[FormatError | None]:
    """Return what is wrong with each of the records that ``stored_columns`` refused; ``None`` where nothing is.

    Raises:
        FormatError: when the store itself is at fault.
    """
    reader = _packed(options)
    open_store(store, reader.verify)
    found: list[FormatError | None] = []
    for row in rows:
        try:
            reader.read_rows(store, [row], request)
            found.append(None)
        except FormatError as error:
            found.append(error)
    return found


def _packed(options: Mapping[str, Any]) -> Packed:
    reader = formats.get("packed")
    known = reader.options()
    made: Packed = reader(**{name: value for name, value in options.items() if name in known})
    return made


def open_store(path: Path, verify: Verify = "read") -> Store:
    """Return the packed store at ``path``; opened again, it is the same object as long as the store is unchanged.

    Args:
        path: The folder.
        verify: When checksums are checked: ``"read"``, each block when it is first read; ``"open"``, all of them now;
            ``"never"``.

    Raises:
        FormatError: when it is not a packed store, or is damaged.
    """
    from cardioflow.io._packed.store import open_store as opened

    return opened(path, verify)


def check_verify(verify: str) -> Verify:
    """Return ``verify`` if ``open_store`` takes it.

    Raises:
        InputError: when it does not.
    """
    from cardioflow.io._packed.store import check_verify as checked

    return checked(verify)


def store_writer(path: Path, shard_bytes: int) -> StoreWriter:
    """Return a writer of a new packed store at ``path``, a context manager, with shards of about ``shard_bytes``.

    Raises:
        InputError: when ``path`` exists.
    """
    from cardioflow.io._packed.writer import StoreWriter

    return StoreWriter(path, shard_bytes)
