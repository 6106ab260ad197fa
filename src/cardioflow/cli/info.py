"""Descriptions of what files contain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioflow.cli.printing import about, as_json_text, complain, say
from cardioflow.core.printable import escaped
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.io.reading import check_options, check_verify, files_in, open_store, recognise
from cardioflow.report.look import look

__all__ = ["describe", "print_info", "records_in"]


def print_info(
    files: Sequence[Path], *, as_json: bool, fmt: str | None, ann_ext: str | None, options: Mapping[str, Any]
) -> int:
    """Print what each of ``files`` contains and return the exit status: 2 if one of them could not be read."""
    found, failed = [], False
    for path in records_in(files, fmt):
        try:
            found.append(describe(path, fmt=fmt, ann_ext=ann_ext, **options))
        except CardioFlowError as error:
            failed = True
            complain(about(str(path), str(error)))
    if as_json:
        say(as_json_text(found))
    else:
        for number, facts in enumerate(found):
            say(("\n" if number else "") + _text(facts))
    return 2 if failed else 0


def records_in(files: Sequence[Path], fmt: str | None) -> Iterator[Path]:
    """Yield ``files``, and for a folder the records in it; a packed store is described as a whole."""
    for path in files:
        if fmt == "packed" or not path.is_dir():
            yield path
            continue
        found = [file.path for file in files_in(path) if file.fmt is not None]
        if not found:
            raise InputError(f"No file in the folder {str(path)!r} is a known ECG format.")
        yield from found


def describe(path: Path, *, fmt: str | None = None, ann_ext: str | None = None, **options: Any) -> dict[str, Any]:
    """Return what ``path`` contains, as plain JSON values; ``options`` are those of ``load``.

    Raises:
        FormatError: if it cannot be read.
    """
    if fmt in (None, "packed") and path.is_dir():
        return _describe_store(path, options)
    name = fmt or recognise(path)
    asked = {**options, "ann_ext": ann_ext}
    check_options(name, asked)
    record, n_samples, _ = look(path, name, asked)
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
    """Return what a packed store contains; ``verify="open"`` checks all of its checksums.

    Raises:
        FormatError: if it is not a packed store, or is damaged.
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


def _plain(value: Any) -> Any:
    """Return ``value`` as a plain JSON value."""
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
    return "\n".join([escaped(facts["file"]), *(f"  {name:<12}{escaped(value)}" for name, value in lines.items())])


def _store_lines(facts: dict[str, Any]) -> dict[str, str]:
    return {
        "format": "packed store",
        "records": str(facts["n_records"]),
        "files": str(facts["n_files"]),
        "checksums": "one per 256 KiB" if facts["checksums"] else "none: packed by an earlier version",
    }


def _record_lines(facts: dict[str, Any]) -> dict[str, str]:
    marks, meta = facts["annotations"], facts["meta"]
    lines = {
        "format": facts["format"],
        "leads": f"{len(facts['leads'])}: {', '.join(facts['leads'])}" if facts["leads"] else "none",
        "units": ", ".join(sorted(set(facts["units"]))) or "none",
        "rate": f"{facts['fs']:g} Hz",
        "duration": f"{facts['duration_s']:.2f} s ({facts['n_samples']} samples per lead)",
        "time": str(meta.get("timestamp") or "unknown"),
        "device": str(meta.get("device") or "unknown"),
        "age": "unknown" if facts["age"] is None else f"{facts['age']:g} years",
        "sex": facts["sex"] or "unknown",
        "marks": f"{sum(marks.values())}: {' '.join(f'{s} {n}' for s, n in marks.items())}" if marks else "none",
        "statements": "; ".join(map(str, meta.get("comments") or ())) or "none",
    }
    if meta.get("measurements"):
        lines["measured"] = ", ".join(_measurements(meta["measurements"]))
    if meta.get("uncalibrated"):
        lines["scale"] = "unknown: the samples are numbers without a unit, not mV"
    if meta.get("damage"):
        lines["damage"] = "; ".join(meta["damage"])
    return lines


def _measurements(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield ``name value`` for each number; those of a lead or a set have its name before them."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _measurements(value, f"{before}{name} ")
        elif value is not None:
            yield f"{before}{name} {value:g}" if isinstance(value, float) else f"{before}{name} {value}"
