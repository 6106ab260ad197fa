"""A saved model and all that a prediction needs: ``cardioflow.load(path).predict(files)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.bundle.card import Card
from cardioflow.bundle.predictions import Predictions, RecordPrediction, SkippedRecord, interpret
from cardioflow.bundle.preparation import Preparation
from cardioflow.bundle.sources import Source, batches, dataset_of_arrays, dataset_of_files, is_arrays
from cardioflow.errors import CardioFlowError, DumpError, InputError, ModelError
from cardioflow.models.adapters import from_dump
from cardioflow.models.dump import read_header
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.persistence import PersistentModel
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.data.locations import ArrayLocation
from cardioflow.pipeline.predictions import SegmentAggregator

__all__ = ["Bundle", "load"]

_READ = Preparation((Call("load", (), {"components": ["signal", "meta"]}),))
"""What arrays need when the dump has no preprocessing."""


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
    try:
        preparation = None if header.preprocessing is None else Preparation.from_json(header.preprocessing)
        model = from_dump(path)
    except DumpError as error:
        if repr(str(path)) in str(error):
            raise
        raise DumpError(f"{str(path)!r} cannot be loaded. {error}") from error
    if not isinstance(model, PersistentModel):
        raise ModelError(
            f"{str(path)!r} was loaded as a {type(model).__name__}, which does not save what a bundle has."
        )
    return Bundle(model, header, preparation, name=str(path))


@final
class Bundle:
    """A model with its preprocessing, labels and thresholds."""

    def __init__(
        self, model: PersistentModel, header: DumpHeader, preparation: Preparation | None, *, name: str = "The model"
    ) -> None:
        self.model = model
        """The model itself, for training it further or predicting batches."""
        self.header = header
        """The header of its dump, with the thresholds of the bundle."""
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
        units: str | Sequence[str] | None = None,
        batch_size: int = 16,
    ) -> Predictions:
        """Return a prediction for each record; a record that cannot be predicted is listed with the reason.

        Args:
            source: A file, a folder, a list of them, an ``EcgDataset``, or signals: an array of shape (lead, time)
                or (record, lead, time), or a list of arrays of shape (lead, time).
            fs: The sampling rate of arrays in Hz.
            leads: The names of their leads, in any order; by default those that the model takes, in its order.
            units: The unit of all their leads, or one for each; voltages are converted to mV. By default millivolts,
                which is refused for integers.
            batch_size: Records that are prepared and predicted together. It does not change the predictions.

        Raises:
            DumpError: for files, when the dump does not have the preprocessing.
            InputError: for arrays that are not signals, or lack what they do not say themselves.
        """
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise InputError(f"predict(batch_size={batch_size!r}): expected a whole number from 1 on.")
        given: Any = source
        if is_arrays(source):
            names = self._default_leads(given) if leads is None else leads
            dataset = dataset_of_arrays(given, fs=fs, leads=names, units=units)
            return self._predict(dataset, int(batch_size), self._preparation or _READ)
        if fs is not None or leads is not None or units is not None:
            raise InputError("predict(fs=…, leads=…, units=…) describe arrays, and files have their own. Remove them.")
        if self._preparation is None:
            raise DumpError(
                f"{self._name!r} does not say how a file becomes what the model takes. Save it with its preprocessing: "
                "save_model(name, path, preprocessing=pipeline)."
            )
        dataset = given if isinstance(source, EcgDataset) else dataset_of_files(given)
        return self._predict(dataset, int(batch_size), self._preparation)

    def save(self, path: str | Path) -> None:
        """Write the model with its preprocessing and thresholds to ``path``, completely or not at all."""
        self.model.thresholds = self._thresholds
        self.model.save(path)

    # -- inside --------------------------------------------------------------

    def _default_leads(self, arrays: Any) -> tuple[str, ...] | None:
        """Return the leads that the model takes.

        Raises:
            InputError: when the arrays have more or fewer.
        """
        known = self.model.leads
        first = arrays if isinstance(arrays, np.ndarray) and arrays.ndim == 2 else arrays[0]
        if known is None or known == "any" or first.ndim != 2:
            return None
        if len(first) != len(known):
            raise InputError(
                f"predict(leads=None): the model takes the leads {', '.join(known)}, and the arrays have {len(first)}. "
                "Pass leads=…, the names of the arrays' leads; those that the model takes are chosen by name."
            )
        return known

    def _predict(self, dataset: EcgDataset, batch_size: int, preparation: Preparation) -> Predictions:
        found: list[RecordPrediction] = []
        skipped: list[SkippedRecord] = []
        for batch in batches(dataset, batch_size):
            for answer in self._answers(batch, preparation):
                if isinstance(answer, RecordPrediction):
                    found.append(answer)
                else:
                    skipped.append(answer)
        return Predictions(tuple(found), tuple(skipped))

    def _answers(self, batch: EcgBatch, preparation: Preparation) -> Iterator[RecordPrediction | SkippedRecord]:
        try:
            yield from self._together(batch, preparation)
        except CardioFlowError as error:
            if len(batch) > 1:
                # One of the records is at fault, or they do not go together, as those of different leads.
                for row in batch:
                    yield from self._answers(row, preparation)
            else:
                yield SkippedRecord(batch.ids[0], _file(batch, 0), error.step, str(error))

    def _together(self, batch: EcgBatch, preparation: Preparation) -> list[RecordPrediction | SkippedRecord]:
        prepared, left_out = preparation.apply(batch)
        outputs = self._outputs(prepared) if len(prepared) else {}
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

    def _outputs(self, prepared: EcgBatch) -> dict[str, NDArray[Any]]:
        """Return the model's output for each record, the mean over its segments."""
        rows = unstack(prepared)
        values = np.asarray(self.model.predict_on_batch(rows))
        aggregator = SegmentAggregator()
        return {p.id: p.value for p in [*aggregator.add(rows, values, "mean"), *aggregator.rest("mean")]}

    def __repr__(self) -> str:
        return f"Bundle({self.header.model}, {self._name!r})"


def _file(batch: EcgBatch, row: int) -> str | None:
    place = None if batch.locations is None else batch.locations[row]
    return None if place is None or isinstance(place, ArrayLocation) else str(place.readable())
