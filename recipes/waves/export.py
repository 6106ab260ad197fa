"""Write the trained network as ONNX with float16 weights, and its card: ``python -m recipes.waves.export``."""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from recipes.waves.network import WaveNet

LENGTHS: Final = (960, 2048, 17920)
ROWS: Final = (1, 3)
TOLERANCE: Final = 2e-4
"""Largest difference of a logit between PyTorch, with the same rounded weights, and ONNX Runtime."""


def folded(net: WaveNet) -> WaveNet:
    """Return the network with its normalization folded into the convolutions, and weights of float16's values."""
    net = copy.deepcopy(net).eval()
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm1d):
            module[0] = torch.nn.utils.fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.copy_(tensor.half().float())
    return net


def to_onnx(net: WaveNet, path: Path) -> None:
    """Write ``net`` for any number of rows and any multiple of 32 samples, and check it; refuse to write otherwise."""
    example = torch.randn(2, 1, 1024)
    dynamic = {"x": {0: torch.export.Dim("row"), 2: 32 * torch.export.Dim("block", min=2)}}
    program = torch.onnx.export(
        net, (example,), dynamo=True, dynamic_shapes=dynamic, input_names=["x"], output_names=["logits"]
    )
    model = _with_half_weights(program.model_proto)
    _verify(net, model)
    path.write_bytes(model.SerializeToString())


def _with_half_weights(model: Any) -> Any:
    """Return the model with float16 weights, each cast back to float32 when the session starts."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) > 8:
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half")
            casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
            graph.initializer.remove(tensor)
            graph.initializer.append(half)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    for node in nodes:
        # The exporter notes where in the program each node came from, which doubles the file.
        del node.metadata_props[:]
        node.doc_string = ""
        graph.node.append(node)
    del graph.value_info[:]
    del model.metadata_props[:]
    del graph.metadata_props[:]
    onnx.checker.check_model(model)
    return model


def _verify(net: WaveNet, model: Any) -> None:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for length in LENGTHS:
        for rows in ROWS:
            x = torch.randn(rows, 1, length, generator=torch.Generator().manual_seed(length + rows))
            with torch.no_grad():
                expected = net(x).numpy()
            found = session.run(None, {"x": x.numpy()})[0]
            error = float(np.abs(found - expected).max())
            print(f"{rows} × {length}: largest difference {error:.1e}")
            if found.shape != expected.shape or error > TOLERANCE:
                raise SystemExit(f"ONNX Runtime differs from PyTorch by {error} at {rows} × {length}. Nothing written.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the folder that train wrote")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write; the card lies beside it")
    args = parser.parse_args()
    net = WaveNet()
    weights = args.run / "waves.pt"
    state = torch.load(weights if weights.exists() else args.run / "state.pt", weights_only=True)
    net.load_state_dict(state.get("mean", state))
    to_onnx(folded(net), args.out)
    content = args.out.read_bytes()
    card = json.loads((Path(__file__).parent / "card.json").read_text())
    card["parameters"] = sum(p.numel() for p in net.parameters())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    training = args.run / "training.json"
    card["training"] = json.loads(training.read_text()) if training.exists() else {"unfinished": True}
    args.out.with_suffix(".json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(f"{args.out}: {len(content)} bytes")


if __name__ == "__main__":
    main()
