"""The adapter of scikit-learn: any estimator, fitted on what was collected, or batch by batch with ``partial_fit``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from cardioflow.errors import ConfigError, DumpError, ModelError
from cardioflow.models._seed import seeded
from cardioflow.models._sklearn.estimator_state import read_state, same_state, write_state
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.inputs import InputEncoding, InputShape
from cardioflow.models.learning import BatchUpdates, FitAtEnd

__all__ = ["SklearnBaseModel"]

Array = NDArray[Any]


class SklearnBaseModel(BackendModel):
    """A scikit-learn classifier or regressor in a pipeline.

    ``build(estimator)`` takes an estimator, which may be a scikit-learn
    pipeline. It gets the signals as (record, lead · time), or with
    ``inputs=Features("name")`` a component of the batch. A dump holds what the
    estimator has learned, as arrays: ``load`` fills an estimator that was built.
    """

    adapter = "sklearn"
    _last_batch: tuple[Array, Array] | None = None
    """The last batch of ``partial_fit``, to try whether it can go on from what is saved."""
    _goes_on = False
    """Whether that was tried."""
    cannot: ClassVar[Mapping[str, str]] = {
        "device": "scikit-learn computes on the CPU.",
        "precision": "The estimator chooses it.",
        "accumulate": 'Pass fit_at="epoch" to build, to fit on all batches together.',
        "clip_norm": "Estimators do not give their gradients.",
        "class_weights": "Pass class_weight to the estimator.",
        "sample_weights": "Not every estimator takes them, and those that do not would ignore them.",
        "compile": "Estimators are compiled already.",
        "freeze": "Estimators have no parts that are learned one by one.",
        "layer_decay": "Estimators have no layers with learning rates of their own.",
    }

    def build(
        self, estimator: Any, *, inputs: InputEncoding | None = None, fit_at: Literal["batch", "epoch", "run"] = "epoch"
    ) -> Self:
        """Use ``estimator``.

        Args:
            estimator: A classifier or a regressor; it is cloned, so that the one given stays unfitted.
            inputs: What it takes from a batch; by default the signals.
            fit_at: ``"epoch"``: fitted anew at the end of every epoch, on the epoch's records; ``"run"``: fitted once
                at the end of the run, on the records of all epochs; ``"batch"``: ``partial_fit`` on every batch.

        Raises:
            ConfigError: when it is neither a classifier nor a regressor, or has no ``partial_fit`` where it needs one.
        """
        if not (is_classifier(estimator) or is_regressor(estimator)):
            raise ConfigError(
                f"{type(estimator).__name__} is neither a classifier nor a regressor of scikit-learn. "
                "Pass an estimator such as LogisticRegression()."
            )
        if fit_at == "batch" and not hasattr(estimator, "partial_fit"):
            raise ConfigError(
                f'{type(estimator).__name__} has no partial_fit. Pass fit_at="epoch", or an estimator that learns '
                "batch by batch, such as SGDClassifier."
            )
        self.model = clone(estimator)
        self.inputs = inputs or self.inputs
        self.learning = BatchUpdates() if fit_at == "batch" else FitAtEnd(fit_at)
        return self

    # -- what an adapter implements -------------------------------------------

    def _train(self, x: Array, y: Array) -> tuple[float, Array]:
        by_batch = isinstance(self.learning, BatchUpdates)
        targets = self._as_sklearn_has_it(y)
        # The predictions that the update is made from; a model that was never fitted has none.
        before = self._test(x, y) if by_batch and self._is_fitted() else None
        fit = self.model.partial_fit if by_batch else self.model.fit
        self._last_batch = (x, targets) if by_batch else None
        classes = {"classes": np.arange(max(2, y.shape[1]))} if by_batch and is_classifier(self.model) else {}
        try:
            with seeded(self.seed + len(self.hist["train_loss"])):
                fit(_flat(x), targets, **classes)
        except Exception as error:
            raise ModelError(
                f"{type(self.model).__name__} could not be fitted on {len(x)} records: {type(error).__name__}: {error}"
            ) from error
        return before or self._test(x, y)

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        p = self._predict(x, n_outputs=y.shape[1])
        if self.output == "value":
            return float(np.mean((p - y) ** 2)), p
        truth = np.where(y > 0.5, p, 1 - p) if self.output == "independent" else (p * y).sum(axis=1)
        return float(-np.log(np.clip(truth, 1e-7, 1)).mean()), p

    def _predict(self, x: Array, n_outputs: int | None = None) -> Array:
        self._require_fitted()
        if is_regressor(self.model):
            return np.asarray(self.model.predict(_flat(x)), np.float32).reshape(len(x), -1)
        n = n_outputs or (len(self.classes) if self.classes else None)
        if self.output == "independent":
            return self._independent(x, n)
        return self._exclusive(x, n)

    def _takes_shape(self) -> InputShape | None:
        return self._signature.input_shape

    def _write(self, folder: Path) -> str:
        self._require_fitted()
        path = folder / "weights.safetensors"
        write_state(self.model, path)
        self._try_state(path)
        return path.name

    def _read(self, weights: Path, header: DumpHeader) -> None:
        if self.model is None:
            raise DumpError(
                f"The dump of {header.model} holds what an estimator has learned and not the estimator. "
                "Call build(estimator) first, and load(path) on what it returns."
            )
        read_state(self.model, weights)

    # -- inside ----------------------------------------------------------------

    def _as_sklearn_has_it(self, y: Array) -> Array:
        """Return numbers as they are, one label of many as its number, several labels as a matrix of 0 and 1."""
        if (self.output == "value") != is_regressor(self.model):
            what = "numbers" if self.output == "value" else "labels"
            raise ModelError(
                f"{type(self.model).__name__} cannot learn targets that are {what}. "
                f"Use a {'regressor' if self.output == 'value' else 'classifier'}."
            )
        if self.output == "exclusive":
            labels: Array = y.argmax(axis=1)
            return labels
        numbers: Array = y if self.output == "value" else (y > 0.5).astype(np.int64)
        return numbers[:, 0] if y.shape[1] == 1 else numbers

    def _exclusive(self, x: Array, n_classes: int | None) -> NDArray[np.float32]:
        """Return a probability of each class, 0 for one that no record had; 0 and 1 where the estimator has none."""
        known = np.asarray(self.model.classes_, dtype=np.int64)
        if hasattr(self.model, "predict_proba"):
            shares = self.model.predict_proba(_flat(x))
        else:
            shares = self.model.predict(_flat(x))[:, None] == known
        p = np.zeros((len(x), max(n_classes or 0, int(known.max()) + 1)), np.float32)
        p[:, known] = shares
        return p

    def _independent(self, x: Array, n_labels: int | None) -> Array:
        """Return a probability of each label."""
        if n_labels == 1:
            return self._exclusive(x, 2)[:, 1:]
        if not hasattr(self.model, "predict_proba"):
            return np.asarray(self.model.predict(_flat(x)), np.float32)
        found = self.model.predict_proba(_flat(x))
        if isinstance(found, list):
            # As trees have it: per label, the probabilities of its two values, or of the one that was seen.
            seen = [[int(v) for v in values] for values in self.model.classes_]
            columns = [p[:, own.index(1)] if 1 in own else np.zeros(len(x)) for p, own in zip(found, seen, strict=True)]
            found = np.stack(columns, axis=1)
        return np.asarray(found, np.float32)

    def _require_fitted(self) -> None:
        if not self._is_fitted():
            raise ModelError(
                f"{type(self).__name__} is not fitted yet: it is fitted at the end of the epoch or of the run. "
                "Train it first; outside a pipeline, call end_epoch or end_run after train_on_batch."
            )

    def _is_fitted(self) -> bool:
        try:
            check_is_fitted(self.model)
        except NotFittedError:
            return False
        return True

    def _has_weights(self) -> bool:
        return self._is_fitted()

    def _write_state(self, folder: Path) -> str:
        name = self._write(folder)
        if self._last_batch is not None and not self._goes_on:
            self._check_going_on(folder / name, *self._last_batch)
            self._goes_on = True
        return name

    def _check_going_on(self, path: Path, x: Array, targets: Array) -> None:
        """Refuse an estimator of which more than what is saved counts for the next ``partial_fit``."""
        again, model = clone(self.model), copy.deepcopy(self.model)
        read_state(again, path)
        for estimator in (again, model):
            classes = {"classes": model.classes_} if is_classifier(model) else {}
            with seeded(0):
                estimator.partial_fit(_flat(x), targets, **classes)
        if not same_state(again, model):
            raise ModelError(
                f"{type(model).__name__} keeps more from batch to batch than can be saved without pickle, such as the "
                "state of an optimizer, so that its training cannot go on to the same numbers. Use an estimator such "
                "as SGDClassifier, pass fit_at='epoch', or leave checkpoint= out."
            )

    def _try_state(self, path: Path) -> None:
        """Refuse to save an estimator that would not predict the same when it is loaded."""
        if not hasattr(self.model, "n_features_in_"):
            return
        probe = np.random.default_rng(0).normal(size=(8, self.model.n_features_in_)).astype(np.float32)
        again = clone(self.model)
        read_state(again, path)
        try:
            same = np.allclose(again.predict(probe), self.model.predict(probe), equal_nan=True)
        except Exception:  # noqa: BLE001 -- an estimator without its state fails in any way
            same = False
        if not same:
            raise ModelError(
                f"{type(self.model).__name__} keeps more than arrays and numbers, and cannot be saved without pickle, "
                "which can run code. Save an estimator that keeps arrays, such as a linear model."
            )


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1)
