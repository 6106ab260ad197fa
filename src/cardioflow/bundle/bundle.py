"""A saved model and all that a prediction needs: ``cardioflow.load(path).predict(files)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle.card import Card
from cardioflow.bundle.decision import Decision
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.from_dump import description_of
from cardioflow.bundle.judge import Answer, Judge, ModelJudge
from cardioflow.bundle.lead_choice import with_lead_names
from cardioflow.bundle.members import Member, Mixture, SavedModel
from cardioflow.bundle.method_judge import MethodJudge
from cardioflow.bundle.package import DESCRIPTION, write_package
from cardioflow.bundle.predictions import Predictions, RecordPrediction, SkippedRecord
from cardioflow.bundle.preparation import Preparation
from cardioflow.bundle.reasons import Reason
from cardioflow.bundle.running import answers_in_order
from cardioflow.bundle.screening import screened
from cardioflow.bundle.sources import Source, batches, dataset_of_arrays, dataset_of_files, is_arrays
from cardioflow.errors import DumpError, InputError, ModelError
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.persistence import PersistentModel
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["Bundle"]

_READ = Preparation((Call("load", (), {"components": ["signal", "meta"]}),))
"""How files are read, and arrays, where the preparation does not say it."""


@final
class Bundle:
    """Models or a method, with how records are prepared, which are judged, and what the answers mean."""

    def __init__(
        self,
        description: BundleDescription,
        judge: Judge,
        *,
        name: str = "The bundle",
        files: Mapping[str, bytes] | None = None,
        saved: tuple[PersistentModel, DumpHeader, Preparation | None] | None = None,
    ) -> None:
        self._description = description
        self._judge = judge
        self._name = name
        self._files = files
        self._saved = saved

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, name: str = "The bundle") -> Self:
        """Return the bundle that ``files`` hold, by name, as ``read_package`` returns them.

        Raises:
            DumpError: when the description or a file is not valid.
        """
        try:
            description = _described(files)
            models = bool(description.members)
            judge: Judge = ModelJudge.of(description, files) if models else MethodJudge.of(description, files)
        except DumpError as error:
            raise DumpError(f"The bundle {name!r} cannot be loaded. {error}") from error
        return cls(description, judge, name=name, files=files)

    @classmethod
    def of_model(
        cls,
        model: PersistentModel,
        header: DumpHeader,
        preparation: Preparation | None,
        *,
        name: str = "The model",
    ) -> Self:
        """Return the bundle of one model, as its dump describes it."""
        steps = preparation or Preparation()
        description = description_of(header)
        member = Member(SavedModel(model), steps.after_reading())
        judge = ModelJudge(Mixture((member,)), Decision(description))
        return cls(description, judge, name=name, saved=(model, header, preparation))

    @property
    def description(self) -> BundleDescription:
        """All that the bundle says of itself."""
        return self._description

    @property
    def name(self) -> str:
        """The name or the path that the bundle was loaded by."""
        return self._name

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The labels, in the order of the outputs."""
        return self._description.classes

    @property
    def model(self) -> PersistentModel:
        """The model of a single dump, for training it further or predicting batches.

        Raises:
            ModelError: for a bundle of several files, whose members are in ``description.members``.
        """
        return self._single()[0]

    @property
    def header(self) -> DumpHeader:
        """The header of a single dump, with the thresholds of the bundle.

        Raises:
            ModelError: for a bundle of several files.
        """
        return replace(self._single()[1], thresholds=self._description.thresholds)

    @property
    def thresholds(self) -> Mapping[str, float]:
        """The probability from which a label is given, by label; set it to change it, and ``save`` to keep it.

        A label that is not listed has the default. For independent labels that
        is 0.5. For exclusive classes it is the most probable one; where some
        have a threshold, the most probable of those that reach theirs, and
        where none does, the most probable of the classes without one.
        """
        return self._description.thresholds

    @thresholds.setter
    def thresholds(self, given: Mapping[str, float]) -> None:
        # The description checks them.
        self._description = replace(self._description, thresholds=dict(given))

    @property
    def card(self) -> Card:
        """What the bundle is, to be read before it is used; printed, a line for each fact."""
        if self._saved is None:
            return Card.of_bundle(self._description)
        preparation = self._saved[2]
        steps = () if preparation is None else tuple(map(str, preparation.steps))
        return Card.of(self._saved[1], self.thresholds, steps)

    def predict(
        self,
        source: Source | EcgBatch,
        *,
        fs: float | None = None,
        leads: Sequence[str] | None = None,
        units: str | Sequence[str] | None = None,
        batch_size: int = 16,
        jobs: int = 1,
        lead_names: Sequence[str] | None = None,
    ) -> Predictions:
        """Return a prediction for each record; a record that cannot be predicted is listed with the reason.

        Args:
            source: A file, a folder, a list of them, an ``EcgDataset``, an ``EcgBatch`` that was read, or signals: an
                array of shape (lead, time) or (record, lead, time), or a list of arrays of shape (lead, time).
            fs: The sampling rate of arrays in Hz.
            leads: The names of their leads, in any order; by default those that the model takes, in its order.
            units: The unit of all their leads, or one for each; voltages are converted to mV. By default millivolts,
                which is refused for integers.
            batch_size: Records that are prepared and predicted together. It does not change the predictions.
            jobs: Batches that are predicted at the same time, in threads. It does not change the predictions either.
            lead_names: The names of the leads of all records, in their order, instead of those in the files.

        Raises:
            DumpError: for files, when a dump does not have the preprocessing.
            InputError: for arrays that are not signals, or lack what they do not say themselves.
        """
        found: list[RecordPrediction] = []
        skipped: list[SkippedRecord] = []
        given = self.stream(
            source, fs=fs, leads=leads, units=units, batch_size=batch_size, jobs=jobs, lead_names=lead_names
        )
        for answer in given:
            if isinstance(answer, RecordPrediction):
                found.append(answer)
            else:
                skipped.append(answer)
        return Predictions(tuple(found), tuple(skipped))

    def stream(
        self,
        source: Source | EcgBatch,
        *,
        fs: float | None = None,
        leads: Sequence[str] | None = None,
        units: str | Sequence[str] | None = None,
        batch_size: int = 16,
        jobs: int = 1,
        lead_names: Sequence[str] | None = None,
    ) -> Iterator[Answer]:
        """Yield what ``predict`` returns, record by record, as soon as it is known.

        Raises:
            DumpError: for files, when a dump does not have the preprocessing.
            InputError: for arrays that are not signals, or lack what they do not say themselves.
        """
        for name, value in (("batch_size", batch_size), ("jobs", jobs)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise InputError(f"predict({name}={value!r}): expected a whole number from 1 on.")
        if isinstance(source, EcgBatch):
            _refuse_descriptions(fs, leads, units)
            _refuse_doubled(source.ids)
            if self._saved is None and source.is_cut:
                raise InputError(
                    "The records of the batch are cut. Pass them as they were read: a bundle cuts them itself."
                )
            return answers_in_order([_rows_as_records(source)], lambda own: self._judged(_named(own, lead_names)), 1)
        if is_arrays(source):
            names = self._default_leads(source) if leads is None else leads
            dataset = dataset_of_arrays(source, fs=fs, leads=names, units=units)
        else:
            _refuse_descriptions(fs, leads, units)
            self._require_preparation()
            given: Any = source
            dataset = given if isinstance(source, EcgDataset) else dataset_of_files(given)
        return self._of_dataset(dataset, int(batch_size), int(jobs), lead_names)

    def save(self, path: str | Path) -> None:
        """Write the bundle with its thresholds to ``path``, completely or not at all.

        A bundle of several files becomes one file if ``path`` ends in ``.zip`` or ``.cardioflow``, and a folder
        otherwise.

        Raises:
            WriteError: when ``path`` cannot be written.
        """
        if self._files is None:
            model = self._single()[0]
            model.thresholds = self.thresholds
            model.save(path)
        else:
            write_package(Path(path), {**self._files, DESCRIPTION: self._description.to_json().encode()})

    # -- inside --------------------------------------------------------------

    def _single(self) -> tuple[PersistentModel, DumpHeader, Preparation | None]:
        if self._saved is None:
            raise ModelError(
                f"{self._name!r} is not the dump of one model. See description.members, and load a member's dump by "
                "itself to train it further."
            )
        return self._saved

    def _require_preparation(self) -> None:
        if self._saved is not None and self._saved[2] is None:
            raise DumpError(
                f"{self._name!r} does not say how a file becomes what the model takes. Save it with its preprocessing: "
                "save_model(name, path, preprocessing=pipeline)."
            )

    def _default_leads(self, arrays: Any) -> tuple[str, ...] | None:
        """Return the leads that the model takes.

        Raises:
            InputError: when the arrays have more or fewer.
        """
        known = self._description.leads if self._saved is None else self._saved[0].leads
        first = arrays if isinstance(arrays, np.ndarray) and arrays.ndim == 2 else arrays[0]
        if known is None or known == "any" or first.ndim != 2:
            return None
        if len(first) != len(known):
            raise InputError(
                f"predict(leads=None): the model takes the leads {', '.join(known)}, and the arrays have {len(first)}. "
                "Pass leads=…, the names of the arrays' leads; those that the model takes are chosen by name."
            )
        return tuple(known)

    def _of_dataset(
        self, dataset: EcgDataset, batch_size: int, jobs: int, lead_names: Sequence[str] | None
    ) -> Iterator[Answer]:
        preparation = None if self._saved is None else self._saved[2]
        reading = preparation if preparation is not None and preparation.n_reading else _READ

        def work(batch: EcgBatch) -> list[Answer]:
            return self._judged(_named(reading.read(batch), lead_names))

        return answers_in_order(batches(dataset, batch_size), work, jobs)

    def _judged(self, batch: EcgBatch) -> list[Answer]:
        """Return the answers for records that were read."""
        if self._saved is not None:
            return self._judge.answers(batch, self.thresholds)
        found = screened(batch, self._description)
        answers = self._judge.answers(found.kept, self.thresholds) if len(found.kept) else []
        judged = {answer.id: _noted(answer, found.notes.get(answer.id, ())) for answer in answers}
        return [found.refused.get(record) or judged[record] for record in batch.ids]

    def __repr__(self) -> str:
        what = self._saved[1].model if self._saved is not None else self._description.name
        return f"Bundle({what}, {self._name!r})"


def _described(files: Mapping[str, bytes]) -> BundleDescription:
    """Return the description among ``files``.

    Raises:
        DumpError: when it is missing or not valid, or names a file that is missing.
    """
    if DESCRIPTION not in files:
        raise DumpError(f"It is not a bundle: it has no {DESCRIPTION}.")
    description = BundleDescription.from_json(files[DESCRIPTION])
    missing = [own for own in description.file_names if own not in files]
    if missing:
        raise DumpError(f"The file {missing[0]!r}, which {DESCRIPTION} names, is missing.")
    return description


def _named(batch: EcgBatch, lead_names: Sequence[str] | None) -> EcgBatch:
    return batch if lead_names is None else with_lead_names(batch, lead_names)


def _noted(answer: Answer, notes: tuple[Reason, ...]) -> Answer:
    return replace(answer, notes=(*notes, *answer.notes)) if notes and isinstance(answer, RecordPrediction) else answer


def _rows_as_records(batch: EcgBatch) -> EcgBatch:
    """Return ``batch`` with each row as a record of its own, also where it is a segment or was given another id."""
    if batch.is_cut or tuple(batch.ids) == tuple(batch.provenance.record_id):
        return batch
    return batch.replace(provenance=None)


def _refuse_doubled(ids: Sequence[str]) -> None:
    """Refuse records of one id: answers are found by it, and one record would get the other's."""
    doubled = next((record for record in ids if ids.count(record) > 1), None) if len(set(ids)) < len(ids) else None
    if doubled is not None:
        raise InputError(
            f"The batch has two records with the id {doubled!r}. Give each an id of its own: replace(ids=…)."
        )


def _refuse_descriptions(fs: Any, leads: Any, units: Any) -> None:
    if fs is not None or leads is not None or units is not None:
        raise InputError("predict(fs=…, leads=…, units=…) describe arrays, and files have their own. Remove them.")
