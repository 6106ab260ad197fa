"""Compare ECG files with what BioSig's ``save2gdf`` reads from them.

::

    python benchmarks/compare_biosig.py FILE_OR_FOLDER…

This covers the formats that BioSig also reads: SCP-ECG, MFER, HL7 aECG, ISHNE,
EDF, BDF and WFDB. In a folder, all files recognised as one of these are
compared. The output is one line per file: "equal", the largest difference in mV
with its lead, or which program refuses the file and why; then the counts.
BioSig's numbers have six digits, and "equal" allows for that. Returns 1 if a
difference, or a refusal by our reader alone, is not a known fault of BioSig
(``KNOWN``).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from compare_wfdb_samples import record as judged_by_wfdb

from cardioflow.batch.leads import standard_name
from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError, MixedRatesError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.registry import formats

FORMATS = ("scp", "mfer", "hl7_aecg", "ishne", "edf", "bdf", "wfdb")
SIX_DIGITS = 1e-5
LONGEST_S = 120
NUMBERS = re.compile(r"[-+0-9.eEnaN,]+")

# Known differences of BioSig 2.5, and why it is wrong.
KNOWN = {
    "subtracted": "BioSig does not add the reference beat back, or undo the differences, of such a record",
    "bimodal": "BioSig does not undo bimodal compression",
    "rates": "BioSig shortens the blocks of channels with a rate of their own, although their length is given",
    "wfdb": "PhysioNet's own wfdb reads every sample as we do",
    "count": "BioSig reads another number of samples than the header declares and the file has",
}


def theirs(path: Path, place: Path) -> tuple[list[str], list[str], np.ndarray]:
    """Return BioSig's lead names, units and numbers of shape (lead, time).

    Raises:
        ValueError: if it refuses the file, crashes or does not finish.
    """
    table = place / "biosig.csv"
    table.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            ["save2gdf", "-CSV", str(path), str(table)], capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"not finished after {LONGEST_S} s") from error
    told = re.findall(r"ERROR [^\n\0]*", (done.stdout + done.stderr).decode("latin-1"))
    why = told[-1] if told else f"exit status {done.returncode}"
    lines = table.read_text("latin-1").split("\n") if table.exists() else []
    rows = [line for line in lines if line and NUMBERS.fullmatch(line)]
    if not rows:
        raise ValueError(why)
    # Names may contain anything, even line ends: for MFER channels, BioSig 2.5 prints arbitrary memory.
    head = "\n".join(lines[: lines.index(rows[0])])
    fields = re.findall(r'"([^"]*) \[([^\]"]*)\]"', head)
    numbers = np.array([[float(v) for v in row.split(",")] for row in rows]).T
    if len(fields) != len(numbers):
        fields = [("", "")] * len(numbers)
    return [standard_name(name.strip()) for name, _ in fields], [unit for _, unit in fields], numbers


def ours(fmt: str, path: Path) -> Record:
    """Return our record; with mixed rates, the leads with the highest rate."""
    reader = formats.get(fmt)()
    try:
        return reader.read(path, ReadRequest())
    except MixedRatesError as error:
        return reader.read(path, ReadRequest(channels=error.groups[-1]))


def compared(record: Record, names: list[str], units: list[str], numbers: np.ndarray) -> tuple[str, str]:
    """Return a verdict, and the largest difference."""
    worst, where = 0.0, ""
    for i, lead in enumerate(record.leads):
        if lead in record.meta["derived_leads"]:
            continue
        row = record.signal[i]
        # If its names are unusable, the nearest channel must be the lead.
        columns = [k for k, name in enumerate(names) if name == lead] or range(len(names))
        found = []
        for k in columns:
            column = numbers[k][: row.size] * (millivolts_per(units[k]) or 1.0)
            if column.size < row.size:
                found.append((np.inf, f"{lead} has {row.size} samples, BioSig {column.size}"))
                continue
            both = ~np.isnan(row) & ~np.isnan(column)
            largest = float(np.abs(row[both]).max(initial=0.0))
            apart = float(np.abs(row[both] - column[both]).max(initial=0.0))
            found.append((0.0 if apart <= SIX_DIGITS * largest else apart, lead))
        apart, what = min(found)
        if apart > worst:
            worst, where = apart, what
    if worst == 0.0:
        return "equal", ""
    return "different", where if np.isinf(worst) else f"by {worst:.6g} mV in {where}"


def known(fmt: str, path: Path, record: Record) -> str:
    """Return why BioSig is wrong about a file, or an empty string."""
    if fmt == "mfer":
        return KNOWN["rates"] if record.meta["other_channels"] else ""
    if fmt == "ishne":
        return _known_count(path, record)
    if fmt == "wfdb":
        return KNOWN["wfdb"] if judged_by_wfdb(path.resolve())[0] == "equal" else ""
    return _known_compression(path) if fmt == "scp" else ""


def _known_count(path: Path, record: Record) -> str:
    head = path.read_bytes()[:522]
    count, begin, n_leads = (int.from_bytes(head[a:b], "little") for a, b in ((14, 18), (22, 26), (156, 158)))
    fits = path.stat().st_size == begin + 2 * n_leads * count
    return KNOWN["count"] if fits and record.signal.shape == (n_leads, count) else ""


def _known_compression(path: Path) -> str:
    content = path.read_bytes()
    places = {}
    for at in range(22, 6 + int.from_bytes(content[10:14], "little") - 9, 10):
        number, size, index = (int.from_bytes(content[at + a : at + b], "little") for a, b in ((0, 2), (2, 6), (6, 10)))
        if size:
            places[number] = content[index - 1 + 16 : index - 1 + size]
    if places.get(3, b"\0\0")[1] & 1:
        return KNOWN["subtracted"]
    return KNOWN["bimodal"] if places.get(6, b"\0" * 6)[5] == 1 else ""


def files(paths: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the files that are recognised as a format that BioSig reads."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file():
                continue
            with file.open("rb") as opened:
                head = opened.read(4096)
            fmt = next((fmt for fmt in FORMATS if _recognised(fmt, head, file)), None)
            if fmt is not None:
                yield fmt, file
            elif file == path:
                print(f"{file}: is not one of the formats {', '.join(FORMATS)}")


def _recognised(fmt: str, head: bytes, file: Path) -> bool:
    # Texts and headers of WFDB resemble other formats.
    return formats.get(fmt).recognises(head) and (fmt != "wfdb" or file.suffix == ".hea")


def verdict(fmt: str, path: Path, place: Path) -> tuple[str, str]:
    """Return a verdict on one file, with the reason."""
    record = found = None
    try:
        record = ours(fmt, path)
    except FormatError as error:
        refused = str(error).removeprefix(f"{path}: ")
    try:
        found = theirs(path, place)
    except ValueError as error:
        why = str(error)
    if record is None:
        return ("refused by us", refused) if found is not None else ("refused by both", f"{refused} BioSig: {why}")
    if found is None:
        return "refused by BioSig", why
    result, told = compared(record, *found)
    reason = known(fmt, path, record) if result == "different" else ""
    return ("BioSig is wrong", f"{told}: {reason}") if reason else (result, told)


def main(paths: list[Path]) -> int:
    if shutil.which("save2gdf") is None:
        print("save2gdf is not on the PATH. Install BioSig (Debian and Ubuntu: apt-get install biosig-tools).")
        return 2
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for fmt, path in files(paths):
            result, told = verdict(fmt, path, Path(place))
            counts[fmt, result] += 1
            print(f"{path.name}: {fmt}: {result}{' ' if told else ''}{told}", flush=True)
    for (fmt, result), n in sorted(counts.items()):
        print(f"{n:5d} {fmt}: {result}")
    return int(any(result in {"different", "refused by us"} for _, result in counts))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
