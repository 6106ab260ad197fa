"""A saved model and all that a prediction needs: ``cardioflow.load(path).predict(files)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.bundle.card import Card
from cardioflow.bundle.predictions import Predictions, RecordPrediction, SkippedRecord, interpret
from cardioflow.bundle.preparation import Preparation
from cardioflow.bundle.sources import array_batches, dataset_of, file_batches, is_arrays
from cardioflow.errors import CardioFlowError, DumpError, InputError, ModelError
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump import read_header
from cardioflow.models.dump_header import DumpHeader
from cardioflow.pipeline.dataset import EcgDataset
from cardioflow.pipeline.predictions import SegmentAggregator

__all__ = ["Bundle", "load"]

Source = str | Path | Sequence[str | Path] | EcgDataset | NDArray[Any] | Sequence[NDArray[Any]]


def load(path: str | Path) -> Bundle:
    """Return the saved model at ``path``, ready to predict; no code of the file is run.

    >>> model = cardioflow.load("af.cardioflow")
    >>> for found in model.predict(["A00001.hea", "A00002.hea"]):
    ...     print(found.file, found.labels, found.probabilities)

    Raises:
        DumpError: when ``path`` is not a dump, or its preprocessing does anything else than prepare records.
        ModelError: when only the code that built the model can load it.
    """
    header = read_header(path)
    preparation = None
    if header.preprocessing is not None:
        try:
            preparation = Preparation.from_json(header.preprocessing)
        except DumpError as error:
            raise DumpError(f"{str(path)!r} cannot be used. {error}") from error
    return Bundle(_model(Path(path), header), header, preparation, name=str(path))


@final
class Bundle:
    """A model with its preprocessing, labels and thresholds."""

    def __init__(
        self, model: BackendModel, header: DumpHeader, preparation: Preparation | None, *, name: str = "The model"
    ) -> None:
        self.model = model
        """The model itself, for training it further or predicting batches."""
        self.header = header
        """What its dump said."""
        self._preparation = preparation
        self._name = name
        self._thresholds: Mapping[str, float] = dict(header.thresholds)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The labels, in the order of the model's outputs."""
        return self.header.classes

    @property
    def thresholds(self) -> Mapping[str, float]:
        """The probability from which a label is given, by label; set it to change it, and ``save`` to keep it.

        A label that is not listed has the default. For independent labels that
        is 0.5. For exclusive classes it is the most probable one; where some
        have a threshold, the most probable of those that reach theirs, and
        where none does, the most probable of the classes without one.
        """
        return self._thresholds

    @thresholds.setter
    def thresholds(self, given: Mapping[str, float]) -> None:
        # The header checks them.
        self.header = replace(self.header, thresholds=dict(given))
        self._thresholds = self.header.thresholds

    @property
    def card(self) -> Card:
        """What the model is: output, classes, leads, rate, last figures of its history, preprocessing, notes."""
        steps = () if self._preparation is None else tuple(map(str, self._preparation.steps))
        return Card.of(self.header, self._thresholds, steps)

    def predict(
        self,
        source: Source,
        *,
        fs: float | None = None,
        leads: Sequence[str] | None = None,
        units: str | Sequence[str] = "mV",
        batch_size: int = 16,
    ) -> Predictions:
        """Return a prediction for each record; a record that cannot be predicted is listed with the reason.

        Args:
            source: A file, a folder, a list of them, an ``EcgDataset``, or signals: an array of shape (lead, time)
                or (record, lead, time), or a list of arrays of shape (lead, time).
            fs: The sampling rate of arrays in Hz.
            leads: The names of their leads; by default those that the model was trained on.
            units: The unit of all their leads, or one for each; they are converted to mV.
            batch_size: Records that are prepared and predicted together. It does not change the predictions.

        Raises:
            DumpError: for files, when the dump does not have the preprocessing.
            InputError: for arrays that are not signals, or lack what they do not say themselves.
        """
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise InputError(f"predict(batch_size={batch_size!r}): expected a whole number from 1 on.")
        given: Any = source
        if is_arrays(source):
            names = self.header.leads if leads is None else leads
            batches = array_batches(given, fs=fs, leads=names, units=units, batch_size=int(batch_size))
            return self._predict(batches, read=False)
        if fs is not None or leads is not None or units != "mV":
            raise InputError("predict(fs=…, leads=…, units=…) describe arrays; files say theirs. Leave them out.")
        if self._preparation is None:
            raise DumpError(
                f"{self._name!r} does not say how a file becomes what the model takes. Save it with its preprocessing: "
                "save_model(name, path, preprocessing=pipeline)."
            )
        return self._predict(file_batches(dataset_of(given), int(batch_size)), read=True)

    def save(self, path: str | Path) -> None:
        """Write the model with its preprocessing and thresholds to ``path``, completely or not at all."""
        self.model.thresholds = self._thresholds
        self.model.save(path)

    # -- inside --------------------------------------------------------------

    def _predict(self, batches: Iterable[EcgBatch], *, read: bool) -> Predictions:
        found: list[RecordPrediction] = []
        skipped: list[SkippedRecord] = []
        for batch in batches:
            for answer in self._answers(batch, read=read):
                if isinstance(answer, RecordPrediction):
                    found.append(answer)
                else:
                    skipped.append(answer)
        return Predictions(tuple(found), tuple(skipped))

    def _answers(self, batch: EcgBatch, *, read: bool) -> Iterator[RecordPrediction | SkippedRecord]:
        try:
            yield from self._together(batch, read=read)
        except CardioFlowError as error:
            if len(batch) > 1:
                # One of the records is at fault, or they do not go together, as those of different leads.
                for row in batch:
                    yield from self._answers(row, read=read)
            else:
                yield SkippedRecord(batch.ids[0], _file(batch, 0), error.step, str(error))

    def _together(self, batch: EcgBatch, *, read: bool) -> list[RecordPrediction | SkippedRecord]:
        preparation = self._preparation or Preparation()
        prepared, left_out = preparation.apply(batch, read=read)
        outputs: dict[str, Any] = {}
        if len(prepared):
            rows = unstack(prepared)
            aggregator = SegmentAggregator("record", "mean")
            whole = aggregator.add(rows, np.asarray(self.model.predict_on_batch(rows)))
            outputs = {p.id: p.value for p in [*whole, *aggregator.rest()]}
        answers: list[RecordPrediction | SkippedRecord] = []
        for i, record in enumerate(batch.ids):
            file = _file(batch, i)
            if record in outputs:
                answers.append(interpret(record, file, outputs[record], self.header, self._thresholds))
            else:
                step = left_out.get(record)
                reason = f"The preprocessing leaves the record out at step {step}: it is probably too short."
                answers.append(SkippedRecord(record, file, step, reason))
        return answers

    def __repr__(self) -> str:
        return f"Bundle({self.header.model}, {self._name!r})"


def _file(batch: EcgBatch, row: int) -> str | None:
    return None if batch.paths is None else str(batch.paths[row])


def _model(path: Path, header: DumpHeader) -> BackendModel:
    for name in registry.models.names():
        if registry.class_name(name) == header.model:
            zoo: BackendModel = registry.models.get(name)()
            return zoo.load(path)
    if header.adapter == "keras":
        from cardioflow.models.keras import KerasBaseModel

        return KerasBaseModel().load(path)
    raise ModelError(
        f"{str(path)!r} holds the weights of {header.model}, which only its own code can build. "
        "Predict with it in Python: Pipeline(config={name: {'path': …}}).predict_on_batch(name)."
    )
