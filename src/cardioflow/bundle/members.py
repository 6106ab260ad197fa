"""The models of a bundle, each with its preparation and its weight, and their mean."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.bundle.member_description import MemberDescription
from cardioflow.bundle.onnx_graph import OnnxGraph
from cardioflow.bundle.preparation import Preparation
from cardioflow.errors import DumpError, ModelError
from cardioflow.models.adapters import from_dump
from cardioflow.models.persistence import PersistentModel
from cardioflow.pipeline.predictions import SegmentAggregator

__all__ = ["Member", "Mixture", "Predictor", "SavedModel", "saved_model"]

Doubles = NDArray[np.float64]


class Predictor(Protocol):
    """What predicts rows."""

    def predict(self, rows: EcgBatch) -> Doubles:
        """Return an array of numbers for each row of an unstacked batch."""


@final
@dataclass(frozen=True)
class SavedModel:
    """A model of any backend, as ``save`` wrote it."""

    model: PersistentModel

    def predict(self, rows: EcgBatch) -> Doubles:
        return np.asarray(self.model.predict_on_batch(rows), np.float64)


@final
@dataclass(frozen=True)
class Member:
    """A model, the steps before it, and its share in the mean."""

    predictor: Predictor
    preparation: Preparation
    """Its steps after reading."""
    weight: float = 1.0
    aggregate: str = "mean"

    @classmethod
    def of(cls, described: MemberDescription, files: Mapping[str, bytes]) -> Self:
        """Return the member that ``described`` is, with its model loaded from ``files``.

        Raises:
            DumpError: when its preparation or its file is not valid.
            MissingDependencyError: when it has no ONNX graph and its backend is not installed.
        """
        preparation = Preparation.from_json(described.preparation)
        if preparation.n_reading:
            raise DumpError(
                f"The preparation of member {described.name!r} reads files: a bundle reads them itself. "
                "Leave load out, as MemberDescription.of does."
            )
        if described.onnx is None:
            predictor: Predictor = saved_model(files[described.dump or ""])
        else:
            predictor = OnnxGraph(
                files[described.onnx],
                described.onnx,
                component=described.component,
                activation=described.activation,
            )
        return cls(predictor, preparation, described.weight, described.aggregate)


@final
@dataclass(frozen=True)
class Mixture:
    """The weighted mean over the members' predictions for a record."""

    members: tuple[Member, ...]

    @classmethod
    def of(cls, described: Sequence[MemberDescription], files: Mapping[str, bytes]) -> Self:
        """Return the members that are described; one of weight 0 is not loaded."""
        return cls(tuple(Member.of(own, files) for own in described if own.weight > 0))

    def outputs(self, batch: EcgBatch) -> tuple[dict[str, Doubles], Mapping[str, str]]:
        """Return the prediction for each record, and for each that has none, the step that left it out.

        Raises:
            CardioFlowError: when a step or a model cannot take a record.
        """
        prepared: dict[Preparation, tuple[EcgBatch, Mapping[str, str]]] = {}
        total: dict[str, Doubles] = {}
        left_out: dict[str, str] = {}
        weights = sum(member.weight for member in self.members)
        for member in self.members:
            # Members of one preparation share its result: preparing takes longer than predicting.
            if member.preparation not in prepared:
                prepared[member.preparation] = member.preparation.apply(batch)
            ready, lost = prepared[member.preparation]
            left_out.update(lost)
            for record, values in _per_record(member, ready).items():
                share = values * (member.weight / weights)
                total[record] = share if record not in total else total[record] + share
        # One that a member leaves out has no mean over all of them.
        return {record: values for record, values in total.items() if record not in left_out}, left_out


def saved_model(content: bytes) -> SavedModel:
    """Return the model of a dump.

    Raises:
        DumpError: when it is not one.
        ModelError: when only the code that built it can load it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(content)
        model: Any = from_dump(path)
    if not isinstance(model, PersistentModel):
        raise ModelError(f"The model was loaded as a {type(model).__name__}, which does not save what a bundle needs.")
    return SavedModel(model)


def _per_record(member: Member, prepared: EcgBatch) -> dict[str, Doubles]:
    if not len(prepared):
        return {}
    rows = unstack(prepared)
    values = member.predictor.predict(rows)
    aggregator = SegmentAggregator()
    complete = [*aggregator.add(rows, values, member.aggregate), *aggregator.rest(member.aggregate)]
    return {p.id: p.value for p in complete}
