"""Whole folders from one format to another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from cardioflow.errors import FormatError, InputError
from cardioflow.io.reading import annotation_files, has_plain_annotations, recognise
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["Conversion"]

# Small, so that threads share the files evenly and few are in memory; twice as fast as one by one.
_BATCH = 8


@dataclass(frozen=True)
class Conversion:
    """How ECGs are to be written, and which of them: all in ``sources``, under ``dst``."""

    fmt: str
    ann_ext: str | None = None
    """The suffix of WFDB records' annotation files; ``None`` takes ``atr``, or the only one there is."""
    annotations: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    """How to read, as ``load`` takes it."""
    jobs: int = 2
    identify: bool = False

    def run(self, sources: Sequence[Path], dst: Path) -> int:
        """Write every ECG in ``sources`` to ``dst`` and return the exit status: 2 when one could not be.

        Files that exist are skipped, so a conversion that was stopped continues where it was.

        Raises:
            InputError: when there is no ECG in ``sources``.
            WriteError: when the disk is full, or ``dst`` cannot be written to.
        """
        found = _find(sources, dst, self.fmt)
        n_written = n_failed = 0
        for kind, paths in found.records.items():
            for own, components in self._with_components(kind, paths):
                written, failed = self._convert(kind, own, components, dst)
                n_written += written
                n_failed += failed
        others = f"; {found.n_other} files are not ECGs" if found.n_other else ""
        results = f"; {found.n_results} files in {dst} are results and were left out" if found.n_results else ""
        typer.echo(f"{n_written} records in {dst} as {self.fmt}, {n_failed} failed{others}{results}")
        return 2 if n_failed else 0

    def _with_components(self, kind: str, paths: dict[str, Path]) -> list[tuple[dict[str, Path], list[str]]]:
        """Return the records of one format, and what to read of them: marks where it is plain which file has them."""
        plain, marked = ["signal", "meta"], ["signal", "meta", "annotation"]
        if not self.annotations:
            return [(paths, plain)]
        if kind != "wfdb" or self.ann_ext is not None:
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

    def _convert(self, kind: str, paths: dict[str, Path], components: list[str], dst: Path) -> tuple[int, int]:
        options = {"identify": self.identify, **self.options}
        if kind == "wfdb" and self.ann_ext is not None:
            options["ann_ext"] = self.ann_ext
        pipeline = (
            Pipeline()
            .load(fmt=kind, components=components, **options)
            .dump(dst, fmt=self.fmt, exists="skip", identify=self.identify)
        )
        dataset = EcgDataset(paths)
        run = (dataset >> pipeline).run(batch_size=_BATCH, threads=self.jobs, prefetch=2 * self.jobs, on_error="skip")
        for skipped in run.skipped:
            # Without the step: the user of the command wrote none.
            typer.echo(f"cardioflow: {skipped.record}: {skipped.reason.args[0]}", err=True)
        return len(dataset) - len(run.skipped), len(run.skipped)


def _wfdb_name(path: str) -> str:
    """Return a name that a WFDB record may have (header(5)): letters, digits, ``-`` and ``_`` in each part."""
    return "/".join(re.sub(r"[^A-Za-z0-9_-]", "_", part) for part in Path(path).parts)


@dataclass
class _Found:
    """What is in the folders that were given."""

    records: dict[str, dict[str, Path]] = field(default_factory=dict)
    """The ECGs, by format and by the name that they are written under."""
    n_other: int = 0
    """Files of no known format."""
    n_results: int = 0
    """ECGs that are left out because they lie where results are written."""


def _find(sources: Sequence[Path], dst: Path, fmt: str) -> _Found:
    """Return the ECGs in ``sources``.

    Results of an earlier conversion are not converted again: what lies in ``dst`` where that is inside a source, and
    files of the format ``fmt`` where ``dst`` is a source itself.
    """
    found = _Found()
    kinds: dict[tuple[Path, Path], str] = {}
    results = dst.resolve()
    for root, path in _files(sources):
        inside = root != path and results in path.resolve().parents
        if inside and results != root.resolve():
            found.n_results += 1
            continue
        try:
            kind = recognise(path)
        except FormatError:
            if root == path:
                raise
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
    """Return a name for each file, of a folder that was given: its path in there, without the suffix.

    Of several files of one name each gets its suffix behind it (``a-dcm``, ``a-xml``); where that is not enough, the
    folder's name in front of it.

    Raises:
        InputError: when even so two files would have one name.
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
        raise InputError(f"Two files would be {double[0]!r}: {who}. Convert them one by one.")
    return names


def _files(sources: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield the folder that was named and each file in it; of a file, the file twice.

    Names that begin with a dot are passed over, as in a glob: files that are being written have such names.
    """
    for source in sources:
        if not source.is_dir():
            yield source, source
            continue
        for path in sorted(source.rglob("*")):
            if any(part.startswith(".") for part in path.relative_to(source).parts):
                continue
            # A signal file beside its header is part of that record.
            if path.is_file() and (path.suffix == ".hea" or not path.with_suffix(".hea").is_file()):
                yield source, path
