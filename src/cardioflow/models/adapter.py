"""What the adapters share: from a batch to arrays, and from losses and predictions to figures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import DumpError, InputError, ModelError
from cardioflow.models import dump
from cardioflow.models._inputs import signals, targets
from cardioflow.models._scores import RequestedMetric, Response, check_labels, resolve, score
from cardioflow.models._signature import InputSignature
from cardioflow.models.base import BaseModel
from cardioflow.models.dump_header import DumpHeader

__all__ = ["BackendModel"]

Array = NDArray[Any]


class BackendModel(BaseModel):
    """A model on some backend: to adapt one, fill in a step of training, one of testing, one of prediction.

    ``x`` is float32 of shape (record, lead, time), one row per row of the
    unstacked batch; ``y`` is float32 of shape (record, class).
    """

    adapter: ClassVar[str]
    """The backend's name in a dump."""

    def __init__(self) -> None:
        self.model: Any = None
        """What the backend calls a model; ``build`` sets it."""
        self.hist: dict[str, list[float]] = {k: [] for k in ("train_loss", "train_metric", "val_loss", "val_metric")}
        """Loss and metric of every batch that the model was trained or tested on, in order.

        Of several metrics each has its own list, such as ``"train_f1_score"``.
        """
        self.classes: tuple[str, ...] | None = None
        """The labels that the model knows, in the order of its outputs; from the first batch it was trained on."""
        self.preprocessing: str | None = None
        """How a file becomes what the model takes, as the text of ``Pipeline.to_json()``; saved with the model."""
        self.thresholds: Mapping[str, float] = {}
        """The probability from which a label is given, where it is not the default; saved with the model."""
        self.notes: str = ""
        """Free text, saved and loaded with the model."""
        self.seed = 0
        """What chance in training, such as dropout, is drawn from, with the number of the step."""
        self._facts = InputSignature()
        self._multilabel = False

    # -- gaps ----------------------------------------------------------------

    @abstractmethod
    def _train(self, x: Array, y: Array) -> tuple[float, Array]:
        """Run one gradient update; return the loss and the predictions of the same forward pass."""

    @abstractmethod
    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        """Return the loss and the predictions, without an update."""

    @abstractmethod
    def _predict(self, x: Array) -> Array:
        """Return the predictions, one row per row of ``x``."""

    @abstractmethod
    def _write(self, folder: Path) -> str:
        """Write the weights into ``folder`` and return the file's name."""

    @abstractmethod
    def _read(self, weights: Path, header: DumpHeader) -> None:
        """Take the weights that ``_write`` wrote.

        Raises:
            DumpError: when they are not this model's.
        """

    def _takes_shape(self) -> tuple[int | None, ...] | None:
        """Return the (lead, time) that the model was built for, ``None`` where it takes any."""
        return None

    # -- the five methods ----------------------------------------------------

    def train_on_batch(
        self, batch: EcgBatch, metrics: Any = None, response: Response | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Run a single gradient update and return ``"loss"``, and ``"metric"`` where one is given.

        Args:
            batch: Signals of one shape, and binarized targets. One that is cut is unstacked first.
            metrics: Any metric of scikit-learn, or one's own of (y_true, y_pred); the name of one of ours or of
                scikit-learn's scorers; or several, which are then returned under their own names. They are
                computed from the predictions that the update itself was made from, dropout included.
            response: ``"predict"`` gives the metric labels (class indices; a matrix of 0 and 1 where a record can
                have several), ``"predict_proba"`` probabilities; by default what scikit-learn's scorer gives it.
            kwargs: The metric's own arguments, such as ``average="macro"``.

        Raises:
            InputError: for signals that a model cannot take; it names the record.
            LabelError: for targets that are missing, not binarized, or not the labels that the model knows.
            ConfigError: for an argument that no metric has.
        """
        return self._step("train", batch, resolve(metrics, response, kwargs))

    def test_on_batch(
        self, batch: EcgBatch, metrics: Any = None, response: Response | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Return ``"loss"`` and ``"metric"`` as ``train_on_batch`` does, without an update and without dropout."""
        return self._step("val", batch, resolve(metrics, response, kwargs))

    def predict_on_batch(self, batch: EcgBatch) -> Array:
        """Return the predictions, one row per row of ``unstack(batch)``.

        Raises:
            InputError: for signals that a model cannot take; it names the record.
        """
        self._require_model()
        batch = unstack(batch)
        x = signals(batch)
        self._check_shape(x)
        self._facts.check_rate(batch)
        return self._predict(x)

    def save(self, path: str | Path) -> None:
        """Write weights, architecture, labels, history and preprocessing to the one file ``path``.

        Raises:
            ModelError: when there is no model yet.
        """
        self._require_model()
        header = DumpHeader(
            adapter=self.adapter,
            model=type(self).__name__,
            output="independent" if self._multilabel else "exclusive",
            classes=self.classes,
            thresholds=self.thresholds,
            **self._facts.header(),
            hist={name: tuple(values) for name, values in self.hist.items()},
            preprocessing=self.preprocessing,
            notes=self.notes,
            seed=self.seed,
        )
        dump.write(Path(path), header, self._write)

    def load(self, path: str | Path) -> Self:
        """Read what ``save`` wrote; no code of the file is run.

        Raises:
            DumpError: when ``path`` is missing, is no dump, or another model's.
        """
        header = dump.read_header(path)
        if header.adapter != self.adapter:
            raise DumpError(
                f"{str(path)!r} is the dump of a {header.adapter} model, and {type(self).__name__} "
                f"is a {self.adapter} model. Load it with the class that it was saved from, {header.model}."
            )
        if self.classes is not None and header.classes is not None and header.classes != self.classes:
            raise DumpError(
                f"{str(path)!r} has the labels {list(header.classes)}, and this model {list(self.classes)}. "
                "Load it into a new model, or pass the path of the right dump."
            )
        with dump.weights(path, header) as weights:
            self._read(weights, header)
        self.classes = header.classes
        self.hist = {**self.hist, **{name: list(values) for name, values in header.hist.items()}}
        self.preprocessing = header.preprocessing
        self.thresholds = header.thresholds
        self.notes = header.notes
        self.seed = header.seed
        self._multilabel = header.output == "independent"
        self._facts = InputSignature.of(header)
        return self

    # -- inside --------------------------------------------------------------

    def _step(
        self, stage: Literal["train", "val"], batch: EcgBatch, wanted: Sequence[RequestedMetric]
    ) -> dict[str, float]:
        self._require_model()
        batch = unstack(batch)
        x, y = signals(batch), targets(batch)
        self._check_shape(x)
        check_labels(self.classes, batch.classes, y.shape[1])
        if stage == "val":
            self._facts.check_rate(batch)
        # Once a record had several labels, or none, it is no longer a choice of one.
        self._multilabel |= y.shape[1] > 1 and bool((y.sum(axis=1) != 1).any())
        loss, y_pred = (self._train if stage == "train" else self._test)(x, y)
        if stage == "train":
            self.classes = self.classes or batch.classes
            self._facts.add(batch, x)
        scores = score(wanted, y, y_pred, multilabel=self._multilabel)
        self.hist[f"{stage}_loss"].append(loss)
        for name, value in scores.items():
            self.hist.setdefault(f"{stage}_{name}", []).append(value)
        return {"loss": loss, **scores}

    def _require_model(self) -> None:
        if self.model is None:
            raise ModelError(
                f"{type(self).__name__} has no model yet. Call build(…), which must set self.model, or load(path)."
            )

    def _check_shape(self, x: Array) -> None:
        expected = self._takes_shape()
        if expected is None:
            return
        if any(want is not None and want != got for want, got in zip(expected, x.shape[1:], strict=False)):
            shown = ["any" if v is None else v for v in expected]
            raise InputError(
                f"The model takes signals of {shown[0]} leads × {shown[-1]} samples, and the batch has "
                f"{x.shape[1]} × {x.shape[2]}. Cut and resample as in training, or build the model anew."
            )
