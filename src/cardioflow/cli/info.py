"""What a file holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioflow.cli.printing import as_json_text, say
from cardioflow.core.printable import escaped
from cardioflow.errors import CardioFlowError, FormatError
from cardioflow.io.base import Record
from cardioflow.io.reading import (
    check_options,
    check_verify,
    open_store,
    read_each,
    recognise,
    request_for,
    samples_in,
)

__all__ = ["describe", "print_info"]


# Of a longer recording only the beginning is read: its leads, rate and length stand in its header.
_MOST_BYTES = 1 << 28
_BEGINNING_S = 600.0
_MOST_LEADS = 256


def print_info(
    files: Sequence[Path], *, as_json: bool, fmt: str | None, ann_ext: str | None, options: Mapping[str, Any]
) -> int:
    """Print what each of ``files`` holds and return the exit status: 2 when one of them could not be read."""
    found, failed = [], False
    for path in files:
        try:
            found.append(describe(path, fmt=fmt, ann_ext=ann_ext, **options))
        except CardioFlowError as error:
            failed = True
            said = str(error)
            say(f"cardioflow: {said if said.startswith(str(path)) else f'{path}: {said}'}", err=True)
    if as_json:
        say(as_json_text(found))
    else:
        for number, facts in enumerate(found):
            say(("\n" if number else "") + _text(facts))
    return 2 if failed else 0


def describe(path: Path, *, fmt: str | None = None, ann_ext: str | None = None, **options: Any) -> dict[str, Any]:
    """Return what ``path`` holds, as plain JSON values; ``options`` are those of ``load``.

    Raises:
        FormatError: when it cannot be read.
    """
    if fmt in (None, "packed") and path.is_dir():
        return _describe_store(path, options)
    name = fmt or recognise(path)
    asked = {**options, "ann_ext": ann_ext}
    check_options(name, asked)
    n_samples, record = _long(path, name, asked) or (None, _read(path, name, asked))
    if n_samples is None:
        n_samples = 0 if record.signal is None else record.signal.shape[-1]
    facts: dict[str, Any] = {
        "file": str(path),
        "format": name,
        "leads": list(record.leads),
        "units": list(record.units),
        "fs": record.fs,
        "n_samples": n_samples,
        "duration_s": n_samples / record.fs,
        "age": _plain(record.meta.get("age")),
        "sex": _plain(record.meta.get("sex")),
        "annotations": None,
    }
    if record.annotation is not None and len(record.annotation):
        facts["annotations"] = dict(Counter(record.annotation.symbol.tolist()).most_common())
    known = {*facts, "fs", "leads", "units"}
    facts["meta"] = {k: _plain(v) for k, v in record.meta.items() if k not in known and v is not None}
    return facts


def _describe_store(path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a packed store holds; with ``verify="open"`` all of its checksums are checked.

    Raises:
        FormatError: when it is not a packed store, or is damaged.
    """
    check_options("packed", options)
    store = open_store(path, check_verify(str(options.get("verify", "read"))))
    return {
        "file": str(path),
        "format": "packed",
        "n_records": len(store),
        "n_files": len(store.shards),
        "checksums": store.has_checksums,
    }


def _long(path: Path, fmt: str, options: Mapping[str, Any]) -> tuple[int, Record] | None:
    """Return the length of a recording that is too long to be read whole, and the beginning of it.

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
    """Return all that ``path`` holds; annotations that were not asked for by name only where it is plain which."""

    def read(*components: str) -> Record:
        return _read_components(path, fmt, options, *components)

    try:
        return read("signal", "meta", "annotation")
    except FormatError:
        if options["ann_ext"] is not None:
            raise
        # Some files have marks and no lead, which is no fault.
        if not read("meta").leads:
            return read("meta", "annotation")
        # A WFDB record may have no annotation file, or several. What else is wrong fails here again.
        return read("signal", "meta")


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return _plain(value.tolist())
    return str(value)


def _text(facts: dict[str, Any]) -> str:
    lines = _store_lines(facts) if facts["format"] == "packed" else _record_lines(facts)
    return "\n".join([escaped(facts["file"]), *(f"  {name:<10}{escaped(value)}" for name, value in lines.items())])


def _store_lines(facts: dict[str, Any]) -> dict[str, str]:
    return {
        "format": "packed store",
        "records": str(facts["n_records"]),
        "files": str(facts["n_files"]),
        "checksums": "one per 256 KiB" if facts["checksums"] else "none: packed by an earlier version",
    }


def _record_lines(facts: dict[str, Any]) -> dict[str, str]:
    marks = facts["annotations"]
    return {
        "format": facts["format"],
        "leads": f"{len(facts['leads'])}: {', '.join(facts['leads'])}" if facts["leads"] else "none",
        "units": ", ".join(sorted(set(facts["units"]))) or "none",
        "rate": f"{facts['fs']:g} Hz",
        "duration": f"{facts['duration_s']:.2f} s ({facts['n_samples']} samples per lead)",
        "age": "not said" if facts["age"] is None else f"{facts['age']:g} years",
        "sex": facts["sex"] or "not said",
        "marks": f"{sum(marks.values())}: {' '.join(f'{s} {n}' for s, n in marks.items())}" if marks else "none",
    }
