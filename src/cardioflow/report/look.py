"""Reading a file to describe it: completely, or only the beginning of a recording that is too long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io.base import Record
from cardioflow.io.reading import read_each, request_for, samples_in

__all__ = ["Look", "look"]

_MOST_BYTES: Final = 1 << 28
_BEGINNING_S: Final = 600.0
_MOST_LEADS: Final = 256


class Look(NamedTuple):
    """A record with its full length."""

    record: Record
    n_samples: int
    """The number of samples per lead of the whole recording."""
    is_beginning: bool
    """Whether ``record`` is only the beginning."""


def look(path: Path, fmt: str, options: Mapping[str, Any]) -> Look:
    """Return the record at ``path``; for a recording of more than 256 MiB in float32, the first ten minutes.

    Args:
        path: The file.
        fmt: Its format.
        options: Those of ``load``. Without ``ann_ext``, a record whose annotations are not plain is read without.

    Raises:
        FormatError: when it cannot be read.
    """
    long = _long(path, fmt, options)
    if long is not None:
        return Look(long[1], long[0], is_beginning=True)
    record = _read(path, fmt, options)
    return Look(record, 0 if record.signal is None else record.signal.shape[-1], is_beginning=False)


def _long(path: Path, fmt: str, options: Mapping[str, Any]) -> tuple[int, Record] | None:
    """Return the length and the beginning of a recording that is too long to be read completely.

    ``None`` for any other, and where a part was asked for.
    """
    if options.get("start_s") or options.get("stop_s") is not None:
        return None
    n_samples = samples_in(path, fmt, options)
    if n_samples is None or n_samples * 4 <= _MOST_BYTES // _MOST_LEADS:
        return None
    header = _read_components(path, fmt, options, "meta")
    if n_samples * max(len(header.leads), 1) * 4 <= _MOST_BYTES:
        return None
    return n_samples, _read(path, fmt, {**options, "stop_s": min(_BEGINNING_S, n_samples / header.fs)})


def _read_components(path: Path, fmt: str, options: Mapping[str, Any], *components: str) -> Record:
    found = read_each([path], fmt, request_for(components, options), options)[0]
    if isinstance(found, FormatError):
        raise found
    return found


def _read(path: Path, fmt: str, options: Mapping[str, Any]) -> Record:
    """Return the record at ``path``, with annotations if they are unambiguous or ``ann_ext`` selects them."""

    def read(*components: str) -> Record:
        return _read_components(path, fmt, options, *components)

    try:
        return read("signal", "meta", "annotation")
    except FormatError:
        if options.get("ann_ext") is not None:
            raise
        # A file may have annotations and no lead, which is not an error.
        if not read("meta").leads:
            return read("meta", "annotation")
        # A WFDB record may have no annotation file, or several. Any other error is raised again here.
        return read("signal", "meta")
