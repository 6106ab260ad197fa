"""The arrays of a JAX model and of its optimizer by name, as one safetensors file, which holds no code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from cardioflow.errors import DumpError

__all__ = ["filled", "has_tree", "named", "read_trees", "write_trees"]

Tree = Any


def named(tree: Tree) -> dict[str, NDArray[Any]]:
    """Return copies of the arrays of ``tree`` by their place in it, ``"layers.0.weight"``."""
    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        data = jax.random.key_data(leaf) if _is_key(leaf) else leaf
        found[jax.tree_util.keystr(path, simple=True, separator=".") or "value"] = np.array(data)
    return found


def write_trees(path: Path, trees: Mapping[str, Tree]) -> None:
    """Write the arrays of every tree, under the tree's name, to ``path``."""
    save_file({f"{prefix}/{name}": a for prefix, tree in trees.items() for name, a in named(tree).items()}, path)


def has_tree(path: Path, prefix: str) -> bool:
    """Return whether ``write_trees`` wrote a tree of that name; false for a file that ``read_trees`` refuses."""
    try:
        with safe_open(path, "np") as file:
            return any(name.startswith(f"{prefix}/") for name in file.keys())  # noqa: SIM118 -- not a dictionary
    except (SafetensorError, OSError, ValueError):
        return False


def read_trees(path: Path, trees: Mapping[str, Tree], model: str) -> dict[str, Tree]:
    """Return ``trees`` with the arrays that ``write_trees`` wrote.

    Raises:
        DumpError: when the file is damaged, or names, shapes or types differ.
    """
    try:
        saved = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DumpError(f"The weights of {model} are damaged: {error}. Save the model again.") from error
    own = {f"{prefix}/{name}": a for prefix, tree in trees.items() for name, a in named(tree).items()}
    for names, what in ((set(own) - set(saved), "lacks"), (set(saved) - set(own), "has")):
        if names:
            shown = ", ".join(sorted(names)[:4]) + (", …" if len(names) > 4 else "")
            raise DumpError(f"The dump of {model} {what} {shown}, unlike this model. Build the model that was saved.")
    for name, array in own.items():
        if saved[name].shape != array.shape or saved[name].dtype != array.dtype:
            raise DumpError(
                f"{name} is {saved[name].dtype} of shape {saved[name].shape} in the dump of {model}, and {array.dtype} "
                f"of shape {array.shape} in this model. Build the model that was saved."
            )
    parts = {prefix: {name: saved[f"{prefix}/{name}"] for name in named(tree)} for prefix, tree in trees.items()}
    return {prefix: filled(tree, parts[prefix]) for prefix, tree in trees.items()}


def filled(tree: Tree, arrays: Mapping[str, NDArray[Any]]) -> Tree:
    """Return ``tree`` with ``arrays``, by the names of ``named``."""
    names = iter(named(tree))
    leaves, structure = jax.tree_util.tree_flatten(tree)
    made = []
    for leaf in leaves:
        value = arrays[next(names)]
        made.append(jax.random.wrap_key_data(jax.numpy.asarray(value)) if _is_key(leaf) else jax.numpy.asarray(value))
    return jax.tree_util.tree_unflatten(structure, made)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
