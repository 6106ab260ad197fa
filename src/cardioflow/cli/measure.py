"""Measurements of files, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cardioflow.analysis.measure.results import UNITS
from cardioflow.cli.info import records_in
from cardioflow.cli.printing import about, as_json_text, complain, say
from cardioflow.core.printable import escaped
from cardioflow.errors import CardioFlowError
from cardioflow.report.measure_file import measure_file

__all__ = ["print_measurements"]

Layout = Literal["text", "json", "csv"]
_WHOLE = (
    "heart_rate", "rr", "p", "pr", "qrs", "qt", "t",
    "qtc_bazett", "qtc_fridericia", "qtc_framingham", "qtc_hodges", "p_axis", "qrs_axis", "t_axis",
)  # fmt: skip


def print_measurements(
    files: Sequence[Path], *, layout: Layout, fmt: str | None, options: Mapping[str, Any], beats: bool = False
) -> int:
    """Print the measurements of each of ``files`` and return the exit status: 2 if one of them could not be read."""
    found, failed = [], False
    for path in records_in(files, fmt):
        try:
            found.append(measure_file(path, fmt=fmt, beats=beats, **options))
        except CardioFlowError as error:
            failed = True
            complain(about(str(path), str(error)))
    if layout == "json":
        say(as_json_text(found))
    elif layout == "csv":
        say(_csv(found))
    else:
        for number, facts in enumerate(found):
            say(("\n" if number else "") + _text(facts))
    return 2 if failed else 0


def _text(facts: dict[str, Any]) -> str:
    lines = [escaped(facts["file"]), f"  {'beats':<16}{facts['n_beats']}"]
    for name in _WHOLE:
        value = facts["whole"][name]
        lines.append(f"  {name:<16}{_shown(name, value)}" if value is not None else _unknown(name, facts["reasons"]))
    lines += [f"  not measured    {p['start']}–{p['stop']}: {p['reason']}" for p in facts["not_measured"]]
    lines += [f"  note            {p['start']}–{p['stop']}: {p['reason']}" for p in facts["notes"]]
    return "\n".join(lines)


def _unknown(name: str, reasons: Mapping[str, str]) -> str:
    return f"  {name:<16}not measured: {reasons[name]}"


def _shown(name: str, value: float) -> str:
    unit = UNITS[name]
    if unit == "s":
        return f"{1000 * value:.0f} ms"
    return f"{value:.0f}{unit}" if unit == "°" else f"{value:.1f} {unit}"


def _csv(found: Sequence[dict[str, Any]]) -> str:
    """Return a line per file; a value that could not be measured is empty, and the last column says why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    units = {"1/min": "bpm", "°": "deg"}
    writer.writerow(["file", "fs", "n_beats", *(f"{n}_{units.get(UNITS[n], UNITS[n])}" for n in _WHOLE), "reasons"])
    for facts in found:
        values = ["" if facts["whole"][n] is None else facts["whole"][n] for n in _WHOLE]
        reasons = "; ".join(f"{name}: {reason}" for name, reason in facts["reasons"].items())
        writer.writerow([facts["file"], facts["fs"], facts["n_beats"], *values, reasons])
    return out.getvalue().rstrip("\n")
