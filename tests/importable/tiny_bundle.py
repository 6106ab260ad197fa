"""A small rhythm bundle that is trained on real records in a second: random filters and a linear model, as ONNX."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from cardioflow import EcgDataset, Pipeline
from cardioflow.bundle import BundleCard, BundleDescription, DataSource, Limits, MemberDescription, Score
from cardioflow.calibration import ConformalSets, TemperatureScaling, to_json

CLASSES = ("A", "N")
N_SAMPLES = 1500
PREPARATION = Pipeline().load().resample_signals(150).split_signals(N_SAMPLES, N_SAMPLES).standardize()


def training_records(cinc: Path, n: int = 30) -> tuple[list[Path], list[str]]:
    """Return the paths and labels of ``n`` records of each class that last 10 s or more."""
    labels = dict(csv.reader((cinc / "REFERENCE.csv").read_text().splitlines()))
    chosen: list[Path] = []
    for label in CLASSES:
        own = [cinc / f"{name}.hea" for name in sorted(labels) if labels[name] == label]
        chosen += [path for path in own if path.exists() and int(path.read_text().split()[3]) >= 3000][:n]
    return chosen, [labels[path.stem] for path in chosen]


def graph(filters: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> bytes:
    """Return convolution, maximum over time and a linear layer as ONNX: (row, 1, time) to logits (row, class)."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Conv", ["x", "filters"], ["found"]),
        helper.make_node("ReduceMax", ["found"], ["most"], axes=[2], keepdims=0),
        helper.make_node("Gemm", ["most", "weights", "bias"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["row", 1, N_SAMPLES])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["row", len(CLASSES)])],
        [
            numpy_helper.from_array(a.astype(np.float32), n)
            for n, a in (("filters", filters), ("weights", weights), ("bias", bias))
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def train(cinc: Path, seed: int) -> bytes:
    """Return a trained graph."""
    paths, labels = training_records(cinc)
    batch = EcgDataset({str(p): p for p in paths}).next_batch(len(paths)).load(components=["signal", "meta"])
    rows = batch.resample_signals(150).split_signals(N_SAMPLES, N_SAMPLES).standardize().unstack_signals()
    x = rows.signal.dense()[:, 0]
    y = np.array([labels[paths.index(Path(record))] == CLASSES[0] for record in rows.provenance.record_id])
    filters = np.random.default_rng(seed).normal(size=(24, 1, 45))
    filters /= np.linalg.norm(filters, axis=2, keepdims=True)
    windows = np.lib.stride_tricks.sliding_window_view(x, 45, axis=1)
    most = np.einsum("ntk,fk->nft", windows, filters[:, 0]).max(axis=2)
    fitted = LogisticRegression(C=0.3, max_iter=500).fit(most, y)
    weights = np.stack([fitted.coef_[0], np.zeros(24)], axis=1)
    return graph(filters, weights, np.array([fitted.intercept_[0], 0.0]))


def description(**changes: Any) -> BundleDescription:
    """Return the description of the bundle with the members ``a.onnx`` and ``b.onnx``."""
    given: dict[str, Any] = {
        "name": "tiny",
        "release": "0.1",
        "title": "AF or normal, for tests",
        "classes": CLASSES,
        "meanings": {"A": "atrial fibrillation", "N": "normal rhythm"},
        "leads": ("I",),
        "substitutes": {"I": ("ECG", "II")},
        "fs": 150.0,
        "members": (
            MemberDescription.of("a", PREPARATION, onnx="a.onnx", activation="softmax", weight=0.7),
            MemberDescription.of("b", PREPARATION, onnx="b.onnx", activation="softmax", weight=0.3),
        ),
        "calibration": json.loads(to_json(TemperatureScaling(1.5))),
        "conformal": json.loads(to_json(ConformalSets(0.1, (0.2, 0.3), (30, 30), True))),
        "limits": Limits(
            shortest_s=9,
            lowest_fs=100,
            most_missing=0.1,
            most_flat=0.5,
            least_evidence=0.65,
            most_mv=20,
            pacing="abstain",
        ),
        "card": BundleCard(
            intended="tests",
            not_for=("patients",),
            data=(DataSource(name="CinC 2017", part="60 records", licence="ODC-By 1.0"),),
            scores=(Score(metric="F1", label="A", value=0.7, low=0.5, high=0.9),),
        ),
    }
    return BundleDescription(**{**given, **changes})
