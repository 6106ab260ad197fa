"""Whole folders from one format to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from cardioflow.errors import FormatError, InputError
from cardioflow.io._recognise import recognise
from cardioflow.pipeline.dataset import EcgDataset
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["convert_files"]


def convert_files(
    sources: Sequence[Path], dst: Path, *, fmt: str, ann_ext: str | None, jobs: int, identify: bool
) -> int:
    """Write every ECG in ``sources`` to ``dst`` and return the exit status: 2 when one could not be.

    Files that are there already are skipped, so that a conversion which was
    stopped goes on where it was. Annotations are written where a file holds
    them itself; those beside a WFDB record when ``ann_ext`` says which.

    Raises:
        InputError: when there is no ECG in ``sources``.
    """
    found: dict[str, dict[str, Path]] = {}
    n_other = 0
    for root, path in _files(sources):
        try:
            kind = recognise(path)
        except FormatError:
            if root == path:
                raise
            n_other += 1
            continue
        name = str(path.relative_to(root).with_suffix("")) if root != path else path.stem
        held = found.setdefault(kind, {})
        if any(name in names for names in found.values()):
            raise InputError(f"Two files would be {name!r}: {path} and another. Convert them one by one.")
        held[name] = path
    if not found:
        raise InputError(f"There is no ECG in {', '.join(map(str, sources))} ({n_other} other files).")
    n_written, failed = 0, 0
    for kind, paths in found.items():
        own, errors = _convert(kind, EcgDataset(paths), dst, fmt=fmt, ann_ext=ann_ext, jobs=jobs, identify=identify)
        n_written += own
        failed += errors
    others = f"; {n_other} files are no ECGs" if n_other else ""
    typer.echo(f"{n_written} records in {dst} as {fmt}, {failed} failed{others}")
    return 2 if failed else 0


def _convert(
    kind: str, dataset: EcgDataset, dst: Path, *, fmt: str, ann_ext: str | None, jobs: int, identify: bool
) -> tuple[int, int]:
    components = ["signal", "meta"]
    options = {"identify": identify}
    if kind != "wfdb" or ann_ext is not None:
        components.append("annotation")
    suffix = {"ann_ext": ann_ext} if kind == "wfdb" and ann_ext is not None else {}
    pipeline = (
        Pipeline()
        .load(fmt=kind, components=components, **options, **suffix)
        .dump(dst, fmt=fmt, exists="skip", identify=identify)
    )
    # One record a batch: threads then share the files evenly, and a record that fails fails alone.
    run = (dataset >> pipeline).run(batch_size=1, threads=jobs, prefetch=2 * jobs, on_error="skip")
    for skipped in run.errors:
        typer.echo(f"cardioflow: {skipped.record}: {skipped.reason}", err=True)
    return len(dataset) - len(run.errors), len(run.errors)


def _files(sources: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield the folder that was named and each file in it; of a file, the file twice."""
    for source in sources:
        if not source.is_dir():
            yield source, source
            continue
        for path in sorted(source.rglob("*")):
            # A signal file beside its header is part of that record.
            if path.is_file() and (path.suffix == ".hea" or not path.with_suffix(".hea").is_file()):
                yield source, path
