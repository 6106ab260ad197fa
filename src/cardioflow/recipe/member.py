"""Train one member with one fold left out, and predict that fold."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, final

import numpy as np
from numpy.typing import NDArray

from cardioflow import callbacks, registry
from cardioflow.batch.unstack import unstack
from cardioflow.bundle.member_description import MemberDescription
from cardioflow.bundle.members import Predictor, SavedModel
from cardioflow.bundle.onnx_graph import OnnxGraph
from cardioflow.core.atomic import whole_file
from cardioflow.errors import ConfigError
from cardioflow.models.base import BaseModel
from cardioflow.models.dump import read_header
from cardioflow.pipeline.pipeline import Pipeline
from cardioflow.pipeline.predictions import SegmentAggregator
from cardioflow.recipe.description import MemberRecipe
from cardioflow.recipe.folds import FoldedRecords
from cardioflow.recipe.graphs import graph_of
from cardioflow.recipe.scoring import mean_f1
from cardioflow.recipe.steps import pipeline_of

__all__ = ["MemberTraining", "Predicted"]

_SAVE_EVERY: Final = "3min"
Predicted = dict[str, NDArray[np.float64]]
"""The probabilities of each record."""


@final
@dataclass(frozen=True)
class MemberTraining:
    """A member of a recipe on the records of a folder."""

    member: MemberRecipe
    records: FoldedRecords
    fmt: str | None
    metric_labels: tuple[str, ...]
    cache: Path
    """Where prepared records are kept."""
    folder: Path
    """Where models, logs and checkpoints go."""

    def preparation(self) -> Pipeline:
        """Return the steps from a file to what the model takes when it predicts."""
        member = self.member
        return self._load() + pipeline_of(member.prepare) + pipeline_of(member.cut)

    def train(self, folds: Collection[int], held_out: int | None) -> Path:
        """Train on ``folds``, scoring ``held_out`` on the way, and return the file of the trained model.

        Interrupted, the same call goes on; an existing model is not trained again.
        """
        path = self.folder / f"{self._stem(held_out)}.model"
        if not path.exists():
            run = (self.records.dataset(folds) >> self._training()).run(
                self.member.batch_size,
                n_epochs=self.member.epochs,
                shuffle=True,
                drop_last=self._drops_last(len(self.records.names(folds))),
                seed=self.member.seed,
                checkpoint=self.folder / f"{self._stem(held_out)}.checkpoint",
                every=_SAVE_EVERY,
                callbacks=self._callbacks(len(self.records.names(folds)), held_out),
            )
            run.save_model(self.member.model, path, preprocessing=self.preparation())
        return path

    def file(self, model: Path) -> Path:
        """Return the file of a trained model that the bundle has: its ONNX graph, written once, or its dump."""
        if self.member.stored == "dump":
            return model
        path = model.with_suffix(".onnx")
        if not path.exists():
            content, activation = graph_of(self.load(model), self.member.stored)
            if activation != self.member.activation:
                raise ConfigError(
                    f"The graph of member {self.member.name!r} gives "
                    f"{'logits' if activation == 'softmax' else 'probabilities'}. Set its activation to {activation!r}."
                )
            with whole_file(path) as temporary:
                temporary.write_bytes(content)
        return path

    def described(self, file: Path, weight: float = 1.0) -> MemberDescription:
        """Return the member with the trained model in ``file`` as a bundle describes it."""
        own = self.member
        kind = "dump" if own.stored == "dump" else "onnx"
        more: dict[str, Any] = {kind: file.name, "component": own.component, "activation": own.activation}
        return MemberDescription.of(file.stem, self.preparation(), weight=weight, **more)

    def predict(self, model: Path, fold: int) -> Predicted:
        """Return the probabilities of ``fold``, asked for once and then kept; what predicts is what the bundle has."""
        path = self.folder / f"{model.stem}-predicts-{fold}.json"
        if not path.exists():
            found = self._predicted(model, fold)
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps({name: p.tolist() for name, p in found.items()}))
        return {name: np.asarray(p, np.float64) for name, p in json.loads(path.read_text()).items()}

    def load(self, path: Path) -> BaseModel:
        """Return the model in the file ``path``."""
        zoo: Any = registry.models.get(self.member.model)
        if zoo.holds_architecture:
            made: BaseModel = zoo.from_dump(path)
            return made
        header = read_header(path)
        built: BaseModel = zoo(**self.member.config).build(header.input_shape, len(header.classes or ()))
        return built.load(path)

    # -- inside ----------------------------------------------------------------

    def _stem(self, held_out: int | None) -> str:
        return f"{self.member.name}-all" if held_out is None else f"{self.member.name}-without-{held_out}"

    def _load(self, *, config: dict[str, Any] | None = None) -> Pipeline:
        return Pipeline(config=config).load(fmt=self.fmt, components=["signal", "meta"])

    def _prepared(self, *, config: dict[str, Any] | None = None) -> Pipeline:
        pipeline = self._load(config=config) + pipeline_of(self.member.prepare)
        return pipeline.cache(self.cache / self.member.name)

    def _training(self) -> Pipeline:
        member = self.member
        settings = {**member.config}
        labelled = self._prepared(config={member.model: settings} if settings else None).load(components="target")
        augment = pipeline_of(member.augment)
        if all(step.name != "binarize_labels" for step in augment.steps):
            # First, because some of the augmentation mixes labels; a recipe that needs them as texts says where.
            labelled = labelled.binarize_labels()
        return (labelled + augment).train_on_batch(member.model)

    def _drops_last(self, n_records: int) -> bool:
        """Return whether a last batch of few records is left out: it would count as much as a whole one."""
        return n_records > 2 * self.member.batch_size

    def _batches(self, n_records: int) -> int:
        """Return how many batches an epoch of ``n_records`` has."""
        whole, rest = divmod(n_records, self.member.batch_size)
        return whole + (rest > 0 and not self._drops_last(n_records))

    def _callbacks(self, n_records: int, held_out: int | None) -> list[Any]:
        member = self.member
        found: list[Any] = []
        for name, rate in member.learning_rate.items():
            found.append(getattr(callbacks.LearningRate, name)(rate))
        if member.weight_average is not None:
            found.append(callbacks.WeightAverage(member.weight_average))
        if member.evaluate_every and held_out is not None:
            source = self._prepared().load(components="target") + pipeline_of(member.cut)
            held = self.records.dataset([held_out]) >> source.binarize_labels()
            every = member.evaluate_every * self._batches(n_records)
            score = mean_f1(self.records.classes, self.metric_labels)
            found.append(callbacks.Evaluate(held, metrics=[score], every=every))
        return [*found, callbacks.CsvLog(self.folder / f"{self._stem(held_out)}.csv")]

    def _predicted(self, model: Path, fold: int) -> Predicted:
        predictor = self._predictor(model)
        source = self._prepared() + pipeline_of(self.member.cut)
        aggregator = SegmentAggregator()
        found = []
        for batch in (self.records.dataset([fold]) >> source).batches(64):
            rows = unstack(batch)
            found += aggregator.add(rows, predictor.predict(rows), "mean")
        return {p.id: np.asarray(p.value, np.float64) for p in (*found, *aggregator.rest("mean"))}

    def _predictor(self, model: Path) -> Predictor:
        own, file = self.member, self.file(model)
        if own.stored == "dump":
            return SavedModel(cast("Any", self.load(file)))
        activation = cast("Any", own.activation)
        return OnnxGraph(file.read_bytes(), file.name, component=own.component, activation=activation)
