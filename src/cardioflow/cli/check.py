"""``cardioflow check``: a table, JSON or CSV of the contents of a data set's files and what is unusual about them."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal

from cardioflow.cli.printing import as_json_text, say
from cardioflow.cli.wording import in_options
from cardioflow.core.printable import escaped
from cardioflow.errors import InputError
from cardioflow.report.check import FileCheck, check_files

__all__ = ["print_check"]

Layout = Literal["table", "json", "csv"]

_COLUMNS: Final = ("format", "leads", "rate", "length", "units", "identity", "file")
_ROW: Final = "{:<14}{:>6}{:>10}{:>12}  {:<9}{:<10}{}"
_EVERY_S: Final = 0.2


def print_check(sources: Sequence[Path], *, layout: Layout, fmt: str | None, options: Mapping[str, Any]) -> int:
    """Print the contents of each record in ``sources`` as it is read, and return the exit status: 1 if one was refused.

    Raises:
        InputError: for an option that the format does not have, or if there is no ECG in ``sources``.
    """
    count = Counter[str]()
    records = _counted(check_files(sources, fmt=fmt, options=options), count)
    # The first one is awaited, so that nothing is printed if the question is wrong.
    first = next(records, None)
    if first is None:
        places = ", ".join(repr(str(own)) for own in sources)
        raise InputError(f"No file in the folder {places} is a known ECG format (of {_files(count['other'])}).")
    records = chain([first], records)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[layout](records)
    say(_summary(count), err=layout != "table")
    return 1 if count["refused"] else 0


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"


def _counted(found: Iterator[FileCheck | None], count: Counter[str]) -> Iterator[FileCheck]:
    """Yield the records in ``found`` and count them; progress is shown on a terminal."""
    watched = sys.stderr.isatty()
    shown = time.monotonic()
    for one in found:
        if one is None:
            count["other"] += 1
            continue
        count["refused" if one.refused is not None else "warned" if one.warnings else "plain"] += 1
        if watched and time.monotonic() - shown > _EVERY_S:
            shown = time.monotonic()
            sys.stderr.write(f"\r{count.total()} files\r")
            sys.stderr.flush()
        yield one


def _summary(count: Counter[str]) -> str:
    n_read = count["plain"] + count["warned"]
    others = f"; files that are not ECGs: {count['other']}" if count["other"] else ""
    return f"{n_read} read, {count['warned']} of them with warnings; {count['refused']} refused{others}"


def _print_table(records: Iterator[FileCheck]) -> None:
    say(_ROW.format(*_COLUMNS))
    for one in records:
        if one.refused is not None:
            cells = [one.format or "unknown", "", "", "", "", ""]
        else:
            units = {True: "known", False: "unknown", None: ""}[one.calibrated]
            length = f"{one.n_records} records" if one.duration_s is None else f"{one.duration_s:.2f} s"
            rate = "" if one.fs is None else f"{one.fs:.6g} Hz"
            left_out = "left out" if one.identity_left_out else ""
            cells = [one.format or "", str(len(one.leads) or ""), rate, length, units, left_out]
        say(_ROW.format(*cells, escaped(one.file)).rstrip())
        for name, text in _remarks(one):
            say(f"    {name}: {escaped(in_options(text))}")


def _remarks(one: FileCheck) -> Iterator[tuple[str, str]]:
    if one.refused is not None:
        yield "refused", one.refused
    for name, counts in one.marks.items():
        yield f"marks {name}", " ".join(f"{code} {n}" for code, n in counts.items())
    yield from (("warning", text) for text in one.warnings)
    yield from (("guessed", text) for text in one.guessed)


def _print_json(records: Iterator[FileCheck]) -> None:
    # One record at a time, because a data set may have a million.
    before = "["
    for one in records:
        say(f"{before}\n{as_json_text(one.to_dict())}")
        before = ","
    say("]" if before == "," else "[]")


def _print_csv(records: Iterator[FileCheck]) -> None:
    names = list(FileCheck.__dataclass_fields__)
    say(",".join(names))
    for one in records:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([_cell(value) for value in one.to_dict().values()])
        say(line.getvalue())


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return escaped(json.dumps(value, ensure_ascii=False)) if value else ""
    if isinstance(value, list):
        return escaped("; ".join(value))
    return escaped(value) if isinstance(value, str) else value
