"""The weights and the optimizer of a PyTorch model as one safetensors file, which holds no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cardioflow.errors import DumpError

__all__ = ["read_state", "unwrapped", "write_state"]

_KEY = "optimizer"


def unwrapped(module: Any) -> Any:
    """Return the module inside wrappers, whose names would go into every key: compiled ones and those of DDP."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = module.module
        if inner is None:
            return module
        module = inner


def write_state(path: Path, module: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Write the weights and buffers of ``module`` and the state of ``optimizer`` to ``path``.

    Tensors that share memory, such as tied weights, are written each on its own.
    """
    tensors = {f"model/{name}": _own(tensor) for name, tensor in module.state_dict().items()}
    groups: dict[str, Any] = {}
    if optimizer is not None:
        state = optimizer.state_dict()
        groups = {"groups": [], "numbers": {}}
        for number, group in enumerate(state["param_groups"]):
            # A learning rate may be a tensor, so that a compiled optimizer sees its changes.
            arrays = {name: value for name, value in group.items() if isinstance(value, Tensor)}
            tensors |= {f"group/{number}/{name}": _own(value) for name, value in arrays.items()}
            groups["groups"].append({name: value for name, value in group.items() if name not in arrays})
        for index, entries in state["state"].items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer/{index}/{name}"] = _own(value)
                else:
                    groups["numbers"][f"{index}/{name}"] = value
    save_file(tensors, path, metadata={_KEY: json.dumps(groups)})


def read_state(path: Path, module: nn.Module, optimizer: torch.optim.Optimizer | None, model: str) -> None:
    """Give ``module`` and ``optimizer`` what ``write_state`` wrote, or leave both as they are.

    Raises:
        DumpError: when the file is damaged, or names, shapes or types differ.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a dictionary
            groups = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise DumpError(f"The weights of {model} are damaged: {error}. Save the model again.") from error
    saved = {name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")}
    own = module.state_dict()
    _check(own, saved, model)
    if optimizer is not None and groups:
        _restore(optimizer, tensors, groups, model)
    module.load_state_dict(saved)


def _own(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().clone().contiguous()


def _check(own: Mapping[str, Tensor], saved: Mapping[str, Tensor], model: str) -> None:
    for names, what in ((set(own) - set(saved), "lacks"), (set(saved) - set(own), "has")):
        if names:
            shown = ", ".join(sorted(names)[:4]) + (", …" if len(names) > 4 else "")
            raise DumpError(f"The dump of {model} {what} {shown}, unlike this model. Build the model that was saved.")
    for name, tensor in own.items():
        found = saved[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise DumpError(
                f"{name} is {found.dtype} of shape {tuple(found.shape)} in the dump of {model}, and "
                f"{tensor.dtype} of shape {tuple(tensor.shape)} in this model. Build the model that was saved."
            )


def _restore(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], groups: Any, model: str) -> None:
    try:
        state: dict[int, dict[str, Any]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer/"):
                _, index, entry = name.split("/", 2)
                state.setdefault(int(index), {})[entry] = tensor
        for name, value in groups["numbers"].items():
            index, entry = name.split("/", 1)
            state.setdefault(int(index), {})[entry] = value
        for name, tensor in tensors.items():
            if name.startswith("group/"):
                _, number, entry = name.split("/", 2)
                groups["groups"][int(number)][entry] = tensor
        _check_shapes(optimizer, state)
        optimizer.load_state_dict({"state": state, "param_groups": groups["groups"]})
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DumpError(
            f"The optimizer's state in the dump of {model} does not fit {type(optimizer).__name__}: {error}. "
            "Build the model with the optimizer that it was saved with."
        ) from error


def _check_shapes(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse moments of other shapes, which PyTorch takes without a word."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, entries in state.items():
        for name, value in entries.items():
            if isinstance(value, Tensor) and value.ndim and value.shape != parameters[index].shape:
                raise ValueError(f"{name} of weight {index} has the shape {tuple(value.shape)}")
