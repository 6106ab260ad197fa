"""Trees as an ONNX graph."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cardioflow.errors import MissingDependencyError
from cardioflow.models._sklearn.tree_ensemble import TreeEnsemble

__all__ = ["require_onnx", "trees_to_onnx"]

_OPSET: Final = 17
_ML_OPSET: Final = 3


def trees_to_onnx(trees: TreeEnsemble) -> bytes:
    """Return an ONNX model of ``trees``: ``features``, float32 (row, feature), to ``probabilities``, (row, class).

    The operator ``TreeEnsembleRegressor`` of ``ai.onnx.ml`` adds up the trees of each class, and a softmax follows;
    of two classes there is one sum, of which the logistic function is taken. NaN goes where the trees send it.

    Raises:
        MissingDependencyError: when the package ``onnx`` is not installed; predicting needs ONNX Runtime only.
    """
    require_onnx()
    from onnx import TensorProto, checker, helper

    vote = helper.make_node("TreeEnsembleRegressor", ["features"], ["sums"], domain="ai.onnx.ml", **_attributes(trees))
    if trees.baseline.size == 1:
        zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
        # Sigmoid of s is the softmax of (0, s).
        nodes = [
            vote,
            helper.make_node("Mul", ["sums", "zero"], ["zeros"]),
            helper.make_node("Concat", ["zeros", "sums"], ["both"], axis=1),
            helper.make_node("Softmax", ["both"], ["probabilities"], axis=1),
        ]
        constants = [zero]
    else:
        nodes = [vote, helper.make_node("Softmax", ["sums"], ["probabilities"], axis=1)]
        constants = []
    row = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["row", int(trees.n_features[0])])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["row", trees.n_classes])
    graph = helper.make_graph(nodes, "trees", [row], [out], constants)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="cardioflow")
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def require_onnx() -> None:
    """Raise where the package ``onnx`` is missing.

    Raises:
        MissingDependencyError: with how to install it.
    """
    try:
        import onnx  # noqa: F401 -- to know that it is there
    except ImportError as error:
        raise MissingDependencyError(
            "Writing ONNX needs the package onnx. Install it: pip install 'cardioflow[onnx]'."
        ) from error


def _attributes(trees: TreeEnsemble) -> dict[str, Any]:
    n = trees.feature.size
    tree = np.searchsorted(trees.root, np.arange(n), side="right") - 1
    node = np.arange(n) - trees.root[tree]
    leaf = trees.left == np.arange(n)
    return {
        "n_targets": int(trees.baseline.size),
        "base_values": trees.baseline.astype(np.float32).tolist(),
        "aggregate_function": "SUM",
        "post_transform": "NONE",
        "nodes_treeids": tree.tolist(),
        "nodes_nodeids": node.tolist(),
        "nodes_featureids": trees.feature.tolist(),
        "nodes_values": trees.threshold.tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_truenodeids": np.where(leaf, 0, trees.left - trees.root[tree]).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, trees.right - trees.root[tree]).tolist(),
        "nodes_missing_value_tracks_true": trees.missing_left.astype(int).tolist(),
        "target_treeids": tree[leaf].tolist(),
        "target_nodeids": node[leaf].tolist(),
        "target_ids": trees.output[tree[leaf]].tolist(),
        "target_weights": trees.value[leaf].tolist(),
    }
