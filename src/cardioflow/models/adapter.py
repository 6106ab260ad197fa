"""What all adapters share: from a batch to arrays, and from losses and predictions to figures."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import CardioFlowError, ConfigError, InputError, LabelError, ModelError
from cardioflow.models._first_batch import FirstBatch
from cardioflow.models._infer_targets import infer_targets
from cardioflow.models._lead_check import checked_batch, learned
from cardioflow.models._leads import Leads, leads_of
from cardioflow.models._loss_targets import check_loss
from cardioflow.models._memory import explained_memory
from cardioflow.models._scores import RequestedMetric, keys, resolve, score
from cardioflow.models._seed import seeded
from cardioflow.models._states import refuse_unknown_states
from cardioflow.models._units import units_of
from cardioflow.models.history import Stage
from cardioflow.models.inputs import InputEncoding, InputShape, Signals
from cardioflow.models.learning import BatchUpdates, FitAtEnd, Learned, Learning
from cardioflow.models.persistence import PersistentModel
from cardioflow.models.replicas import Replicas
from cardioflow.models.targets import Response
from cardioflow.models.training import TrainingOptions

__all__ = ["BackendModel"]

Array = NDArray[Any]


class _Sample(NamedTuple):
    """A batch that passed all checks, as a model takes it."""

    batch: EcgBatch
    x: Array
    y: Array


_NOT_DECLARED = "Its adapter does not say what it does with it."


class BackendModel(PersistentModel):
    """A model on some backend; a subclass says how it trains, tests and predicts on arrays, and how it is saved.

    ``x`` is what ``self.inputs`` makes of the unstacked batch, by default its
    signals as float32 of shape (record, lead, time); ``y`` is what
    ``self.targets`` makes of it, for labels float32 of shape (record, class).
    """

    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys((f.name for f in fields(TrainingOptions)), _NOT_DECLARED)
    """The training options that the adapter refuses, with the reason; an adapter that takes weights has a parameter
    ``weight`` in ``_train``, the weight of each row or ``None``."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: InputEncoding = Signals()
        """What the model takes from a batch."""
        self.learning: Learning = BatchUpdates()
        """When the model learns: from each batch, or at the end from what was collected."""
        self.training = TrainingOptions()
        """Device, precision, accumulation, clipping, weights; one way to say them for every backend."""
        self.fs: float | None = None
        """The rate in Hz that signals to predict must have; by default that of training, where it had only one."""
        self.replicas: Replicas | None = None
        """The processes that train the model together, where several do."""
        self._noted: set[Leads] = set()
        self._n_states: int | None = None
        """How many states a model of a label per sample tells apart, once it was asked."""

    # -- what an adapter implements ------------------------------------------

    @abstractmethod
    def _train(self, x: Array, y: Array) -> tuple[float, Array]:
        """Train on ``x`` and ``y``; return the loss and the predictions that it is of."""

    @abstractmethod
    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        """Return the loss and the predictions, without an update."""

    @abstractmethod
    def _predict(self, x: Array) -> Array:
        """Return the predictions, one row per row of ``x``."""

    @property
    def together(self) -> Literal["torch", "jax", ""]:
        """What several processes need to train the model together; empty where they cannot."""
        return ""

    def begin_together(self, first: EcgBatch) -> None:
        """Take from the first batch what processes must agree on, before each of them sees its share alone.

        Raises:
            ModelError: when the loss of a batch is not known to be the mean over its rows.
        """
        self._seen = self.targets or infer_targets(first, self._seen)

    def _train_without_rows(self) -> float | None:
        """Take part in an update of which all rows are in other processes; return the loss, ``None`` without rows."""
        raise ModelError(f"{type(self).__name__} is trained by one process.")

    def _takes_shape(self) -> InputShape | None:
        """Return the shape of a row of ``x``, (lead, time) for signals, that the model was built for.

        ``None`` stands for a size that may be any, or for a model that does not know.
        """
        return None

    # -- the five methods ----------------------------------------------------

    def train_on_batch(
        self, batch: EcgBatch, metrics: Any = None, response: Response | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Train on a batch and return ``"loss"``, and ``"metric"`` if one is given.

        All that can be wrong with a record is checked before any weight
        changes. A model that learns at the end (``FitAtEnd``) returns an empty
        dictionary here, and the figures from ``end_epoch`` or ``end_run``.

        Args:
            batch: Signals of one shape, and targets. A batch that is cut is unstacked first.
            metrics: A metric of scikit-learn, a function of (y_true, y_pred), the name of one of our metrics or of a
                scorer of scikit-learn; or several of these, which are then returned under their own names. They are
                computed from the predictions that the update itself was made from, dropout included.
            response: ``"predict"`` gives the metric labels (class indices; a matrix of 0 and 1 where a record can
                have several), ``"predict_proba"`` probabilities; by default what scikit-learn's scorer gives it.
            kwargs: The metric's own arguments, such as ``average="macro"``.

        Raises:
            InputError: for signals that a model cannot take; it names the record.
            LabelError: for targets that are missing, not binarized, or not the labels that the model knows.
            BadRecordsError: when several records cannot be taken.
            ConfigError: for an argument that none of the metrics has.
            ModelError: when a metric fails, after the update.
        """
        wanted = resolve(metrics, response, kwargs)
        if self.replicas is not None and not len(batch):
            return self._report("train", self._learned_elsewhere(self.replicas, wanted))
        sample = self._take(batch, training=True)
        with self._explained(sample.batch, sample.x, training=True):
            update = self.learning.on_batch(self._trainer(sample), sample.x, sample.y, wanted)
        if self.replicas is not None and update is not None and wanted:
            # Metrics are those of the whole batch.
            whole = self.replicas.gather(update.y_true), self.replicas.gather(update.y_pred)
            update = Learned(update.loss, *whole, wanted)
        self.classes = self.classes or sample.batch.classes
        self._take_note(sample)
        if update is not None and not np.isfinite(update.loss):
            # Before the metrics, which fail on predictions that are NaN and would hide the reason.
            self.hist.add("train", {"loss": update.loss, **dict.fromkeys(keys(wanted), float("nan"))})
            raise self._diverged(sample.batch, update.loss)
        return self._report("train", update)

    def test_on_batch(
        self, batch: EcgBatch, metrics: Any = None, response: Response | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Return ``"loss"`` and ``"metric"`` as ``train_on_batch`` does, without an update and without dropout."""
        wanted = resolve(metrics, response, kwargs)
        sample = self._take(batch)
        self._signature.check_rate(sample.batch)
        with self._explained(sample.batch, sample.x):
            loss, y_pred = self._test(sample.x, sample.y)
        return self._report("val", Learned(loss, sample.y, y_pred, wanted))

    def predict_on_batch(self, batch: EcgBatch) -> Array:
        """Return the predictions, one row per row of ``unstack(batch)``.

        Raises:
            InputError: for signals that a model cannot take; it names the record.
            BadRecordsError: when several records cannot be taken.
        """
        return self._on_inputs(batch, self._predict)

    def end_epoch(self, epoch: int) -> dict[str, float]:  # noqa: ARG002 -- which one does not matter here
        return self._report("train", self.learning.on_epoch_end(self._train))

    def end_run(self) -> dict[str, float]:
        return self._report("train", self.learning.on_run_end(self._train))

    # -- how it is built, and what it means ----------------------------------

    @classmethod
    def build_from(cls, batch: EcgBatch, settings: Mapping[str, Any]) -> Self:
        """Return ``cls(**settings).build(shape, n_outputs)``, with (lead, time) and the number of labels of ``batch``.

        A class with a parameter ``multilabel`` gets it as true where a record of ``batch`` has several labels.

        Raises:
            LabelError: when the batch does not show how many labels there are.
        """
        first = FirstBatch.of(batch, cls.__name__)
        given = dict(settings)
        if first.several_labels and "multilabel" in inspect.signature(cls).parameters:
            given.setdefault("multilabel", True)
        made: Any = cls(**given)
        built: Self = made.build(first.shape, first.n_outputs)
        return built

    # -- inside --------------------------------------------------------------

    def _training(self) -> dict[str, Array]:
        return super()._training() | {f"learning/{name}": own for name, own in self.learning.state().items()}

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        own = {name: array for name, array in arrays.items() if name.startswith("learning/")}
        self.learning.restore({name.partition("/")[2]: array for name, array in own.items()})

    def _learned_elsewhere(self, replicas: Replicas, wanted: Sequence[RequestedMetric]) -> Learned | None:
        """Return what was learned from a batch of which no row is here."""
        loss = self._train_without_rows()
        if loss is None:
            return None
        y_true, y_pred = (replicas.gather(None) if wanted else np.empty(0) for _ in range(2))
        return Learned(loss, y_true, y_pred, wanted)

    def _given_loss(self) -> Any:
        """Return the loss that the model sets, or the usual one of its targets; ``None`` where neither says it."""
        own = getattr(self, "loss", None)
        return own if own is not None or self.targets is None else self.targets.usual_loss

    def _on_inputs(self, batch: EcgBatch, compute: Callable[[Array], Array]) -> Array:
        """Return what ``compute`` makes of ``batch`` as an array, after the checks of a prediction."""
        self._require_model()
        batch = self._checked(batch)
        x = self._encoded(batch)
        self._signature.check_rate(batch)
        with self._explained(batch, x):
            return compute(x)

    @contextmanager
    def _explained(self, batch: EcgBatch, x: Array, *, training: bool = False) -> Iterator[None]:
        """Say what to do when the backend fails inside, for want of memory or on signals of another shape.

        Raises:
            ModelError: for want of memory.
            InputError: for a shape that the model was not trained on.
        """
        trained = self._signature.input_shape
        try:
            with explained_memory(len(x), training=training):
                yield
        except CardioFlowError:
            raise
        except Exception as error:
            if trained is None or x.shape[1:] == trained:
                raise
            raise InputError(
                f"The model was trained on signals of shape {trained}, (lead, time), and record {batch.ids[0]!r} has "
                f"{x.shape[1:]}, which {type(self).__name__} cannot compute ({type(error).__name__}). Cut signals to "
                "the length of training, with split_signals or random_split_signals."
            ) from error

    def _take(self, batch: EcgBatch, *, training: bool = False) -> _Sample:
        """Return ``batch`` as arrays, after all checks."""
        self._require_model()
        batch = self._checked(batch, training=training)
        x = self._encoded(batch)
        encoding = self.targets or infer_targets(batch, self._seen)
        if self.replicas is not None and self._seen is not None and encoding.output != self._seen.output:
            raise LabelError(
                f"The targets of the first batch are {self._seen.output}, and those of a later one {encoding.output}, "
                f"which processes that train together do not learn of at once. Set self.targets of "
                f"{type(self).__name__}, for instance to SeveralLabels()."
            )
        known = None if self.targets is not None or self._seen is None else self._seen.output
        if encoding.output == "value" and known in ("exclusive", "independent"):
            raise LabelError(
                f"The model has learned labels, and the target of record {batch.ids[0]!r} is a number. Load the labels "
                "that it was trained on, and call binarize_labels()."
            )
        y = encoding.encode(batch, x)
        encoding.check_classes(self.classes, batch.classes, y)
        check_loss(self._given_loss(), encoding.output, y, batch)
        if encoding.output == "states" and isinstance(self.learning, BatchUpdates):
            if self._n_states is None:
                self._n_states = self._count_states(x)
            refuse_unknown_states(batch, y, self._n_states)
        self._seen = encoding
        return _Sample(batch, x, y)

    def _count_states(self, x: Array) -> int:
        """Return how many states the predictions of ``x`` tell apart."""
        with seeded(self.seed), explained_memory(len(x)):
            return int(self._predict(x).shape[-1])

    def _trainer(self, sample: _Sample) -> Any:
        """Return ``_train`` with the weights of the sample's rows, after a check of the training options."""
        for name in self.training.changed():
            if name in self.cannot:
                raise ConfigError(f"{type(self).__name__} does not take {name}. {self.cannot[name]}")
        weight = self.training.row_weights(sample.batch, sample.y)
        if weight is not None and isinstance(self.learning, FitAtEnd):
            raise ConfigError(
                f"{type(self).__name__} learns at the end from all batches, and class_weights and sample_weights count "
                "in the updates of single batches. Leave them out, or set self.learning = BatchUpdates()."
            )
        train: Any = self._train
        return train if weight is None else partial(train, weight=weight)

    def _diverged(self, batch: EcgBatch, loss: float) -> ModelError:
        """Return the error of a loss that is not a number any more."""
        ids = list(dict.fromkeys(batch.provenance.record_id))
        shown = ", ".join(map(repr, ids[:5])) + (f" and {len(ids) - 5} others" if len(ids) > 5 else "")
        return ModelError(
            f"The loss of update {len(self.hist['train_loss'])} of {type(self).__name__} is {loss}, on the records "
            f"{shown}. Lower the learning rate, clip gradients, or look at these records."
        )

    def _checked(self, batch: EcgBatch, *, training: bool = False) -> EcgBatch:
        """Return ``batch`` unstacked, with the leads that the model takes, in their order."""
        batch = unstack(batch)
        if not self.inputs.by_lead:
            return batch
        return checked_batch(batch, self.leads, self.units, self._noted, training=training)

    def _take_note(self, sample: _Sample) -> None:
        """Keep what the model takes from now on, if ``sample`` is the first that it was trained on."""
        if self._signature.input_shape is None and self.inputs.by_lead:
            self.leads = self.leads or learned(leads_of(sample.batch))
            self.units = self.units or learned(units_of(sample.batch))
        self._signature.add(sample.batch, sample.x)
        self._signature.fs = self.fs or self._signature.fs

    def _encoded(self, batch: EcgBatch) -> Array:
        return self.inputs.encode(batch, self._takes_shape(), self._signature.input_shape)

    def _report(self, stage: Stage, learned: Learned | None) -> dict[str, float]:
        """Return the loss and the metrics, and append them to the history."""
        if learned is None:
            return {}
        wanted = learned.metrics
        encoding = self.targets or self._seen
        scores = dict.fromkeys(keys(wanted), float("nan"))
        try:
            if encoding is not None:
                scores = score(wanted, learned.y_true, learned.y_pred, encoding)
        except CardioFlowError as error:
            if stage == "train":
                error.add_note("The model was trained on this batch before the metric failed.")
            raise
        finally:
            # Also when a metric fails: the update was made, and the lists stay of one length.
            self.hist.add(stage, {"loss": learned.loss, **scores})
        return {"loss": learned.loss, **scores}
