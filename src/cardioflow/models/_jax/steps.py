"""The compiled functions of a JAX model: forward pass, gradients, update."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from cardioflow.errors import ModelError
from cardioflow.models._jax.loss import JaxLoss
from cardioflow.models._jax.modules import pure_module
from cardioflow.models.training import TrainingOptions

__all__ = ["OptimizerState", "Rows", "Steps", "Trees"]

Tree = Any

_TYPES = {"bfloat16": jnp.bfloat16, "float16": jnp.float16}


class Trees(NamedTuple):
    """The arrays of a module."""

    trained: Tree
    others: Tree


class Rows(NamedTuple):
    """A batch for the model."""

    x: Any
    y: Any
    weight: Any


class OptimizerState(NamedTuple):
    """The state between two batches."""

    optimizer: Tree
    added: Tree
    """The sum of the gradients since the last update."""
    n_added: int | jax.Array


class Steps:
    """What is compiled for a module, a loss, an optimizer and the options of training."""

    def __init__(self, module: Any, loss: JaxLoss, optimizer: Any, options: TrainingOptions) -> None:
        self.module = module
        self._pure = pure_module(module)
        self.loss = loss
        self.mixes_rows = bool(jax.tree.leaves(self._pure.split(module)[1]))
        """Whether rows may depend on each other, as in batch normalization: then padding would change numbers."""
        self._given = (optimizer, options)
        self._device = _device_of(options.device)
        if options.clip_norm is not None:
            clip = optax.clip_by_global_norm(options.clip_norm)
            self._optimizer = _Clipped(clip, optimizer)
        else:
            self._optimizer = optimizer
        self._gradients = jax.jit(jax.value_and_grad(self._loss_and_output, has_aux=True))
        self._test = jax.jit(self._loss_and_output)
        self._output = jax.jit(self._forward)
        self._update = jax.jit(self._apply_update)

    def are_of(self, module: Any, loss: JaxLoss, optimizer: Any, options: TrainingOptions) -> bool:
        """Return whether these were compiled for these objects."""
        return self.module is module and self.loss == loss and self._given == (optimizer, options)

    def split(self, module: Any) -> Trees:
        """Return the arrays of ``module``."""
        return Trees(*self._pure.split(module))

    def joined(self, module: Any, trees: Trees) -> Any:
        """Return ``module`` with ``trees``."""
        self.module = self._pure.joined(module, *trees)
        return self.module

    def start(self, trees: Trees) -> OptimizerState:
        """Return the state before the first batch."""
        zeros = jax.tree.map(jnp.zeros_like, trees.trained)
        return OptimizerState(self._optimizer.init(trees.trained), zeros, jnp.asarray(0))

    def gradients(self, trees: Trees, rows: Rows, key: jax.Array) -> tuple[Any, Any, Tree, Tree]:
        """Return the loss, the output, the other arrays afterwards, and the gradients."""
        with jax.default_device(self._device):
            (value, (output, others)), gradients = self._gradients(trees.trained, trees.others, rows, key)
        return value, output, others, gradients

    def test(self, trees: Trees, rows: Rows) -> tuple[Any, Any]:
        """Return the loss and the output, without dropout."""
        with jax.default_device(self._device):
            value, (output, _) = self._test(trees.trained, trees.others, rows, None)
        return value, output

    def output(self, trees: Trees, x: Any) -> Any:
        """Return the output, without dropout."""
        with jax.default_device(self._device):
            return self._output(trees.trained, trees.others, x, None)[0]

    def added(self, state: OptimizerState, gradients: Tree) -> OptimizerState:
        """Return ``state`` with ``gradients`` added."""
        return OptimizerState(
            state.optimizer, jax.tree.map(jnp.add, state.added, gradients), jnp.asarray(int(state.n_added) + 1)
        )

    def update(self, trained: Tree, state: OptimizerState) -> tuple[Tree, OptimizerState]:
        """Return the arrays after an update by the mean of the gradients, and the state afterwards."""
        trained, optimizer = self._update(trained, state.optimizer, state.added, state.n_added)
        zeros = jax.tree.map(jnp.zeros_like, state.added)
        return trained, OptimizerState(optimizer, zeros, jnp.asarray(0))

    # -- compiled ---------------------------------------------------------------

    def _forward(self, trained: Tree, others: Tree, x: Any, key: Any) -> tuple[jax.Array, Tree]:
        kind = _TYPES.get(self._given[1].precision)
        if kind is not None:
            cast = partial(jax.tree.map, lambda a: a.astype(kind) if jnp.issubdtype(a.dtype, jnp.floating) else a)
            trained, x = cast(trained), cast(jnp.asarray(x))
        output, others = self._pure.apply(trained, others, jnp.asarray(x), key)
        if not isinstance(output, jax.Array):
            raise ModelError(f"The module returns a {type(output).__name__}, and one array was expected.")
        return output.astype(jnp.float32), others

    def _loss_and_output(
        self, trained: Tree, others: Tree, rows: Rows, key: Any
    ) -> tuple[jax.Array, tuple[jax.Array, Tree]]:
        output, others = self._forward(trained, others, rows.x, key)
        try:
            value = self.loss.weighted(output, rows.y, rows.weight)
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"The loss cannot be computed from outputs of shape {output.shape} and targets of shape "
                f"{rows.y.shape}, {rows.y.dtype}. {str(error).partition(chr(10))[0]}"
            ) from error
        if value.ndim:
            raise ModelError(
                f"The loss is an array of shape {value.shape} and not one number. Average it with .mean()."
            )
        return value, (output, others)

    def _apply_update(self, trained: Tree, state: Tree, added: Tree, n: Any) -> tuple[Tree, Tree]:
        gradients = jax.tree.map(lambda g: g / n, added)
        changes, state = self._optimizer.update(gradients, state, trained)
        return optax.apply_updates(trained, changes), state


class _Clipped:
    """An optimizer whose gradients are clipped first; its state is that of the optimizer alone."""

    def __init__(self, clip: Any, optimizer: Any) -> None:
        self._clip = clip
        self._optimizer = optimizer
        self.init = optimizer.init

    def update(self, gradients: Tree, state: Tree, trained: Tree) -> tuple[Tree, Tree]:
        clipped, _ = self._clip.update(gradients, self._clip.init(trained))
        found: tuple[Tree, Tree] = self._optimizer.update(clipped, state, trained)
        return found


def _device_of(name: str) -> Any:
    """Return the device of that name, ``"cpu"`` or ``"gpu:1"``; ``None``, JAX's own choice, for ``"auto"``."""
    if name == "auto":
        return None
    kind, _, number = name.replace("cuda", "gpu").partition(":")
    try:
        return jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(f'The device {name!r} cannot be used: {why}. Pass device="cpu" or "auto".') from error
