"""Conversion of whole folders from one format to another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from cardioflow.cli.conversions import Conversions
from cardioflow.cli.printing import complain
from cardioflow.errors import InputError
from cardioflow.io.base import Format
from cardioflow.io.reading import annotation_files, files_in, has_plain_annotations, recognise
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.pipeline import Pipeline
from cardioflow.registry import formats

__all__ = ["Conversion"]

# Small, so that threads share the files evenly and few are in memory; twice as fast as batches of one.
_BATCH = 8


@dataclass(frozen=True)
class Conversion:
    """How to convert ECGs: the format to write, and the options of reading and writing."""

    fmt: str | None
    """``None`` follows from the suffix of ``dst``, which then names a file."""
    ann_ext: str | None = None
    """The suffix of WFDB records' annotation files; ``None`` takes ``atr``, or the only one present."""
    annotations: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of reading, as ``load`` takes them."""
    jobs: int = 2
    identify: bool = False
    overwrite: bool = False
    """Whether existing files are overwritten."""

    def run(self, sources: Sequence[Path], dst: Path) -> int:
        """Write every ECG in ``sources`` to ``dst`` and return the exit status: 2 if one could not be converted.

        Files that the same conversion has written, from the same source and with the same options, are skipped, so an
        interrupted conversion continues where it stopped. Any other existing file is an error, unless ``overwrite``.

        Raises:
            InputError: if one of ``sources`` does not exist, there is no ECG in them, or ``dst`` names one file for
                several of them.
            WriteError: if the disk is full, or ``dst`` is not writable.
        """
        for own in sources:
            if not own.exists():
                raise InputError(f"{own} does not exist. Check the path.")
        fmt = self.fmt or _format_of(dst)
        if _names_file(dst, fmt):
            found, folder = _only(sources, dst), dst.parent
        else:
            found, folder = _find(sources, dst, fmt), dst
        job = _Job(replace(self, fmt=fmt), folder)
        for kind, paths in found.records.items():
            job.convert(kind, paths)
        others = f"; files that are not ECGs: {found.n_other}" if found.n_other else ""
        results = f"; {found.n_results} files in {dst} are results and were skipped" if found.n_results else ""
        before = f"; {job.n_before} of them existed already" if job.n_before else ""
        records = "record" if job.n_written == 1 else "records"
        typer.echo(f"{job.n_written} {records} in {dst} as {fmt}, {job.n_failed} failed{before}{others}{results}")
        return 2 if job.n_failed else 0


class _Job:
    """One run of a conversion into ``folder``, with the counts of its records."""

    def __init__(self, how: Conversion, folder: Path) -> None:
        self.how = how
        self.folder = folder
        self.n_written = self.n_failed = self.n_before = 0
        self._writer: Format = formats.get(str(how.fmt))()
        options = {name: getattr(how, name) for name in ("fmt", "ann_ext", "annotations", "options", "identify")}
        self._done = Conversions(folder, options)

    def convert(self, kind: str, paths: Mapping[str, Path]) -> None:
        """Write the records of one format, except those that are done."""
        there = {name for name in paths if self._writer.target(self.folder / name).exists()}
        left = dict(paths)
        for name in sorted(there) if not self.how.overwrite else ():
            source = left.pop(name)
            if self._done.made(self._result(name), source):
                self.n_before += 1
                self.n_written += 1
            else:
                self.n_failed += 1
                typer.echo(
                    f"cardioflow: {name}: {self._writer.target(self.folder / name)} was made from another file or with "
                    "other options. Pass --overwrite, or another folder.",
                    err=True,
                )
        if not left:
            return
        self._done.begin(self._results(left), there=[self._result(name) for name in there])
        for own, components in self._with_components(kind, left):
            failed = self._convert(kind, own, components)
            self.n_failed += len(failed)
            self.n_written += len(own) - len(failed)
            self._done.end(self._results({name: path for name, path in own.items() if name not in failed}))

    def _result(self, name: str) -> str:
        return self._writer.target(self.folder / name).relative_to(self.folder).as_posix()

    def _results(self, paths: Mapping[str, Path]) -> dict[str, Path]:
        return {self._result(name): path for name, path in paths.items()}

    def _with_components(self, kind: str, paths: dict[str, Path]) -> list[tuple[dict[str, Path], list[str]]]:
        """Return groups of records with the components to read: annotations only if their file is unambiguous."""
        plain, marked = ["signal", "meta"], ["signal", "meta", "annotation"]
        if not self.how.annotations:
            return [(paths, plain)]
        if kind != "wfdb" or self.how.ann_ext is not None:
            return [(paths, marked)]
        beside = {folder: annotation_files(folder) for folder in {path.parent for path in paths.values()}}
        some: dict[str, Path] = {}
        unsure = set[str]()
        for name, path in paths.items():
            there = beside[path.parent].get(path.stem, [])
            if has_plain_annotations(there):
                some[name] = path
            elif there:
                unsure.update(there)
        if unsure:
            typer.echo(
                f"cardioflow: some records have several annotation files ({', '.join(sorted(unsure))}), and none is "
                "written. Choose one with --ann-ext.",
                err=True,
            )
        others = {name: path for name, path in paths.items() if name not in some}
        return [(own, components) for own, components in ((some, marked), (others, plain)) if own]

    def _convert(self, kind: str, paths: dict[str, Path], components: list[str]) -> set[str]:
        """Write records and return those that failed."""
        how = self.how
        options = {"identify": how.identify, **how.options}
        if kind == "wfdb" and how.ann_ext is not None:
            options["ann_ext"] = how.ann_ext
        pipeline = (
            Pipeline()
            .load(fmt=kind, components=components, **options)
            .dump(self.folder, fmt=str(how.fmt), exists="overwrite", identify=how.identify)
        )
        run = (EcgDataset(paths) >> pipeline).run(
            batch_size=_BATCH, threads=how.jobs, prefetch=2 * how.jobs, on_error="skip"
        )
        for skipped in run.skipped:
            # Without the name of the step, which users of the command do not see.
            complain(f"{skipped.record}: {skipped.reason.args[0]}")
        return {str(skipped.record) for skipped in run.skipped}


def _format_of(dst: Path) -> str:
    """Return the format that the suffix of ``dst`` names.

    Raises:
        InputError: if there is none.
    """
    able = {name: formats.get(name).suffixes for name in formats.names() if formats.get(name).write is not Format.write}
    found = [name for name, suffixes in able.items() if dst.suffix.lower() in suffixes]
    if len(found) != 1 or dst.is_dir():
        raise InputError(
            f"convert: the format to write does not follow from the name {dst}. Pass --fmt, one of {', '.join(able)}."
        )
    return found[0]


def _names_file(dst: Path, fmt: str) -> bool:
    """Return whether ``dst`` is the name of a file of the format, and not a folder.

    Raises:
        InputError: if it is the name of a file of another format.
    """
    if dst.is_dir() or not dst.suffix:
        return False
    if dst.suffix.lower() in formats.get(fmt).suffixes[:1]:
        return True
    others = [name for name in formats.names() if dst.suffix.lower() in formats.get(name).suffixes[:1]]
    if others and not dst.exists():
        raise InputError(
            f"convert {dst} --fmt {fmt}: a name that ends in {dst.suffix!r} is a file of {' or '.join(others)}. Pass "
            f"that format, a name that ends in {formats.get(fmt).suffixes[0]!r}, or a folder."
        )
    return False


def _only(sources: Sequence[Path], dst: Path) -> _Found:
    """Return the one ECG in ``sources``, under the name ``dst``.

    Raises:
        InputError: if there are several, or a folder.
    """
    if len(sources) != 1 or sources[0].is_dir():
        what = f"{len(sources)} sources" if len(sources) != 1 else "a folder"
        raise InputError(f"convert to {dst}: this names one file for {what}. Pass the name of a folder, and --fmt.")
    return _Found({recognise(sources[0]): {dst.name: sources[0]}})


def _wfdb_name(path: str) -> str:
    """Return ``path`` as a valid WFDB record name (header(5)): letters, digits, ``-`` and ``_`` in each part."""
    return "/".join(re.sub(r"[^A-Za-z0-9_-]", "_", part) for part in Path(path).parts)


@dataclass
class _Found:
    """The contents of the source folders."""

    records: dict[str, dict[str, Path]] = field(default_factory=dict)
    """The ECGs, by format and by the name under which they are written."""
    n_other: int = 0
    """The number of files of unknown format."""
    n_results: int = 0
    """The number of ECGs that are skipped because they are results of an earlier conversion."""


def _find(sources: Sequence[Path], dst: Path, fmt: str) -> _Found:
    """Return the ECGs in ``sources``.

    Results of an earlier conversion are not converted again. These are all files in ``dst`` if it is inside a source,
    and its files of the format ``fmt`` if ``dst`` is itself a source.
    """
    found = _Found()
    kinds: dict[tuple[Path, Path], str] = {}
    results = dst.resolve()
    for root, path, kind in _files(sources):
        inside = root != path and results in path.resolve().parents
        if inside and results != root.resolve():
            found.n_results += kind is not None
            continue
        if kind is None:
            found.n_other += 1
            continue
        if inside and kind == fmt:
            found.n_results += 1
        else:
            kinds[root, path] = kind
    if not kinds and not found.n_results:
        raise InputError(f"There is no ECG in {', '.join(map(str, sources))} ({found.n_other} other files).")
    for file, name in _names(list(kinds), _wfdb_name if fmt == "wfdb" else str).items():
        found.records.setdefault(kinds[file], {})[name] = file[1]
    return found


def _names(files: Sequence[tuple[Path, Path]], named: Callable[[str], str]) -> dict[tuple[Path, Path], str]:
    """Return a name for each (source folder, file): the file's path in the folder, without its suffix.

    Files that would have the same name get their suffix appended (``a-dcm``, ``a-xml``) and, if that is not enough,
    the folder's name prepended.

    Raises:
        InputError: if two files would still have the same name.
    """
    names: dict[tuple[Path, Path], str] = {}
    for pattern in ("{stem}", "{stem}-{suffix}", "{folder}/{stem}-{suffix}"):
        count = Counter(names.values())
        for root, path in files:
            if count[names.get((root, path), "")] != 1:
                inside = Path(path.name) if root == path else path.relative_to(root)
                suffix = path.suffix.lower()[1:]
                name = pattern.format(folder=root.name, stem=inside.with_suffix(""), suffix=suffix)
                names[root, path] = named(name)
    double = [name for name, n in Counter(names.values()).items() if n > 1]
    if double:
        who = " and ".join(str(path) for (_, path), name in names.items() if name == double[0])
        raise InputError(f"Two files would be written as {double[0]!r}: {who}. Convert them separately.")
    return names


def _files(sources: Sequence[Path]) -> Iterator[tuple[Path, Path, str | None]]:
    """Yield the folder that was named, each file in it that may be a record, and its format; of a file, the file twice.

    Raises:
        FormatError: when a file that was named is not recognised.
    """
    for source in sources:
        if not source.is_dir():
            yield source, source, recognise(source)
            continue
        for file in files_in(source):
            # The shards of a packed store are not records.
            yield source, file.path, None if file.fmt == "packed" else file.fmt
