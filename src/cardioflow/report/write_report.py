"""Reports on files: a page per record, and an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from cardioflow.core.atomic import whole_file
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.report.page.examination import Examination, examine
from cardioflow.report.page.index import Entry, Failure, index_page
from cardioflow.report.page.page import page_of
from cardioflow.report.page.rhythm import af_bundle
from cardioflow.report.page.sections import rhythm_answer
from cardioflow.report.page.texts import Texts
from cardioflow.report.page.values import written
from cardioflow.report.view import clock

__all__ = ["Reports", "write_reports"]

_INDEX = "index.html"


@final
@dataclass
class Reports:
    """What was written, and what could not be read."""

    index: Path
    pages: list[Path] = field(default_factory=list)
    pdfs: list[Path] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def write_reports(
    files: Sequence[Path],
    out: Path,
    *,
    model: str | Path | None = None,
    pdf: bool = False,
    texts: Path | None = None,
    fmt: str | None = None,
    options: Mapping[str, Any] | None = None,
    told: Callable[[Path], None] = lambda _: None,
) -> Reports:
    """Write a page for each of ``files`` into the folder ``out``, and ``index.html``, which lists them.

    A file that cannot be read is listed with the reason, and the others go on. Existing pages are replaced.

    Args:
        files: ECG files.
        out: The folder; it is made.
        model: A bundle that judges the rhythm; by default the package's ``af`` where it has one.
        pdf: Whether to write a PDF of each report too.
        texts: A translated copy of ``en.toml``.
        fmt: The format of all files, or ``None`` to recognise each file's.
        options: Those of ``load``.
        told: Called with each file that was written.

    Raises:
        WriteError: if the folder cannot be written.
        InputError: if there are no files, or the texts are not complete.
        DumpError: if there is no bundle at ``model``.
    """
    if not files:
        raise InputError("There is no file to report on. Pass ECG files, or a folder of them.")
    words = Texts.english() if texts is None else Texts.read(texts)
    _check_folder(out)
    bundle = af_bundle(model)
    reports, entries, names = Reports(out / _INDEX), list[Entry](), set[str]()
    names.add(Path(_INDEX).stem)
    for path in files:
        try:
            seen = examine(path, fmt=fmt, options=options, bundle=bundle)
            page = page_of(seen, words, index=_INDEX)
        except CardioFlowError as error:
            reports.failures.append(Failure(str(path), _reason(error, path)))
            continue
        stem = _free(path.stem, names)
        target = out / f"{stem}.html"
        _write(target, page)
        reports.pages.append(target)
        told(target)
        if pdf:
            from cardioflow.report.page.pdf import write_pdf

            reports.pdfs.append(write_pdf(seen, words, out / f"{stem}.pdf"))
            told(reports.pdfs[-1])
        entries.append(_entry(seen, target.name, words))
    lost = [Failure(_short(Path(failure.file)), failure.reason) for failure in reports.failures]
    _write(reports.index, index_page(entries, lost, words))
    told(reports.index)
    return reports


def _check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written before any file is read.

    Raises:
        WriteError: with the reason.
    """
    probe = out / ".cardioflow-report"
    _write(probe, "")
    probe.unlink()


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, "utf-8")


def _reason(error: CardioFlowError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")


def _short(path: Path) -> str:
    """Return the name with its folder's: a whole path would tell where the files of a clinic lie."""
    return str(Path(path.parent.name) / path.name)


def _free(given: str, taken: set[str]) -> str:
    """Return ``given`` as the name of a page, with a number if another one has it."""
    # Other characters are not allowed in names on Windows, or end the path of an address.
    stem = re.sub(r"[^\w. ()+-]", "_", given)
    name, number = stem, 2
    while name.casefold() in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name.casefold())
    return name


def _entry(seen: Examination, page: str, texts: Texts) -> Entry:
    whole = seen.measured.whole

    def value(name: str) -> str:
        return written(name, whole[name].value) if whole[name].known else "–"

    names = texts.names()
    return Entry(
        _short(seen.path),
        page,
        str(len(seen.record.leads)),
        clock(seen.n_samples / seen.record.fs),
        value("heart_rate"),
        value("qrs"),
        value("qtc_fridericia"),
        rhythm_answer(seen, texts),
        ", ".join(names[name] for name in seen.outside()) or texts("index.none"),
    )
