"""The records that a task scores on, read one at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import BEATS, Annotation
from cardioflow.errors import FormatError, InputError
from cardioflow.io.reading import files_in, read_each, request_for
from cardioflow.pipeline.data.leaks import tapes

__all__ = ["Reference", "data_set_of", "part_of", "records_of", "tape_of"]

_TITLES: Final[Mapping[str, str]] = {
    "european-st-t-database": "edb",
    "lobachevsky-university-electrocardiography-database": "ludb",
    "mit-bih-arrhythmia-database": "mitdb",
    "mit-bih-long-term-ecg-database": "ltdb",
    "mit-bih-noise-stress-test-database": "nstdb",
    "mit-bih-normal-sinus-rhythm-database": "nsrdb",
    "mit-bih-st-change-database": "stdb",
    "mit-bih-supraventricular-arrhythmia-database": "svdb",
    "qt-database": "qtdb",
    "st-petersburg-incart-12-lead-arrhythmia-database": "incartdb",
    "sudden-cardiac-death-holter-database": "sddb",
}
"""What PhysioNet's archives of whole data sets are called, without the version."""
_VERSION: Final = re.compile(r"v?\d+(\.\d+)+")


@final
@dataclass(frozen=True, eq=False)
class Reference:
    """A record with the beats that experts marked."""

    id: str
    data_set: str
    """The name of the data set, as ``data_set_of`` tells it from the folder."""
    signal: NDArray[np.float32]
    """(lead, time) in mV."""
    fs: float
    leads: tuple[str, ...]
    marks: Annotation

    @property
    def beats(self) -> NDArray[np.int64]:
        """The samples of the beats."""
        return self.marks.sample[np.isin(self.marks.symbol, list(BEATS))]

    @property
    def flutter(self) -> tuple[tuple[int, int], ...]:
        """The first and last sample of each episode of ventricular flutter, in which no beats are marked."""
        episodes, begin = [], None
        for sample, symbol in zip(self.marks.sample.tolist(), self.marks.symbol.tolist(), strict=True):
            if symbol == "[" and begin is None:
                begin = sample
            elif symbol == "]" and begin is not None:
                episodes.append((begin, sample))
                begin = None
        return tuple(episodes) if begin is None else (*episodes, (begin, self.signal.shape[1]))

    @property
    def tape(self) -> str:
        """The recording that this is a copy of, such as ``mitdb/118`` for ``nstdb/118e06``."""
        return tape_of(self.data_set, self.id)


def records_of(folder: Path, ann_ext: str = "atr", only: Sequence[str] | None = None) -> Iterator[Reference]:
    """Yield the WFDB records of ``folder`` that have annotations, in order of their names.

    Records in sub-folders are read only where the folder itself has none.

    Args:
        folder: where the headers are; its name is the data set's, see ``data_set_of``.
        ann_ext: the suffix of the annotations that are the reference.
        only: the ids of the records to read.

    Raises:
        InputError: when there is no such record, or one of ``only`` is missing.
        FormatError: for a record that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is not a folder. Pass the folder of the WFDB records to score on.")
    found = [f.path for f in files_in(folder) if f.path.suffix == ".hea"]
    marked = [path for path in found if path.with_suffix(f".{ann_ext}").is_file()]
    # MITDB keeps what is not part of its 48 records in a sub-folder; other data sets keep all there.
    own = [path for path in marked if path.parent == folder] or marked
    annotated = {path.stem: path for path in sorted(own)}
    wanted = list(annotated) if only is None else list(dict.fromkeys(only))
    missing = [name for name in wanted if name not in annotated]
    if missing or not wanted:
        what = f"has no record {missing[0]!r} with" if missing else "has no WFDB record with"
        raise InputError(
            f"{str(folder)!r} {what} annotations .{ann_ext}. Pass another folder with data=…, or another ann_ext=…."
        )
    request = request_for(["signal", "meta", "annotation"], {"ann_ext": ann_ext, "derive": "never"})
    for name in wanted:
        record = read_each([annotated[name]], "wfdb", request, {})[0]
        if isinstance(record, FormatError):
            raise record
        if record.signal is None or record.annotation is None:
            raise FormatError(f"{annotated[name].name} has no signal or no annotations.")
        yield Reference(name, data_set_of(folder), record.signal, record.fs, record.leads, record.annotation)


def part_of(table: Path, part: str | None) -> tuple[str, ...]:
    """Return the records of ``part`` in a CSV table with the columns ``record`` and ``part``; all of them for ``None``.

    Raises:
        InputError: when the table lacks a column or the part.
    """
    if not table.is_file():
        raise InputError(f"{str(table)!r} is not a file. Pass a CSV table with the columns record and part.")
    # Spreadsheets write a mark of the byte order in front of the first column's name.
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = [{str(name): cell or "" for name, cell in row.items()} for row in csv.DictReader(file)]
    if not rows or not {"record", "part"} <= rows[0].keys():
        raise InputError(f"{table.name} is not a table with the columns record and part.")
    parts = sorted({row["part"] for row in rows})
    if part is not None and part not in parts:
        raise InputError(f"{table.name} has no part {part!r}. It has: {', '.join(parts)}.")
    return tuple(row["record"] for row in rows if part in (None, row["part"]))


def data_set_of(folder: Path) -> str:
    """Return the short name of the data set in ``folder``, such as ``"mitdb"``.

    It is the folder's own name, in small letters and without a version. PhysioNet's archives are called by the data
    set's title, and its folders by the version alone, as in ``mitdb/1.0.0``.

    >>> data_set_of(Path("/data/mit-bih-arrhythmia-database-1.0.0")), data_set_of(Path("/data/mitdb/1.0.0"))
    ('mitdb', 'mitdb')
    """
    whole = folder.resolve()
    own = whole.parent if _VERSION.fullmatch(whole.name) else whole
    name = re.sub(rf"-{_VERSION.pattern}$", "", own.name.lower())
    return _TITLES.get(name, name)


def tape_of(data_set: str, record: str) -> str:
    """Return the recording that a record is a copy of, by which training and test data are compared.

    NSTDB adds noise to MITDB's 118 and 119, QTDB has 15-minute excerpts of MITDB, and MITDB's
    201 and 202 are one tape.
    """
    return tapes.tape_of(data_set, record) or f"{data_set}/{record}"
