"""Files drawn on ECG paper."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import matplotlib as mpl
import numpy as np

from cardioflow.analysis.waves.delineate import delineate
from cardioflow.batch.layout import Layout
from cardioflow.cli.info import records_in
from cardioflow.cli.printing import about, complain, say
from cardioflow.core.atomic import whole_file
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.io.base import Record
from cardioflow.io.reading import check_options, recognise
from cardioflow.report.as_figure import figure_of
from cardioflow.report.layouts import Printed
from cardioflow.report.look import look
from cardioflow.report.plot_ecg import sheets_of
from cardioflow.report.rows import Rows
from cardioflow.report.sheet import Scale, Sheet
from cardioflow.report.style import RC
from cardioflow.report.view import EcgView, LeadSpans, Mark, as_marks, wave_spans

__all__ = ["Plotting"]

_MOST_DRAWN_S = 600.0
"""What sixty rows of ten seconds show; strips show all that was asked for."""
_SUFFIXES = (".pdf", ".png", ".svg")


@final
@dataclass(frozen=True)
class Plotting:
    """How files are drawn."""

    layout: Layout = "auto"
    form: str = "pdf"
    """The format of files in a folder: ``"pdf"``, ``"png"`` or ``"svg"``."""
    waves: bool = True
    """Whether waves are found and coloured, and beats marked."""
    rows: Rows = field(default_factory=Rows)
    scale: Scale = field(default_factory=Scale)
    fmt: str | None = None
    options: Mapping[str, Any] | None = None

    def run(self, files: Sequence[Path], out: Path) -> int:
        """Draw each of ``files`` and return the exit status: 2 if one of them could not be read.

        Raises:
            InputError: if several files are to be drawn into one.
        """
        paths = list(records_in(files, self.fmt))
        single = out.suffix.lower() in _SUFFIXES
        if single and len(paths) > 1:
            raise InputError(
                f"{len(paths)} files cannot be drawn into one file {str(out)!r}. Pass --out with a folder."
            )
        if not single and out.suffix and not out.is_dir():
            raise InputError(f"--out {str(out)!r} does not end in one of {', '.join(_SUFFIXES)} and is not a folder.")
        failed = False
        names: set[str] = set()
        for path in paths:
            try:
                sheets = self.sheets(path)
            except CardioFlowError as error:
                failed = True
                complain(about(str(path), str(error)), {"start_s": "--start", "stop_s": "--stop"})
                continue
            target = out if single else out / f"{_free(path.stem, names)}.{self.form}"
            for written in _save(sheets, target):
                say(str(written))
        return 2 if failed else 0

    def sheets(self, path: Path) -> list[Sheet]:
        """Return the pages of the ECG in ``path``.

        Raises:
            FormatError: if it cannot be read.
        """
        options = dict(self.options or {})
        name = self.fmt or recognise(path)
        check_options(name, options)
        record, n_samples, is_beginning = look(path, name, options)
        if record.signal is None or not record.leads:
            raise CardioFlowError(f"{path} holds no signal.")
        title = path.stem
        if is_beginning:
            title += (
                f"   (the first {record.signal.shape[1] / record.fs / 60:.0f} of {n_samples / record.fs / 60:.0f} min)"
            )
        spans, beats = self._waves(record) if self.waves else (None, ())
        view = EcgView(record.signal, record.fs, record.leads, title, record.units, spans, beats)
        return sheets_of(view, self.layout, self.rows, Printed(start_s=self.rows.start_s), self.scale)

    def _waves(self, record: Record) -> tuple[tuple[LeadSpans, ...] | None, tuple[Mark, ...]]:
        """Return the waves and beats of the part that is drawn; those of a whole day would take a minute."""
        signal, fs = np.asarray(record.signal), record.fs
        n = signal.shape[1]
        end_s = n / fs if self.rows.stop_s is None else self.rows.stop_s
        if self.layout != "strips":
            end_s = min(end_s, self.rows.start_s + _MOST_DRAWN_S)
        # Ten seconds more on both sides, because waves are found with what lies around them.
        a, b = max(int((self.rows.start_s - 10) * fs), 0), min(int((end_s + 10) * fs), n)
        if a >= b:
            return None, ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found = delineate(signal[:, a:b], fs, leads=record.leads, units=record.units)
        spans = wave_spans(found, len(record.leads), b - a, fs) or ()
        moved = tuple({kind: marks + a for kind, marks in own.items()} for own in spans)
        return moved, as_marks(found.whole.qrs.peak + a, "beats", n)


def _free(stem: str, taken: set[str]) -> str:
    """Return ``stem``, with a number if another file of the run has that name."""
    name, number = stem, 2
    while name.casefold() in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name.casefold())
    return name


def _save(sheets: Sequence[Sheet], target: Path) -> list[Path]:
    """Write the pages: all into one PDF, or into numbered images; return the files."""
    if target.suffix.lower() == ".pdf":
        from matplotlib.backends.backend_pdf import PdfPages

        settings: Any = dict(RC)
        with whole_file(target) as temporary, mpl.rc_context(settings), PdfPages(temporary) as pages:
            for sheet in sheets:
                pages.savefig(figure_of(sheet))
        return [target]
    digits = len(str(len(sheets)))
    written = []
    for number, sheet in enumerate(sheets, 1):
        own = target if len(sheets) == 1 else target.with_stem(f"{target.stem}-{number:0{digits}d}")
        with whole_file(own) as temporary:
            figure_of(sheet).savefig(temporary)
        written.append(own)
    return written
