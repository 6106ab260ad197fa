"""The tensors of a published file, as arrays by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from cardioflow.errors import DumpError, MissingDependencyError

__all__ = ["Tensors"]

_WRAPPERS = ("module.", "_orig_mod.", "model.", "encoder.")
"""What training code puts before every name."""
_INSIDE = ("state_dict", "model_state_dict", "model", "encoder")
"""The entries of a checkpoint under which its weights are."""


class Tensors:
    """The tensors of a ``.safetensors`` file, or of a checkpoint that PyTorch reads with ``weights_only=True``.

    ``take`` returns one and takes note; ``check_all_taken`` refuses a file with others, which would be a network of
    another kind.

    Raises:
        DumpError: when the file is missing, or is not such a file.
        MissingDependencyError: when the file needs PyTorch, and it is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DumpError(f"There is no file {str(path)!r}. Download the weights, and pass where they are.")
        found = _from_safetensors(self.path) if self.path.suffix == ".safetensors" else _from_torch(self.path)
        self._found = _unwrapped(found)
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def take(self, name: str) -> NDArray[np.float32]:
        """Return the tensor ``name`` as float32.

        Raises:
            DumpError: when there is none.
        """
        if name not in self._found:
            raise DumpError(
                f"{str(self.path)!r} has no tensor {name!r}; its first are {', '.join(list(self._found)[:4])}. Pass "
                "the file of the model that the loader is named after."
            )
        self._taken.add(name)
        return np.asarray(self._found[name], np.float32)

    def check_all_taken(self, unused: Callable[[str], bool]) -> None:
        """Refuse tensors that were not taken, except those that are ``unused``.

        Raises:
            DumpError: naming the first of them.
        """
        left = [name for name in self._found if name not in self._taken and not unused(name)]
        if left:
            raise DumpError(
                f"{str(self.path)!r} has {len(left)} tensors that the network has no place for, such as {left[0]!r}. "
                "Pass the file of the model that the loader is named after."
            )


def _from_safetensors(path: Path) -> dict[str, Any]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DumpError(f"{str(path)!r} cannot be read as safetensors: {error}. Download it again.") from error


def _from_torch(path: Path) -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"{str(path)!r} is a checkpoint of PyTorch, which is not installed. "
            "Install it, pip install 'cardioflow[torch]', or pass a .safetensors file."
        ) from error
    try:
        # Only tensors and plain containers are unpickled: nothing in the file is run.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch raise a dozen types for files they cannot read
        raise DumpError(
            f"PyTorch does not read {str(path)!r} as weights alone: {str(error).partition(chr(10))[0][:200]}. Where "
            "you trust it, save its state_dict as safetensors, and pass that."
        ) from error
    while isinstance(content, dict) and (inner := next((k for k in _INSIDE if isinstance(content.get(k), dict)), None)):
        content = content[inner]
    tensors = content.items() if isinstance(content, dict) else ()
    found = {str(k): t.detach().float().numpy() for k, t in tensors if isinstance(t, torch.Tensor)}
    if not found:
        raise DumpError(f"{str(path)!r} holds no tensors by name. Pass a checkpoint with a state_dict.")
    return found


def _unwrapped(found: dict[str, Any]) -> dict[str, Any]:
    for wrapper in _WRAPPERS:
        if found and all(name.startswith(wrapper) for name in found):
            return _unwrapped({name.removeprefix(wrapper): t for name, t in found.items()})
    return found
