"""Predictions of a bundle for files."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.json_form import as_json, skipped_as_json
from cardioflow.bundle.loading import load
from cardioflow.bundle.predictions import RecordPrediction, SkippedRecord
from cardioflow.bundle.running import answers_in_order
from cardioflow.bundle.sources import batches, dataset_of_files, file_of
from cardioflow.bundle.table import as_csv, write_parquet
from cardioflow.cli.printing import about, as_json_text, complain, say
from cardioflow.core.atomic import whole_file
from cardioflow.core.printable import escaped
from cardioflow.errors import InputError
from cardioflow.io.reading import recognise

__all__ = ["Layout", "Prediction", "predict_files"]

Layout = Literal["text", "json", "csv", "parquet"]

_SHOW_PROGRESS_FROM = 20


@final
@dataclass(frozen=True, kw_only=True)
class Prediction:
    """How files are predicted and what is printed."""

    layout: Layout = "text"
    out: Path | None = None
    """The file to write to; ``None`` prints."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """They replace those of the bundle."""
    lead_names: tuple[str, ...] | None = None
    """The names of the leads of all files, in their order, instead of those in the files."""
    jobs: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    """Those of ``load``."""

    def __post_init__(self) -> None:
        if self.layout == "parquet" and self.out is None:
            raise InputError("--format parquet is not text. Pass --out and the name of a file.")

    def run(self, model: str, files: Sequence[str | Path]) -> int:
        """Print or write what ``model`` says of ``files`` and return the exit status.

        0: every record has an answer. 1: some could not be judged. 2: some could not be read or processed.

        Raises:
            DumpError: if ``model`` is not a bundle, or has no preprocessing.
            ModelError: if it cannot be loaded without the code that built it.
        """
        present, missing = _found(files)
        for own in missing:
            complain(about(escaped(own.file or own.id), escaped(own.reason)))
        if missing and not present:
            return 2
        bundle = self._bundle(model)
        said: list[str] = []
        found = self._answers(bundle, present, said)
        answers: list[RecordPrediction | SkippedRecord] = [*missing, *found]
        self._give(bundle, answers, said)
        for answer in found:
            if isinstance(answer, SkippedRecord):
                complain(about(escaped(answer.file or answer.id), escaped(answer.reason)))
        if any(isinstance(own, SkippedRecord) for own in answers):
            return 2
        return int(any(isinstance(own, RecordPrediction) and not own.judged for own in answers))

    def _bundle(self, model: str) -> Bundle:
        bundle = load(model)
        if self.thresholds:
            bundle.thresholds = {**bundle.thresholds, **self.thresholds}
        return bundle

    def _answers(
        self, bundle: Bundle, files: Sequence[str | Path], said: list[str]
    ) -> list[RecordPrediction | SkippedRecord]:
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always", UserWarning)
            stream = self._stream(bundle, files)
            found = list(_with_progress(stream, len(files)))
        said += [str(w.message) for w in given if w.category is UserWarning]
        for warning in said:
            complain(escaped(warning))
        return found

    def _stream(self, bundle: Bundle, files: Sequence[str | Path]) -> Iterator[RecordPrediction | SkippedRecord]:
        if not self.options:
            return bundle.stream(files, jobs=self.jobs, lead_names=self.lead_names)

        def work(batch: EcgBatch) -> list[RecordPrediction | SkippedRecord]:
            # Options belong to a format, which each file may have another one of.
            place = file_of(batch, 0) or batch.ids[0]
            fmt = "simulated" if place.startswith("simulated:") else recognise(Path(place))
            read = batch.load(**{"fmt": fmt, **self.options}, components=["signal", "meta"])
            return list(bundle.stream(read, lead_names=self.lead_names))

        return answers_in_order(batches(dataset_of_files(files), 1), work, self.jobs)

    def _give(self, bundle: Bundle, answers: Sequence[RecordPrediction | SkippedRecord], said: Sequence[str]) -> None:
        described = bundle.description
        if self.layout == "parquet" and self.out is not None:
            write_parquet(self.out, answers, described)
            return
        if self.layout == "json":
            text = as_json_text(_as_json(bundle, answers, said))
        elif self.layout == "csv":
            text = as_csv(answers, described).rstrip("\n")
        else:
            text = "\n".join(_lines(bundle, answers))
        if self.out is None:
            if text:
                say(text)
        else:
            with whole_file(self.out) as temporary:
                temporary.write_text(f"{text}\n", "utf-8")


def predict_files(model: str | Path, files: Sequence[str | Path]) -> dict[str, Any]:
    """Return what the bundle ``model`` says of each of ``files``, as plain JSON values.

    A file that cannot be read or predicted is listed with the reason under ``"skipped"``. ``"warnings"`` says what
    was done to the others, such as leads taken by name.

    Raises:
        DumpError: if ``model`` is not a bundle, or has no preprocessing.
        ModelError: if it cannot be loaded without the code that built it.
    """
    bundle = load(model)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always", UserWarning)
        answers = list(bundle.stream(list(files)))
    return _as_json(bundle, answers, [str(w.message) for w in given if w.category is UserWarning])


def _as_json(
    bundle: Bundle, answers: Sequence[RecordPrediction | SkippedRecord], said: Sequence[str]
) -> dict[str, Any]:
    return {
        "model": bundle.name,
        "release": bundle.description.release,
        "thresholds": dict(bundle.thresholds),
        "predictions": [as_json(own) for own in answers if isinstance(own, RecordPrediction)],
        "skipped": [skipped_as_json(own) for own in answers if isinstance(own, SkippedRecord)],
        "warnings": list(said),
    }


def _found(files: Sequence[str | Path]) -> tuple[list[str], list[SkippedRecord]]:
    """Return the files that are there, patterns replaced by what they match, and those that are not."""
    present: dict[str, None] = {}
    missing = []
    for own in map(str, files):
        place = Path(own)
        if own.startswith("simulated:") or place.exists() or place.with_name(f"{place.name}.hea").exists():
            present[own] = None
        elif matches := sorted(glob.glob(own, recursive=True)):  # noqa: PTH207 -- any path, also an absolute one
            present.update(dict.fromkeys(matches))
        else:
            reason = "No file matches the pattern." if glob.has_magic(own) else "The file does not exist."
            missing.append(SkippedRecord(own, own, None, reason))
    return list(present), missing


def _with_progress(
    stream: Iterator[RecordPrediction | SkippedRecord], n_files: int
) -> Iterator[RecordPrediction | SkippedRecord]:
    from tqdm import tqdm

    # A bar is shown on a terminal alone; a folder's number of records is not known before it is read.
    total = n_files if n_files >= _SHOW_PROGRESS_FROM else None
    yield from tqdm(stream, total=total, unit=" records", disable=None, leave=False, delay=1.0)


def _lines(bundle: Bundle, answers: Sequence[RecordPrediction | SkippedRecord]) -> Iterator[str]:
    for own in answers:
        if isinstance(own, RecordPrediction):
            yield f"{escaped(own.file or own.id)}   {_said(bundle, own)}"
            yield from (f"    note: {escaped(note.text)}" for note in own.notes)


def _said(bundle: Bundle, answer: RecordPrediction) -> str:
    if not answer.judged:
        return f"cannot be judged: {escaped(' '.join(reason.text for reason in answer.reasons))}"
    if answer.beats is not None:
        return f"{len(answer.beats)} beats"
    if answer.waves is not None:
        whole = answer.waves.whole
        return f"{len(whole.p)} P, {len(whole.qrs)} QRS, {len(whole.t)} T"
    thresholds = bundle.thresholds
    shares = (
        f"{escaped(label)} {p:.3f}{f' (from {thresholds[label]:g})' if label in thresholds else ''}"
        for label, p in answer.probabilities.items()
    )
    text = "   ".join(shares) or "   ".join(f"{value:.6g}" for value in answer.values)
    held = (
        "" if answer.prediction_set is None else f"   set: {', '.join(map(escaped, answer.prediction_set)) or 'none'}"
    )
    bad = [
        f"{escaped(name)} {', '.join(q.reasons)}".strip() for name, q in answer.lead_quality.items() if not q.acceptable
    ]
    leads = f"   not acceptable: {'; '.join(bad)}" if bad else ""
    return f"{', '.join(map(escaped, answer.labels)) or 'none'}   ({text}){held}{leads}"
