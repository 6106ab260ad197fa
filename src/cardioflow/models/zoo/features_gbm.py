"""Gradient boosting on the features of a record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ConfigError, ModelError
from cardioflow.models._onnx.trees import trees_to_onnx
from cardioflow.models._sklearn.tree_ensemble import TreeEnsemble
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.inputs import Features
from cardioflow.models.learning import FitAtEnd
from cardioflow.models.targets import OneLabel

__all__ = ["FeaturesGbm"]

Array = NDArray[Any]

_REASON = "Gradient boosting of scikit-learn is fitted on the CPU, once on all records."


class FeaturesGbm(BackendModel):
    """Gradient boosting on the features that ``calc_features`` computes, for one label per record.

    Fitted by scikit-learn's histogram boosting (as LightGBM, Ke et al. 2017), at the end of the run on all records
    that it was given. The defaults were chosen on folds 0 to 3 of CinC 2017. NaN features are taken as missing. What it
    has learned is kept as plain arrays: a dump holds the trees, needs no builder and no scikit-learn, and ``to_onnx``
    writes them as a graph.

    Args:
        component: the component of the batch with the features, (record, feature).
        learning_rate: the share of each tree's answer that counts.
        n_iterations: trees per class.
        n_leaves: the most leaves of a tree.
        least_records: the fewest records of a leaf.
        l2: the penalty of the leaves' values.
        feature_share: the share of features that each split may choose from.
        class_weights: a weight for the records of each label.
        fit_at: ``"epoch"`` fits anew at the end of every epoch, ``"run"`` once at the end.

    Raises:
        ConfigError: for a setting that is out of its range.
    """

    adapter = "trees"
    holds_architecture = True
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("device", "precision", "accumulate", "clip_norm", "class_weights", "sample_weights", "compile"), _REASON
    )

    def __init__(
        self,
        component: str = "features",
        *,
        learning_rate: float = 0.06,
        n_iterations: int = 160,
        n_leaves: int = 15,
        least_records: int = 20,
        l2: float = 10.0,
        feature_share: float = 0.3,
        class_weights: Mapping[str, float] | None = None,
        fit_at: Literal["epoch", "run"] = "epoch",
    ) -> None:
        super().__init__()
        for name, value in (("learning_rate", learning_rate), ("feature_share", feature_share)):
            if not 0 < value <= 1:
                raise ConfigError(f"features_gbm({name}={value!r}): expected a number above 0 and at most 1.")
        if l2 < 0 or n_iterations < 1 or n_leaves < 2 or least_records < 1:
            raise ConfigError(
                f"features_gbm(n_iterations={n_iterations!r}, n_leaves={n_leaves!r}, least_records={least_records!r}, "
                f"l2={l2!r}): expected at least 1, 2, 1 and 0."
            )
        self.settings: dict[str, Any] = {
            "learning_rate": learning_rate,
            "max_iter": n_iterations,
            "max_leaf_nodes": n_leaves,
            "min_samples_leaf": least_records,
            "l2_regularization": l2,
            "max_features": feature_share,
            "early_stopping": False,
        }
        self.class_weights = class_weights
        self.inputs = Features(component, missing=True)
        self.learning = FitAtEnd(fit_at)
        self.targets = OneLabel()
        self.model: TreeEnsemble | None = None
        self._n_classes = 0

    def build(self, input_shape: tuple[int, ...], n_classes: int = 2) -> Self:  # noqa: ARG002 -- the features decide
        """Make ready for ``n_classes`` labels; the signals' shape does not matter."""
        self._n_classes = n_classes
        return self

    @classmethod
    def from_dump(cls, path: str | Path) -> Self:
        return cls().load(path)

    def to_onnx(self) -> bytes:
        """Return the fitted trees as an ONNX model, which takes the features and gives probabilities.

        Raises:
            ModelError: when the model is not fitted yet.
        """
        return trees_to_onnx(self._fitted())

    # -- what an adapter implements -------------------------------------------

    def _train(self, x: Array, y: Array) -> tuple[float, Array]:
        from sklearn.ensemble import HistGradientBoostingClassifier

        label = y.argmax(axis=1)
        seen = np.unique(label)
        if seen.size < y.shape[1]:
            lacking = [str(k) for k in range(y.shape[1]) if k not in seen]
            names = [self.classes[int(k)] for k in lacking] if self.classes else lacking
            raise ModelError(f"features_gbm was given no record of the labels {names}. Train it on records of each.")
        weight = None
        if self.class_weights is not None:
            weight = self._weight_of_each()[label]
        estimator = HistGradientBoostingClassifier(**self.settings, random_state=self.seed % 2**32)
        estimator.fit(x, label, sample_weight=weight)
        self.model = TreeEnsemble.of_sklearn(estimator, x[:256])
        return self._test(x, y)

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        p = self._predict(x)
        return float(-np.log(np.clip((p * y).sum(axis=1), 1e-7, 1)).mean()), p

    def _predict(self, x: Array) -> Array:
        return self._fitted().probabilities(x).astype(np.float32)

    def _write(self, folder: Path) -> str:
        path = folder / "weights.safetensors"
        self._fitted().write(path)
        return path.name

    def _read(self, weights: Path, header: DumpHeader) -> None:  # noqa: ARG002 -- the trees say it all
        self.model = TreeEnsemble.read(weights)

    def _has_weights(self) -> bool:
        return self.model is not None

    def _require_model(self) -> None:
        """It has none before it is fitted, and takes batches all the same."""

    def _fitted(self) -> TreeEnsemble:
        if self.model is None:
            raise ModelError(
                "features_gbm is not fitted yet: it is fitted at the end of the epoch or of the run. Train it first; "
                "outside a pipeline, call end_epoch or end_run after train_on_batch."
            )
        return self.model

    def _weight_of_each(self) -> NDArray[np.float64]:
        given, classes = self.class_weights or {}, self.classes or ()
        if set(given) != set(classes):
            raise ConfigError(f"features_gbm has class_weights for {sorted(given)}, and the labels {sorted(classes)}.")
        return np.array([given[name] for name in classes])
