"""The adapter for native TensorFlow: a ``tf.Module``, a loss, and one compiled step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cardioflow.errors import DumpError, MissingDependencyError, ModelError
from cardioflow.models._seed import seeded
from cardioflow.models._weights import check_weights
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader

try:
    import tensorflow as tf
except ImportError as error:
    raise MissingDependencyError(
        "TensorFlow is not installed, and this model needs it. Install it: pip install 'cardioflow[tensorflow]'."
    ) from error

from cardioflow.models._tensorflow.adam import Adam
from cardioflow.models._tensorflow.any_size import AnySize, any_length
from cardioflow.models._tensorflow.random import seeded_ops, unseeded_ops

__all__ = ["Adam", "TensorFlowBaseModel"]

Array = NDArray[Any]


class _Steps(NamedTuple):
    """The compiled functions, and the objects that they were compiled from."""

    train: Callable[[Any, Any, Any], Any]
    test: Callable[[Any, Any], Any]
    parts: tuple[Any, Any, Any]


class TensorFlowBaseModel(BackendModel):
    """A model written in TensorFlow itself, independent of the backend of Keras.

    ``build`` sets ``self.model``, a ``tf.Module`` with ``__call__(x, training=False)``
    for x of shape (record, lead, time); ``self.loss``, a function of (y_true,
    y_pred) that returns one number; and optionally ``self.optimizer``, with
    ``apply_gradients`` of (gradient, variable) pairs, by default ``Adam()``.
    It returns ``self``. A dump holds the variables by name: ``load`` fills a
    model that was built.
    """

    adapter = "tensorflow"
    cannot: ClassVar[Mapping[str, str]] = {
        "device": "Build and run the model inside tf.device(…).",
        "precision": "Cast inside the module.",
        "accumulate": "Let the optimizer's apply_gradients add them up.",
        "clip_norm": "Clip in the optimizer's apply_gradients.",
        "class_weights": "Weight the records in self.loss, which gets the targets.",
        "sample_weights": "Weight the records in self.loss, which gets the targets.",
        "compile": "It is always compiled.",
        "freeze": "Make its variables with trainable=False.",
        "layer_decay": "Scale the steps in the optimizer's apply_gradients.",
    }

    def __init__(self) -> None:
        super().__init__()
        self.loss: Callable[[Any, Any], Any] | None = None
        self.optimizer: Any = None
        self._steps: _Steps | None = None
        self._predictor: Any = None
        self._unseeded: tuple[str, ...] = ()
        """Random operations of a step whose state cannot be saved."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle and deepcopy, without the compiled functions."""
        return {**self.__dict__, "_steps": None, "_predictor": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self.optimizer, Adam) and self.optimizer.state:
            self.optimizer.bind(self._trainable())

    def get_learning_rate(self) -> float:
        return float(self._rate().numpy())

    def set_learning_rate(self, rate: float) -> None:
        self._rate().assign(rate)

    def get_weights(self) -> list[Array]:
        self._require_model()
        return [np.array(v.numpy()) for v in self._model_variables().values()]

    def set_weights(self, weights: Sequence[Array]) -> None:
        check_weights(type(self).__name__, self.get_weights(), weights)
        for variable, value in zip(self._model_variables().values(), weights, strict=True):
            variable.assign(value)

    # -- what an adapter implements -------------------------------------------

    def _train(self, x: Array, y: Array) -> tuple[float, Array]:
        loss, predictions = self._compiled(x, y).train(x, y, np.int64(len(self.hist["train_loss"])))
        return float(loss), predictions.numpy()

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        loss, predictions = self._compiled(x, y).test(x, y)
        return float(loss), predictions.numpy()

    def _predict(self, x: Array) -> Array:
        if self._predictor is None or self._predictor[0] is not self.model:
            model = self.model
            # A module may create its variables at its first call, which a graph may not.
            with seeded(self.seed + 1):
                model(tf.constant(x[:1]), training=False)
            self._predictor = model, AnySize(lambda x: model(x, training=False), any_length)
        found: Array = self._predictor[1](x).numpy()
        return found

    def _write(self, folder: Path) -> str:
        tensors = {name: np.array(v.numpy(), order="C") for name, v in self._saved().items()}
        save_file(tensors, folder / "weights.safetensors")
        return "weights.safetensors"

    def _write_state(self, folder: Path) -> str:
        if self._unseeded:
            raise ModelError(
                f"{type(self).__name__} draws random numbers with {', '.join(self._unseeded)}, whose state TensorFlow "
                "does not show, so that its training cannot go on to the same numbers. Use tf.nn.dropout, "
                "tf.random.uniform, normal, truncated_normal or shuffle, or leave checkpoint= out."
            )
        optimizer = self.optimizer
        if optimizer is not None and not isinstance(optimizer, Adam) and _keeps_variables(optimizer):
            raise ModelError(
                f"The optimizer of {type(self).__name__}, a {type(optimizer).__name__}, has variables that cannot be "
                "saved by name, so that its training cannot go on to the same numbers. Derive it from tf.Module, use "
                "Adam of cardioflow.models.tensorflow, or leave checkpoint= out."
            )
        return self._write(folder)

    def _training(self) -> dict[str, Array]:
        found = super()._training()
        if isinstance(self.optimizer, tf.Module):
            found |= {f"module/{i}": v.numpy() for i, v in enumerate(self.optimizer.variables)}
        return found

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        if isinstance(self.optimizer, tf.Module):
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(arrays[f"module/{i}"])

    def _read(self, weights: Path, header: DumpHeader) -> None:
        if self.model is None:
            raise DumpError(
                f"The dump of {header.model} holds the variables of a TensorFlow model and not its layers. "
                "Call build(…) first, and load(path) on what it returns."
            )
        try:
            tensors = load_file(weights)
        except (SafetensorError, OSError, ValueError) as error:
            raise DumpError(f"The weights of {header.model} are damaged: {error}. Save the model again.") from error
        state = {name for name in tensors if name.startswith("optimizer/")}
        saved = {name: tensor for name, tensor in tensors.items() if name not in state}
        if header.input_shape and saved.keys() - self._model_variables().keys():
            # Some modules create variables at their first call. One that cannot take this shape is refused below.
            with suppress(tf.errors.OpError, ValueError):
                self.model(tf.zeros((1, *header.input_shape)), training=False)
        _fill(self._model_variables(), saved, header.model)
        if state:
            self._default_optimizer()
            if isinstance(self.optimizer, Adam):
                _fill(self._optimizer_variables(), {k: tensors[k] for k in state}, header.model)

    # -- inside ----------------------------------------------------------------

    def _rate(self) -> Any:
        self.optimizer = self.optimizer or Adam()
        rate = getattr(self.optimizer, "learning_rate", None)
        if not isinstance(rate, tf.Variable):
            # A compiled step would keep a number that it was compiled with.
            raise ModelError(
                f"The optimizer of {type(self).__name__}, a {type(self.optimizer).__name__}, does not have a "
                "learning_rate that is a tf.Variable, so that it cannot be changed. "
                "Use Adam of cardioflow.models.tensorflow."
            )
        return rate

    def _model_variables(self) -> dict[str, Any]:
        """Return the variables by the path of attributes that leads to each, as ``"model/layers/0/kernel"``."""
        found = self.model._flatten(predicate=lambda v: isinstance(v, tf.Variable), with_path=True)
        return {"/".join(("model", *map(str, path))): variable for path, variable in found}

    def _optimizer_variables(self) -> dict[str, Any]:
        return {f"optimizer/{name}": variable for name, variable in self.optimizer.state.items()}

    def _saved(self) -> dict[str, Any]:
        """Return the variables that are saved: the model's and, if the optimizer is our Adam, its own."""
        ours = isinstance(self.optimizer, Adam)
        return self._model_variables() | (self._optimizer_variables() if ours else {})

    def _default_optimizer(self) -> None:
        self.optimizer = self.optimizer or Adam()
        if isinstance(self.optimizer, Adam) and not self.optimizer.state:
            self.optimizer.build(self._trainable())

    def _trainable(self) -> dict[str, Any]:
        return {name: variable for name, variable in self._model_variables().items() if variable.trainable}

    def _compiled(self, x: Array, y: Array) -> _Steps:
        if self._steps is not None and self._steps.parts == (self.model, self.loss, self.optimizer):
            return self._steps
        self._try_one_row(x, y)
        self._default_optimizer()
        model, optimizer, seed = self.model, self.optimizer, self.seed
        loss: Any = self.loss

        def train(x: Any, y: Any, step: Any) -> Any:
            # The graph's own seed, for operations that cannot have one per step: TensorFlow's global one may be that
            # of a model built meanwhile.
            graph = tf.compat.v1.get_default_graph()
            graph.seed = seed
            with tf.GradientTape() as tape, seeded_ops(seed, step):
                predictions = model(x, training=True)
                value = loss(y, predictions)
            self._unseeded = unseeded_ops(graph)
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
            return value, predictions

        def test(x: Any, y: Any) -> Any:
            predictions = model(x, training=False)
            return loss(y, predictions), predictions

        self._steps = _Steps(AnySize(train, any_length), AnySize(test, any_length), (model, loss, optimizer))
        return self._steps

    def _try_one_row(self, x: Array, y: Array) -> None:
        """Run one row uncompiled, which creates the variables and gives readable errors."""
        if self.loss is None:
            raise ModelError(
                f"{type(self).__name__} has no loss. Set self.loss in build, to a function of (y_true, y_pred)."
            )
        with seeded(self.seed + 1):
            output = self.model(tf.constant(x[:1]), training=False)
        try:
            value = tf.convert_to_tensor(self.loss(tf.constant(y[:1]), output))
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            raise ModelError(
                f"The loss of {type(self).__name__} cannot be computed from targets of shape {y[:1].shape} and outputs "
                f"of shape {tuple(output.shape)}, of one record. Let the module return what the loss takes."
            ) from error
        if value.shape.rank:
            raise ModelError(
                f"The loss of {type(self).__name__} is an array of shape {tuple(value.shape)} and not one number. "
                "Average it with tf.reduce_mean."
            )


def _keeps_variables(optimizer: Any) -> bool:
    """Return whether an optimizer that is not a ``tf.Module`` has variables besides its learning rate."""
    if isinstance(optimizer, tf.Module):
        return False
    held = {name: value for name, value in vars(optimizer).items() if name != "learning_rate"}
    return any(isinstance(value, tf.Variable) for value in tf.nest.flatten(list(held.values())))


def _fill(own: Mapping[str, Any], saved: Mapping[str, Array], model: str) -> None:
    """Assign the saved values to all variables, or to none.

    Raises:
        DumpError: where names, shapes or types differ.
    """
    for names, what in ((set(own) - set(saved), "lacks"), (set(saved) - set(own), "has")):
        if names:
            shown = ", ".join(sorted(names)[:4]) + (", …" if len(names) > 4 else "")
            raise DumpError(f"The dump of {model} {what} {shown}, unlike this model. Build the model that was saved.")
    for name, variable in own.items():
        found = saved[name]
        if tuple(variable.shape) != found.shape or variable.dtype.as_numpy_dtype != found.dtype:
            raise DumpError(
                f"{name} is {found.dtype} of shape {found.shape} in the dump of {model}, and "
                f"{variable.dtype.name} of shape {tuple(variable.shape)} in this model. Build the model that was saved."
            )
    for name, variable in own.items():
        variable.assign(saved[name])
