"""Modules of Equinox and of Flax NNX as pure functions of their arrays."""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from typing import Any, final

import jax

from cardioflow.errors import ModelError

__all__ = ["PureModule", "pure_module"]

Tree = Any
"""A pytree of arrays."""


class PureModule(ABC):
    """What a module computes, apart from the arrays that it computes it with."""

    @abstractmethod
    def split(self, module: Any) -> tuple[Tree, Tree]:
        """Return the arrays that are trained, and the others, such as running means."""

    @abstractmethod
    def joined(self, module: Any, trained: Tree, others: Tree) -> Any:
        """Return ``module`` with these arrays."""

    @abstractmethod
    def apply(self, trained: Tree, others: Tree, x: jax.Array, key: jax.Array | None) -> tuple[jax.Array, Tree]:
        """Return the output for (record, lead, time), and the other arrays afterwards.

        With a ``key`` the module is training: it drops out, and updates its running means.
        """


def pure_module(module: Any) -> PureModule:
    """Return ``module`` as a pure function.

    Raises:
        ModelError: when it is a module of neither library.
    """
    equinox, nnx = sys.modules.get("equinox"), sys.modules.get("flax.nnx")
    if equinox is not None and isinstance(module, equinox.Module):
        return _Equinox(module)
    if nnx is not None and isinstance(module, nnx.Module):
        return _Nnx(module)
    raise ModelError(
        f"self.model is a {type(module).__name__} and not a module of Equinox (equinox.Module) or of Flax "
        "(flax.nnx.Module)."
    )


@final
class _Equinox(PureModule):
    """A module that takes one record, (lead, time), and a ``key`` if it draws random numbers."""

    def __init__(self, module: Any) -> None:
        import equinox as eqx

        self._eqx = eqx
        stateful = [
            leaf for leaf in jax.tree.leaves(module, is_leaf=self._is_state_index) if self._is_state_index(leaf)
        ]
        if stateful:
            raise ModelError(
                "The module of Equinox has layers with a state, such as BatchNorm, and the adapter has none for them. "
                "Use LayerNorm or GroupNorm, or write the module with flax.nnx."
            )
        self._takes_key = "key" in inspect.signature(type(module).__call__).parameters
        self._static = eqx.partition(module, eqx.is_array)[1]

    def _is_state_index(self, leaf: Any) -> bool:
        return isinstance(leaf, self._eqx.nn.StateIndex)

    def split(self, module: Any) -> tuple[Tree, Tree]:
        arrays = self._eqx.filter(module, self._eqx.is_array)
        trained, others = self._eqx.partition(arrays, self._eqx.is_inexact_array)
        return trained, others

    def joined(self, module: Any, trained: Tree, others: Tree) -> Any:  # noqa: ARG002 -- Flax changes it in place
        return self._eqx.combine(trained, others, self._static)

    def apply(self, trained: Tree, others: Tree, x: jax.Array, key: jax.Array | None) -> tuple[jax.Array, Tree]:
        module = self._eqx.combine(trained, others, self._static)
        if key is None:
            module = self._eqx.nn.inference_mode(module)
        if not self._takes_key or key is None:
            return jax.vmap(module)(x), others
        keys = jax.random.split(key, len(x))
        return jax.vmap(lambda row, own: module(row, key=own))(x, keys), others


@final
class _Nnx(PureModule):
    """A module that takes (record, lead, time).

    Its arrays are dictionaries by name, because Flax's own trees do not survive a deep copy.
    """

    def __init__(self, module: Any) -> None:
        from flax import nnx

        self._nnx: Any = nnx
        module.eval()
        self._testing = self._parts(module)[0]
        module.train()
        self._training, trained, others = self._parts(module)
        self._shapes = tuple(_Shape(state) for state in (trained, others))

    def split(self, module: Any) -> tuple[Tree, Tree]:
        _, trained, others = self._parts(module)
        return _flat(trained), _flat(others)

    def joined(self, module: Any, trained: Tree, others: Tree) -> Any:
        self._nnx.update(module, *self._states(trained, others))
        return module

    def apply(self, trained: Tree, others: Tree, x: jax.Array, key: jax.Array | None) -> tuple[jax.Array, Tree]:
        graph = self._testing if key is None else self._training
        module = self._nnx.merge(graph, *self._states(trained, others), copy=True)
        if key is not None:
            self._nnx.reseed(module, default=key, dropout=key)
        output = module(x)
        return output, self.split(module)[1]

    def _parts(self, module: Any) -> Any:
        return self._nnx.split(module, self._nnx.Param, ...)

    def _states(self, *trees: Tree) -> list[Any]:
        return [shape.filled(tree) for shape, tree in zip(self._shapes, trees, strict=True)]


class _Shape:
    """The tree of a state of Flax, without its arrays."""

    def __init__(self, state: Any) -> None:
        self._names = list(_flat(state))
        self._structure = jax.tree_util.tree_structure(state)

    def filled(self, arrays: Tree) -> Any:
        return jax.tree_util.tree_unflatten(self._structure, [arrays[name] for name in self._names])


def _flat(state: Any) -> dict[str, jax.Array]:
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
