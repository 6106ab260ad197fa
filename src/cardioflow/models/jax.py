"""The adapter for JAX: a module of Equinox or Flax NNX, a loss, and an optimizer of Optax."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import record_keys
from cardioflow.errors import DumpError, MissingDependencyError, ModelError
from cardioflow.models._buckets import Buckets
from cardioflow.models._weights import check_weights
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader

try:
    import jax
    import optax
except ImportError as error:
    raise MissingDependencyError(
        f"{error.name} is not installed, and this model needs it. Install it: pip install 'cardioflow[jax]'."
    ) from error

from cardioflow.models._jax.loss import resolve_loss
from cardioflow.models._jax.state import filled, has_tree, named, read_trees, write_trees
from cardioflow.models._jax.steps import OptimizerState, Rows, Steps, Trees

__all__ = ["JaxBaseModel"]

Array = NDArray[Any]


class JaxBaseModel(BackendModel):
    """A model written in JAX, independent of Keras.

    ``build`` sets ``self.model``, a module of Equinox, which is called with one
    record of shape (lead, time) and a ``key`` if it has that parameter, or of
    Flax NNX, which is called with (record, lead, time); and returns ``self``. It may also set

    - ``self.loss``: ``"cross_entropy"`` or ``"binary_cross_entropy"``, for which
      the module returns logits; ``"mse"``, ``"mae"`` or ``"huber"``; the name of a loss of
      ``cardioflow.models.losses``, or one of them, which take logits too; or a
      function of (output, target) that returns one number. By default the usual
      one for what the model learns. Predictions after the first two are
      probabilities; after your own function they are the outputs.
    - ``self.optimizer``: a transformation of Optax, by default Adam with a
      learning rate of 0.001. For a learning rate that can be changed, wrap it:
      ``optax.inject_hyperparams(optax.adamw)(1e-3)``.
    - ``self.training``: device, precision, accumulation, clipping, weights (``TrainingOptions``).

    A dump holds the arrays and the optimizer's state: ``load`` fills a model that was built.
    """

    adapter = "jax"
    cannot: ClassVar[Mapping[str, str]] = {
        "compile": "It is always compiled.",
        "freeze": "Pass an optimizer that leaves weights alone: optax.multi_transform with optax.set_to_zero().",
        "layer_decay": "Pass an optimizer with a rate for each part: optax.multi_transform.",
    }

    def __init__(self) -> None:
        super().__init__()
        self.loss: str | Callable[[Any, Any], Any] | None = None
        self.optimizer: Any = None
        self._steps: Steps | None = None
        self._state: OptimizerState | None = None
        """The optimizer's state, and the gradients that have been added up."""
        self._buckets = Buckets()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle and deepcopy, without the compiled functions."""
        return {**self.__dict__, "_steps": None}

    def get_learning_rate(self) -> float:
        return float(self._hyperparameters()["learning_rate"])

    def set_learning_rate(self, rate: float) -> None:
        rates = self._hyperparameters()
        rates["learning_rate"] = jax.numpy.asarray(rate, rates["learning_rate"].dtype)

    def get_weights(self) -> list[Array]:
        self._require_model()
        return list(named(self._compiled().split(self.model)).values())

    def set_weights(self, weights: Sequence[Array]) -> None:
        check_weights(type(self).__name__, self.get_weights(), weights)
        steps = self._compiled()
        trees = steps.split(self.model)
        self._keep(steps, filled(trees, dict(zip(named(trees), weights, strict=True))))

    def end_epoch(self, epoch: int) -> dict[str, float]:
        # Otherwise the gradients of the last batches of a run would be lost.
        if self._state is not None and self._state.n_added:
            steps = self._compiled()
            self._update(steps, steps.split(self.model))
        return super().end_epoch(epoch)

    # -- what an adapter implements -------------------------------------------

    def _train(self, x: Array, y: Array, weight: Array | None = None) -> tuple[float, Array]:
        steps, n = self._compiled(), len(x)
        if self.training.precision == "float16":
            raise ModelError(
                f'{type(self).__name__} cannot be trained with precision="float16": without loss scaling, gradients '
                'below 6e-8 become zero. Pass precision="bfloat16".'
            )
        if weight is not None and steps.loss.mean is not None:
            raise ModelError(
                "The loss is a function of its own, which gives one number for the whole batch, so that records cannot "
                "be weighted. Use a loss by name, or weight the records in the loss."
            )
        key = jax.random.key(int(record_keys([f"{self.seed}/{len(self.hist['train_loss'])}/jax"])[0]) >> 33)
        trees = steps.split(self.model)
        value, output, others, gradients = steps.gradients(trees, self._padded(steps, x, y, weight), key)
        loss = float(value)
        self._check_logits(steps, np.asarray(output[:n]))
        if np.isfinite(loss):
            self._state = steps.added(self._optimizer_state(steps), gradients)
            trees = Trees(trees.trained, others)
            # More, where accumulate was lowered meanwhile.
            if int(self._state.n_added) >= self.training.accumulate:
                self._update(steps, trees)
            else:
                self._keep(steps, trees)
        return loss, np.asarray(steps.loss.predict(output[:n]))

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        steps, n = self._compiled(), len(x)
        value, output = steps.test(steps.split(self.model), self._padded(steps, x, y, None))
        return float(value), np.asarray(steps.loss.predict(output[:n]))

    def _predict(self, x: Array) -> Array:
        steps = self._compiled()
        output = steps.output(steps.split(self.model), self._buckets.rows(x))
        return np.asarray(steps.loss.predict(output[: len(x)]))

    def _write(self, folder: Path) -> str:
        path = folder / "weights.safetensors"
        trees = self._compiled().split(self.model)
        state = {} if self._state is None else {"optimizer": self._state}
        write_trees(path, {"model": trees.trained, "others": trees.others, **state})
        return path.name

    def _read(self, weights: Path, header: DumpHeader) -> None:
        if self.model is None:
            raise DumpError(
                f"The dump of {header.model} holds the arrays of a JAX model and not its layers. "
                "Call build(…) first, and load(path) on what it returns."
            )
        steps = self._compiled()
        own = steps.split(self.model)
        trees: dict[str, Any] = {"model": own.trained, "others": own.others}
        # Saved before the first update, too, where a callback has set the learning rate.
        if has_tree(weights, "optimizer"):
            trees["optimizer"] = self._optimizer_state(steps)
        found = read_trees(weights, trees, header.model)
        self._state = found.get("optimizer")
        self._keep(steps, Trees(found["model"], found["others"]))

    def _training(self) -> dict[str, Array]:
        return super()._training() | self._buckets.state()

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        self._compiled()
        self._buckets.restore(arrays)

    # -- inside ----------------------------------------------------------------

    def _compiled(self) -> Steps:
        """Return the compiled functions of this module, loss and optimizer."""
        self._require_model()
        if self.optimizer is None:
            self.optimizer = optax.inject_hyperparams(optax.adam)(1e-3)
        loss = resolve_loss(self._given_loss(), self.output)
        if self._steps is None or not self._steps.are_of(self.model, loss, self.optimizer, self.training):
            self._steps = Steps(self.model, loss, self.optimizer, self.training)
            self._buckets = Buckets()
        return self._steps

    def _optimizer_state(self, steps: Steps) -> OptimizerState:
        if self._state is None:
            self._state = steps.start(steps.split(self.model))
        return self._state

    def _update(self, steps: Steps, trees: Trees) -> None:
        trained, self._state = steps.update(trees.trained, self._optimizer_state(steps))
        self._keep(steps, Trees(trained, trees.others))

    def _keep(self, steps: Steps, trees: Trees) -> None:
        self.model = steps.joined(self.model, trees)

    def _padded(self, steps: Steps, x: Array, y: Array, weight: Array | None) -> Rows:
        """Return the batch with as many rows as a size that is compiled already, where that changes no number."""
        if steps.loss.mean is None and not steps.mixes_rows:
            return Rows(*self._buckets.fill(x, y, weight))
        return Rows(x, y, np.ones(len(x), np.float32) if weight is None else weight)

    def _hyperparameters(self) -> dict[str, Any]:
        state = self._optimizer_state(self._compiled())
        found = getattr(state.optimizer, "hyperparams", None)
        if found is None or "learning_rate" not in found:
            raise ModelError(
                f"The optimizer of {type(self).__name__} does not keep its learning rate where it can be changed. "
                "Wrap it: optax.inject_hyperparams(optax.adamw)(1e-3)."
            )
        rates: dict[str, Any] = found
        return rates

    def _check_logits(self, steps: Steps, output: Array) -> None:
        """Refuse a module that ends in a softmax for a loss that takes logits."""
        if self.hist["train_loss"] or not steps.loss.takes_logits or output.ndim < 2 or output.shape[1] < 2:
            return
        if output.min() >= 0 and (np.abs(output.sum(axis=1) - 1) < 1e-3).all():
            raise ModelError(
                f"The outputs of {type(self).__name__} are probabilities, and the loss takes logits. "
                "Remove the softmax at the end of the module; predictions are probabilities without it."
            )
