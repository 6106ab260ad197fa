"""The adapter for Keras 3, on its torch, jax and tensorflow backends."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

import cardioflow.models.layers
import cardioflow.models.losses._keras  # noqa: F401 -- both register our classes, so that dumps that hold them load
from cardioflow.core.freed_memory import keep_freed_memory
from cardioflow.errors import DumpError, ModelError
from cardioflow.models._buckets import Buckets
from cardioflow.models._keras.archive import check_archive, limited_weights
from cardioflow.models._keras.backend import keras
from cardioflow.models._keras.kernels import release_loading
from cardioflow.models._keras.loss import compute_loss_from_probabilities
from cardioflow.models._keras.options import set_optimizer_options
from cardioflow.models._keras.parts import set_parts
from cardioflow.models._keras.rng import seeded_step
from cardioflow.models._seed import isolated
from cardioflow.models._weights import check_weights
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader

__all__ = ["KerasBaseModel"]

Array = NDArray[Any]

_PREDICTIONS = "__predictions__"
"""The key under which a step returns its predictions; no metric of Keras has this name."""

_NOT_COMPILED = "The model of {} is not compiled. Call self.model.compile(loss=…, optimizer=…) in build."

_log = logging.getLogger(__name__)


class KerasBaseModel(BackendModel):
    """A Keras model in a pipeline; a subclass defines the layers in ``build``.

    ``build(input_shape)`` sets ``self.model``, compiled, and returns ``self``.
    Loading needs no subclass: ``KerasBaseModel().load(path)`` reads a dump or a
    plain ``.keras`` file.
    """

    adapter = "keras"
    holds_architecture = True
    predicts: ClassVar[Literal["outputs", "shares"]] = "outputs"
    """What a prediction is: what the Keras model outputs, or that divided by its sum over the labels."""
    cannot: ClassVar[Mapping[str, str]] = {
        "device": "Keras chooses it for all models: build and run inside keras.device(…).",
        "precision": 'Layers have it when they are made: call keras.config.set_dtype_policy("mixed_bfloat16") first.',
        "compile": "Pass jit_compile=… to self.model.compile.",
    }

    def __init__(self) -> None:
        super().__init__()
        self._observed: Any = None
        self._buckets: Buckets | None = None
        self._pads_steps = False

    @classmethod
    def accepts(cls, header: DumpHeader) -> bool:
        # A plain .keras file has no weights beside it, and does not say which class built it.
        return (header.weights is None and header.adapter == cls.adapter) or super().accepts(header)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle and deepcopy: the Keras model as Keras itself rebuilds it, without our hooks."""
        state = {**self.__dict__, "_observed": None, "_buckets": None, "_pads_steps": False}
        if self.model is not None:
            self._build_optimizer()
            state["model"] = self.model.__reduce__()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.model is not None:
            rebuild, arguments = state["model"]
            # Layers draw seeds for their first weights, which are then overwritten.
            with isolated():
                self.model = rebuild(*arguments)

    @property
    def backend(self) -> str:
        return f"keras on {keras.config.backend()}"

    def model_summary(self) -> None:
        """Print the layers with their shapes and numbers of parameters."""
        self._require_model()
        self.model.summary()

    def get_learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self._optimizer_with_rate().learning_rate))

    def set_learning_rate(self, rate: float) -> None:
        self._optimizer_with_rate().learning_rate = rate

    def get_weights(self) -> list[Array]:
        self._require_model()
        # Copied, because on torch they share memory with the model.
        return [np.array(w) for w in self.model.get_weights()]

    def set_weights(self, weights: Sequence[Array]) -> None:
        check_weights(type(self).__name__, self.get_weights(), weights)
        self.model.set_weights(list(weights))

    # -- what an adapter implements -------------------------------------------

    @property
    def together(self) -> Literal["torch", "jax", ""]:
        return "jax" if keras.config.backend() == "jax" else ""

    def _train_without_rows(self) -> float | None:
        with self._one_step():
            found = self._train_together(None, None, None)
        return None if found is None else found[0]

    def _train(self, x: Array, y: Array, weight: Array | None = None) -> tuple[float, Array]:
        with self._one_step():
            if self.replicas is not None:
                return self._train_together(x, y, weight) or (0.0, y)
            return self._run(self.model.train_on_batch, x, y, weight)

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        self._observe()
        return self._run(self.model.test_on_batch, x, y)

    def _predict(self, x: Array) -> Array:
        self._observe()
        n = len(x)
        if self._buckets is not None:
            x = self._buckets.rows(x)
        found = self.model.predict_on_batch(_own(x))
        if not isinstance(found, np.ndarray):
            raise ModelError(f"The model has {len(found)} outputs, and one was expected. Concatenate them into one.")
        return found[:n]

    def _write(self, folder: Path) -> str:
        self._build_optimizer()
        self.model.save(folder / "weights.keras")
        return "weights.keras"

    def _read(self, weights: Path, header: DumpHeader) -> None:
        n_weights = check_archive(weights)
        try:
            with isolated(), limited_weights(n_weights), warnings.catch_warnings():
                # A .keras file that was never trained: its optimizer starts from zero.
                warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
                # Safe mode: no Lambda, no marshalled code, no class outside Keras and what is registered.
                self.model = keras.saving.load_model(weights, safe_mode=True)
        except DumpError:
            raise
        except Exception as error:  # Keras raises a dozen types for a file that it cannot read.
            raise DumpError(
                f"The dump of {header.model} cannot be loaded by Keras: {_reason(error)} "
                "If it has custom layers, register them (keras.saving.register_keras_serializable) and import "
                "their module before loading."
            ) from error
        release_loading()
        # Keras saves what it chose for the backend it ran on. On torch, jax's choice would compile for half a minute.
        self.model._jit_compile = None

    def _read_state(self, weights: Path, header: DumpHeader) -> None:
        """Fill the model as it was built: its own layers, loss and way of compiling stay, and nothing is built."""
        if self.model is None:
            self._read(weights, header)
            return
        check_archive(weights)
        if not self.model.built and header.input_shape is not None:
            # A model that learns its shape from its first batch.
            self.model(np.zeros((1, *header.input_shape), np.float32))
        self._build_optimizer()
        try:
            with isolated():
                self.model.load_weights(weights)
        except Exception as error:  # Keras raises a dozen types for weights that do not fit.
            raise DumpError(
                f"The weights of {header.model} do not fit the model as it is built now: {_reason(error)} "
                "Build the model that was saved."
            ) from error

    def _training(self) -> dict[str, Array]:
        found = super()._training()
        return found if self._buckets is None else found | self._buckets.state()

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        self._observe()
        if self._buckets is not None:
            self._buckets.restore(arrays)

    def _takes_shape(self) -> tuple[int | None, ...] | None:
        # A subclass of keras.Model has no shape, and a Sequential none before its first batch.
        shape = getattr(self.model, "input_shape", None)
        return shape[1:] if isinstance(shape, tuple) and len(shape) == 3 else None

    def _count_states(self, x: Array) -> int:
        shape = getattr(self.model, "output_shape", None)
        # Known without a prediction, which some backends would compile.
        return int(shape[-1]) if isinstance(shape, tuple) and len(shape) == 3 else super()._count_states(x)

    # -- inside ----------------------------------------------------------------

    def _given_loss(self) -> Any:
        return getattr(self.model, "loss", None)

    def _require_compiled(self) -> Any:
        """Return the optimizer of the model."""
        self._require_model()
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None:
            raise ModelError(_NOT_COMPILED.format(type(self).__name__))
        return optimizer

    def _optimizer_with_rate(self) -> Any:
        """Return the optimizer, whose learning rate is a number.

        Raises:
            ModelError: when the model is not compiled, or its optimizer has a schedule.
        """
        optimizer = self._require_compiled()
        schedule = optimizer._learning_rate
        if not isinstance(schedule, keras.Variable):
            raise ModelError(
                f"The optimizer of {type(self).__name__} changes its learning rate itself, by "
                f"{type(schedule).__name__}. Compile the model with a number as learning_rate."
            )
        return optimizer

    def _build_optimizer(self) -> None:
        """Create the optimizer's variables; Keras otherwise saves two of six and warns when it loads them."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not optimizer.built and self.model.built:
            optimizer.build(self.model.trainable_variables)

    def _observe(self) -> None:
        """Make the model's steps return the predictions that they have computed.

        ``compute_metrics`` is replaced on the instance, because a second forward
        pass costs a third of a step, and a Keras metric that keeps predictions
        fails if a batch is smaller than the one before.
        """
        if self._observed is self.model:
            return
        model = self.model
        compute = type(model).compute_metrics

        def compute_metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
            logs = compute(model, x, y, y_pred, sample_weight)
            return {**logs, _PREDICTIONS: y_pred}

        model.compute_metrics = compute_metrics
        if keras.config.backend() == "tensorflow":
            from cardioflow.models._keras.any_size import compile_for_any_size  # TensorFlow, on which Keras runs here

            compute_loss_from_probabilities(model)
            compile_for_any_size(model)
        elif keras.config.backend() == "torch":
            keep_freed_memory()
        # Steps that were compiled before, for example by fit, do not have it.
        model.train_function = model.test_function = model.predict_function = None
        self._observed = model
        if keras.config.backend() == "jax":
            self._buckets = Buckets()
            self._pads_steps = self._paddable()

    def _run(self, step: Any, x: Array, y: Array, weight: Array | None = None) -> tuple[float, Array]:
        self._check_output(y)
        n = len(x)
        if self._buckets is not None and self._pads_steps:
            x, y, weight = self._buckets.fill(x, y, weight)
        if weight is not None:
            weight = self._by_value(weight)
        logs = step(_own(x), y, sample_weight=weight, return_dict=True)
        predictions = np.asarray(keras.ops.convert_to_numpy(logs[_PREDICTIONS]))
        # Keras turns a prediction that is a single number into a float.
        predictions = predictions.reshape(n, 1) if predictions.ndim == 0 else predictions[:n]
        return float(logs["loss"]), predictions

    def _by_value(self, weight: Array) -> Array:
        """Return the weights of the rows in a shape that goes with the values of the loss.

        A loss of Keras' own has a value for each but the last axis of the output,
        such as (row, lead) of an auto-encoder, and weights of (row,) would be
        taken for those of the leads.
        """
        shape, loss = getattr(self.model, "output_shape", None), self.model.loss
        ours = not isinstance(loss, str) and not type(loss).__module__.startswith("keras.")
        if ours or not isinstance(shape, tuple):
            return weight
        return weight.reshape(-1, *[1] * max(0, len(shape) - 2))

    @contextmanager
    def _one_step(self) -> Iterator[None]:
        """Train one step inside, with the options and the random numbers of it."""
        self._observe()
        if self.training.freeze is not None or self.training.layer_decay != 1:
            self._require_compiled()
            set_parts(self.model, self.training)
        set_optimizer_options(self.model, self.training)
        with seeded_step(self.model, self.seed, len(self.hist["train_loss"])):
            yield

    def _train_together(self, x: Array | None, y: Array | None, weight: Array | None) -> tuple[float, Array] | None:
        """Train on a batch whose rows are in several processes; ``None`` where it has none."""
        from cardioflow.models._jax.replicas import JaxReplicas  # brings jax, which other backends do not need

        replicas = cast("JaxReplicas", self.replicas)
        filled = replicas.fill(x, y, weight, pads=self._pads_steps)
        if filled is None:
            return None
        self._check_output(filled[1])
        weights = None if filled[2] is None else self._by_value(filled[2])
        logs = self.model.train_on_batch(filled[0], filled[1], sample_weight=weights, return_dict=True)
        n = 0 if x is None else len(x)
        return float(logs["loss"]), replicas.local(logs[_PREDICTIONS])[:n]

    def _check_output(self, y: Array) -> None:
        """Refuse a model whose last layer does not fit the targets; Keras says so in forty lines."""
        shape, loss = getattr(self.model, "output_shape", None), getattr(self.model, "loss", None)
        if loss is None:
            raise ModelError(_NOT_COMPILED.format(type(self).__name__))
        if isinstance(shape, (list, dict)):
            raise ModelError(f"The model has {len(shape)} outputs, and one was expected. Concatenate them into one.")
        # With a custom loss, the output may have another shape than the targets.
        if isinstance(shape, tuple) and isinstance(loss, str) and shape[1:] != y.shape[1:]:
            raise ModelError(
                f"The model returns {shape[1:]} per record, and the targets have {y.shape[1:]}. For the loss {loss!r}, "
                f"let it end in as many numbers as the targets have{_such_as(y)}."
            )

    def _paddable(self) -> bool:
        """Return whether a step on padded rows has the same loss and update as one on the rows alone."""
        loss = self.model.loss
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        own_loss = not isinstance(loss, (str, keras.losses.Loss)) or reduction != "sum_over_batch_size"
        batchnorm = any(isinstance(v, keras.layers.BatchNormalization) for v in self.model._flatten_layers())
        if own_loss or batchnorm:
            _log.warning(
                "%s would include the rows that batches are padded with, so batches are not padded, and jax compiles "
                "the model again, for some seconds, for every new batch size. Use drop_last=True or rebatch.",
                "Batch normalization" if batchnorm else "The loss",
            )
            return False
        return True


def _such_as(y: Array) -> str:
    return f", such as Flatten() and then Dense({y.shape[1]})" if y.ndim == 2 else ""


def _own(x: Array) -> Array:
    """Return an array that a backend may share: torch warns about memory that is read-only."""
    if keras.config.backend() == "torch" and not x.flags.writeable:
        return x.copy()
    return x


def _reason(error: BaseException) -> str:
    """Return the first line of the error, or the class that Keras did not find, which it hides in a long text."""
    found: BaseException | None = error
    while found is not None:
        missed, dot, _ = str(found).partition(". ")
        if missed.startswith("Could not locate class"):
            return missed + dot.strip()
        found = found.__cause__ or found.__context__
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"
