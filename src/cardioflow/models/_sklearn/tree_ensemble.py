"""Trees that vote, as arrays: what gradient boosting has learned, without the objects of its library."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self, final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cardioflow.core.compiled import kernel, read_only
from cardioflow.errors import DumpError, ModelError

__all__ = ["TreeEnsemble"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_TOLERANCE: Final = 1e-5


@final
@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Binary trees, one after another in arrays with an entry per node.

    A row goes to ``left`` where its ``feature`` is at most ``threshold``, and where it is NaN and ``missing_left``;
    otherwise to ``right``. A leaf is its own ``left``. The value of a class is its ``baseline`` and the sum of its
    trees' leaves; a softmax makes probabilities of these, or a logistic function where there is one.
    """

    feature: Ints
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    value: Floats
    """Of the leaves."""
    root: Ints
    """The first node of each tree."""
    output: Ints
    """The class that each tree votes for."""
    baseline: NDArray[np.float64]
    n_features: NDArray[np.int64]
    """One number: how many features a row has."""

    @classmethod
    def of_sklearn(cls, estimator: Any, x: Floats) -> Self:
        """Return the trees of a fitted ``HistGradientBoostingClassifier``.

        Args:
            estimator: without categorical features.
            x: rows on which the probabilities are compared with the estimator's own.

        Raises:
            ModelError: when the probabilities differ, as after a change of the library's internals.
        """
        nodes, roots, outputs = [], [0], []
        for trees in estimator._predictors:
            for k, tree in enumerate(trees):
                nodes.append(_columns(tree.nodes, roots[-1]))
                roots.append(roots[-1] + len(tree.nodes))
                outputs.append(k)
        feature, threshold, missing_left, left, right, value = (
            np.concatenate(column) for column in zip(*nodes, strict=True)
        )
        made = cls(
            feature=feature.astype(np.int32),
            threshold=threshold.astype(np.float32),
            missing_left=missing_left.astype(np.bool_),
            left=left.astype(np.int32),
            right=right.astype(np.int32),
            value=value.astype(np.float32),
            root=np.array(roots[:-1], np.int32),
            output=np.array(outputs, np.int32),
            baseline=np.asarray(estimator._baseline_prediction, np.float64).ravel(),
            n_features=np.array([estimator.n_features_in_]),
        )
        difference = float(np.abs(made.probabilities(x) - estimator.predict_proba(x)).max())
        if not difference <= _TOLERANCE:
            raise ModelError(
                f"The trees that were read from scikit-learn predict other probabilities than it, by {difference:.1e}. "
                "Install a release of scikit-learn that this CardioFlow was tested with."
            )
        return made

    @property
    def n_classes(self) -> int:
        return max(self.baseline.size, 2)

    def probabilities(self, x: Floats) -> NDArray[np.float64]:
        """Return (row, class) for ``x``, (row, feature), in which NaN stands for missing values."""
        sums = np.tile(self.baseline, (len(x), 1))
        _add_votes(
            read_only(x),
            read_only(self.feature),
            read_only(self.threshold),
            read_only(self.missing_left),
            read_only(self.left),
            read_only(self.right),
            read_only(self.value),
            read_only(self.root),
            read_only(self.output),
            sums,
        )
        if sums.shape[1] == 1:
            p = 1 / (1 + np.exp(-sums))
            return np.concatenate([1 - p, p], axis=1)
        raised = np.exp(sums - sums.max(axis=1, keepdims=True))
        found: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
        return found

    def write(self, path: Path) -> None:
        """Write the arrays to the safetensors file ``path``."""
        save_file({f.name: np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}, path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what ``write`` wrote.

        Raises:
            DumpError: when the file is damaged, or a node refers to one that cannot follow it.
        """
        try:
            arrays = load_file(path)
            made = cls(**arrays)
        except (SafetensorError, OSError, TypeError) as error:
            raise DumpError(f"The saved trees are damaged: {error}. Save the model again.") from error
        made._check()
        return made

    def _check(self) -> None:
        """Refuse arrays that would let a row leave its tree or go round in it."""
        n, here = self.feature.size, np.arange(self.feature.size)
        leaf = self.left == here
        sizes = {f.name: getattr(self, f.name).size for f in fields(self)}
        whole = all(sizes[name] == n for name in ("threshold", "missing_left", "left", "right", "value"))
        if not whole or sizes["root"] != sizes["output"] or self.n_features.size != 1 or not self.baseline.size:
            raise DumpError("The saved trees are damaged: their arrays differ in size. Save the model again.")
        follows = (self.left > here) & (self.right > here) & (self.left < n) & (self.right < n)
        inside = (self.feature >= 0) & (self.feature < self.n_features[0])
        places = (self.root >= 0).all() and (self.root < n).all() and (self.output >= 0).all()
        if not ((leaf | follows) & inside).all() or not places or (self.output >= self.baseline.size).any():
            raise DumpError(
                "The saved trees are damaged: a node refers to one that is not there. Save the model again."
            )


def _columns(nodes: Any, first: int) -> tuple[NDArray[Any], ...]:
    """Return feature, threshold, side of missing values, children and value of a tree whose nodes begin at ``first``.

    A leaf is its own child, whatever the sample.
    """
    leaf = nodes["is_leaf"].astype(bool)
    here = np.arange(first, first + len(nodes))
    return (
        np.where(leaf, 0, nodes["feature_idx"]),
        _rounded_down(nodes["num_threshold"]),
        nodes["missing_go_to_left"].astype(bool),
        np.where(leaf, here, nodes["left"] + first),
        np.where(leaf, here, nodes["right"] + first),
        np.where(leaf, nodes["value"], 0.0),
    )


def _rounded_down(threshold: NDArray[np.float64]) -> Floats:
    """Return the largest float32 at most as large, so that no float32 feature changes its side."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


@kernel()
def _add_votes(
    x: Any,
    feature: Any,
    threshold: Any,
    missing_left: Any,
    left: Any,
    right: Any,
    value: Any,
    root: Any,
    output: Any,
    sums: Any,
) -> None:
    for i in range(x.shape[0]):
        for t in range(root.size):
            node = root[t]
            while left[node] != node:
                v = x[i, feature[node]]
                goes_left = missing_left[node] if np.isnan(v) else v <= threshold[node]
                node = left[node] if goes_left else right[node]
            sums[i, output[t]] += value[node]
