"""The network that the package ships, run by ONNX Runtime."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["card", "probabilities"]

Floats = NDArray[np.float32]

_MARGIN: Final = 768
"""Samples on either side of a chunk: more than the network sees, so that chunks do not change its answer."""
_CHUNK: Final = 16000
_MULTIPLE: Final = 32
"""The network halves the rate five times."""
_ROWS: Final = 16
"""Chunks in one call; more need more memory and gain no time."""


def card() -> dict[str, Any]:
    """Return what the network was trained on and how, its version and its licence."""
    found: dict[str, Any] = json.loads(files("cardioflow.analysis.waves").joinpath("waves.json").read_text("utf-8"))
    return found


def probabilities(x: Floats, network: Path | None = None) -> Floats:
    """Return how probable none, P, QRS and T are at each sample of leads ``x``, (lead, time) → (lead, time, 4).

    ``x`` is as ``prepare`` gives it. Each lead is judged alone. Long leads run in chunks that overlap, which gives
    the same numbers as the whole up to rounding. ``network`` is another ONNX file of the same input and output.
    """
    n_leads, n = x.shape
    out = np.empty((n_leads, n, 4), np.float32)
    if not n or not n_leads:
        return out
    size = min(_CHUNK, -(-n // _MULTIPLE) * _MULTIPLE)
    starts = [(lead, at) for lead in range(n_leads) for at in range(0, n, size)]
    length = size if n <= size else size + 2 * _MARGIN
    lead_in = 0 if n <= size else _MARGIN
    for k in range(0, len(starts), _ROWS):
        own = starts[k : k + _ROWS]
        rows = np.stack([_part(x[lead], at - lead_in, length) for lead, at in own])
        logits = _session(network).run(None, {"x": rows[:, None]})[0]
        found = _softmax(logits)
        for (lead, at), p in zip(own, found, strict=True):
            stop = min(at + size, n)
            out[lead, at:stop] = p[:, lead_in : lead_in + stop - at].T
    return out


@lru_cache(maxsize=4)
def _session(network: Path | None = None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread gives the same sums each time; what runs beside it are records.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    shipped = files("cardioflow.analysis.waves").joinpath("waves.onnx")
    content = shipped.read_bytes() if network is None else network.read_bytes()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _part(x: Floats, start: int, length: int) -> Floats:
    """Return ``length`` samples from ``start`` on; samples outside ``x`` mirror those inside, then repeat the edge."""
    before, after = max(-start, 0), max(start + length - x.size, 0)
    inside = x[max(start, 0) : start + length]
    if not before and not after:
        return inside
    for width in ((before, 0), (0, after)):
        reach = min(max(width), inside.size - 1)
        mirrored = np.pad(inside, (reach if width[0] else 0, reach if width[1] else 0), mode="reflect")
        rest = max(width) - reach
        inside = np.pad(mirrored, (rest if width[0] else 0, rest if width[1] else 0), mode="edge")
    return inside


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = raised / raised.sum(axis=1, keepdims=True)
    return result
