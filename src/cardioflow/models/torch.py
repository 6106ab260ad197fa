"""The adapter for plain PyTorch: an ``nn.Module``, a loss, and an optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.freed_memory import keep_freed_memory
from cardioflow.core.random_keys import record_keys
from cardioflow.errors import DumpError, MissingDependencyError, ModelError
from cardioflow.models._seed import isolated
from cardioflow.models._weights import check_weights
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader

try:
    import torch
except ImportError as error:
    raise MissingDependencyError(
        "PyTorch is not installed, and this model needs it. Install it: pip install 'cardioflow[torch]'."
    ) from error

from cardioflow.models._torch.device import autocast, device_of
from cardioflow.models._torch.loss import LOSSES, TorchLoss, resolve_loss
from cardioflow.models._torch.parts import freeze_parts, rates_by_part
from cardioflow.models._torch.replicas import TorchReplicas
from cardioflow.models._torch.seed import seed_step
from cardioflow.models._torch.state import read_state, unwrapped, write_state

__all__ = ["TorchBaseModel"]

Array = NDArray[Any]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class TorchBaseModel(BackendModel):
    """A model written in PyTorch, independent of Keras.

    ``build`` sets ``self.model``, an ``nn.Module`` for signals of shape
    (record, lead, time), and returns ``self``. It may also set

    - ``self.loss``: ``"cross_entropy"`` or ``"binary_cross_entropy"``, for which
      the module returns logits, (record, class), or (record, state, time) for a
      label per sample; ``"mse"``, ``"mae"`` or ``"huber"``; the name of a loss of
      ``cardioflow.models.losses``, or one of them, which take logits too; or a function of
      (output, target), such as a loss of ``torch.nn``. By default the usual one
      for what the model learns. Predictions are probabilities: after
      ``"cross_entropy"`` a softmax, after ``"binary_cross_entropy"`` a sigmoid.
      After your own function they are the outputs, or what
      ``self.activation`` makes of them.
    - ``self.optimizer``: one of ``torch.optim`` over the module's parameters, by
      default Adam with a learning rate of 0.001.
    - ``self.training``: device, precision, accumulation, clipping, weights,
      compilation (``TrainingOptions``).

    A dump holds weights and the optimizer's state: ``load`` fills a model that was built.
    """

    adapter = "torch"
    cannot: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.loss: str | Loss | None = None
        self.activation: Callable[[torch.Tensor], torch.Tensor] | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self._pending = 0
        """The number of batches whose gradients have been added up since the last update."""
        self._compiled: Any = None
        self._placed: Any = None
        """The module that ``_compiled`` was made from, on ``_device``."""
        self._device = torch.device("cpu")
        self._buffers: list[torch.Tensor] = []
        """What the forward pass may change, such as running means."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle and deepcopy, without the compiled module."""
        # A copy of a parameter has no gradient.
        gradients = [p.grad for p in self._parameters()] if self._pending else []
        return {**self.__dict__, "_compiled": None, "_placed": None, "_buffers": [], "gradients": gradients}

    def __setstate__(self, state: dict[str, Any]) -> None:
        gradients = state.pop("gradients")
        self.__dict__.update(state)
        for parameter, gradient in zip(self._parameters() if gradients else [], gradients, strict=True):
            parameter.grad = gradient

    def get_learning_rate(self) -> float:
        return float(self._optimizer().param_groups[0]["lr"])

    def set_learning_rate(self, rate: float) -> None:
        """Use ``rate`` for the first group of parameters; the rates of other groups keep their ratio to it."""
        groups = self._optimizer().param_groups
        first = float(groups[0]["lr"])
        ratios = [float(group["lr"]) / first if first else 1.0 for group in groups]
        for group, ratio in zip(groups, ratios, strict=True):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio

    def get_weights(self) -> list[Array]:
        self._require_model()
        return [t.detach().cpu().numpy().copy() for t in unwrapped(self.model).state_dict().values()]

    def set_weights(self, weights: Sequence[Array]) -> None:
        check_weights(type(self).__name__, self.get_weights(), weights)
        with torch.no_grad():
            for own, value in zip(unwrapped(self.model).state_dict().values(), weights, strict=True):
                own.copy_(torch.from_numpy(np.array(value)))

    def end_epoch(self, epoch: int) -> dict[str, float]:
        # Otherwise the gradients of the last batches of a run would be lost.
        if self._pending:
            self._update(self._optimizer())
        return super().end_epoch(epoch)

    # -- what an adapter implements -------------------------------------------

    @property
    def together(self) -> Literal["torch", "jax", ""]:
        return "torch"

    def begin_together(self, first: EcgBatch) -> None:
        super().begin_together(first)
        if self._loss().rows is None:
            raise ModelError(
                f"The loss of {type(self).__name__} gives one number for a whole batch, which several processes do not "
                f"have. Use a loss by name ({', '.join(LOSSES)}), or train by one process: trainers=0."
            )

    def _train(self, x: Array, y: Array, weight: Array | None = None) -> tuple[float, Array]:
        loss, module = self._loss(), self._module()
        optimizer = self._optimizer()
        module.train()
        freeze_parts(unwrapped(self.model), self.training)
        step = len(self.hist["train_loss"])
        if self.training.precision == "float16":
            raise ModelError(
                f'{type(self).__name__} cannot be trained with precision="float16": without loss scaling, gradients '
                'below 6e-8 become zero. Pass precision="bfloat16".'
            )
        # Running means, as of batch normalization, change in the forward pass.
        before = [buffer.clone() for buffer in self._buffers]
        with self._seeded_step(step):
            value, output = self._forward(module, loss, x, y, weight)
            share, mean = self._shared(len(x), value.item())
            if not math.isfinite(mean):
                # Before any gradient: the weights are still those of the last good update.
                with torch.no_grad():
                    for buffer, own in zip(self._buffers, before, strict=True):
                        buffer.copy_(own)
                return mean, self._predictions(loss, output)
            torch.autograd.backward(value if self.replicas is None else value * share)
            self._learn(optimizer, share)
        return mean, self._predictions(loss, output)

    def _train_without_rows(self) -> float | None:
        replicas = self._replicas()
        found = None if replicas is None else replicas.share(0, 0.0)
        if found is not None and math.isfinite(found[1]):
            self._module()
            self._learn(self._optimizer(), 0.0)
        return None if found is None else found[1]

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        loss, module = self._loss(), self._module()
        module.eval()
        with torch.no_grad():
            value, output = self._forward(module, loss, x, y, None)
        return value.item(), self._predictions(loss, output)

    def _predict(self, x: Array) -> Array:
        module = self._module()
        module.eval()
        with torch.no_grad(), autocast(self._device, self.training):
            output = module(self._tensor(x))
        return self._predictions(self._loss(), self._checked_output(output))

    def _write(self, folder: Path) -> str:
        path = folder / "weights.safetensors"
        write_state(path, unwrapped(self.model), self.optimizer)
        return path.name

    def _read(self, weights: Path, header: DumpHeader) -> None:
        if self.model is None:
            raise DumpError(
                f"The dump of {header.model} holds the weights of a PyTorch model and not its layers. "
                "Call build(…) first, and load(path) on what it returns."
            )
        read_state(weights, unwrapped(self.model), self._optimizer(), header.model)
        # Gradients of batches that waited for their update are of the weights before.
        self._optimizer().zero_grad(set_to_none=True)
        self._pending = 0

    def _training(self) -> dict[str, Array]:
        found = super()._training()
        if self._pending:
            # Gradients of batches that wait for their update.
            found["pending"] = np.array(self._pending)
            grads = ((i, p.grad) for i, p in enumerate(self._parameters()))
            found |= {f"gradient/{i}": g.detach().cpu().numpy().copy() for i, g in grads if g is not None}
        return found

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        self._pending = int(arrays.get("pending", 0))
        for i, parameter in enumerate(self._parameters()):
            grad = arrays.get(f"gradient/{i}")
            parameter.grad = None if grad is None else torch.from_numpy(grad.copy()).to(parameter.device)

    # -- inside ----------------------------------------------------------------

    def _forward(
        self, module: Any, loss: TorchLoss, x: Array, y: Array, weight: Array | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        target = self._tensor(y)
        with autocast(self._device, self.training):
            output = self._checked_output(module(self._tensor(x)))
        # In float32: a loss of bfloat16 has two digits.
        output = output.float()
        self._check_logits(loss, output)
        try:
            value = loss.weighted(output, target, None if weight is None else self._tensor(weight))
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"The loss of {type(self).__name__} cannot be computed from outputs of shape {tuple(output.shape)} and "
                f"targets of shape {tuple(target.shape)}, {target.dtype}. {error}"
            ) from error
        if value.ndim:
            raise ModelError(
                f"The loss of {type(self).__name__} is an array of shape {tuple(value.shape)} and not one number. "
                "Average it with .mean()."
            )
        return value, output

    def _replicas(self) -> TorchReplicas | None:
        # The driver of a cluster gives each adapter those of its kind.
        return self.replicas if isinstance(self.replicas, TorchReplicas) else None

    def _shared(self, n_rows: int, loss: float) -> tuple[float, float]:
        """Return the share of the batch that is here, and the loss of the whole batch."""
        replicas = self._replicas()
        found = None if replicas is None else replicas.share(n_rows, loss)
        return found or (1.0, loss)

    def _learn(self, optimizer: torch.optim.Optimizer, share: float) -> None:
        """Count a batch whose gradients were added, and update the weights when there are enough."""
        replicas = self._replicas()
        if replicas is not None:
            replicas.average(self._buffers, share)
        self._pending += 1
        # More, where accumulate was lowered meanwhile.
        if self._pending >= self.training.accumulate:
            self._update(optimizer)

    def _update(self, optimizer: torch.optim.Optimizer) -> None:
        replicas = self._replicas()
        if replicas is not None:
            replicas.add_gradients(self._parameters())
        if self._pending > 1:
            # The mean over the batches that were added up.
            for parameter in self._parameters():
                if parameter.grad is not None:
                    parameter.grad.div_(self._pending)
        if self.training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._parameters(), self.training.clip_norm)
        if self.training.layer_decay == 1:
            optimizer.step()
        else:
            with rates_by_part(unwrapped(self.model), self.training):
                optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self._pending = 0

    def _parameters(self) -> list[torch.nn.Parameter]:
        return list(unwrapped(self.model).parameters())

    def _loss(self) -> TorchLoss:
        return resolve_loss(self._given_loss(), self.output)

    def _optimizer(self) -> torch.optim.Optimizer:
        self._require_model()
        if self.optimizer is None:
            self.optimizer = torch.optim.Adam(self._parameters(), 1e-3)
        return self.optimizer

    def _module(self) -> Any:
        """Return the module on its device, compiled if that was asked for."""
        if self._placed is not self.model:
            if not isinstance(self.model, torch.nn.Module):
                raise ModelError(f"self.model is a {type(self.model).__name__} and not a torch.nn.Module.")
            self._device = device_of(self.training.device)
            if self._device.type == "cpu":
                keep_freed_memory()
            self.model.to(self._device)
            self._compiled = torch.compile(self.model, dynamic=True) if self.training.compile else self.model
            self._placed = self.model
            self._buffers = [b for b in unwrapped(self.model).buffers() if b is not None]
        return self._compiled

    def _tensor(self, values: Array) -> torch.Tensor:
        # A tensor over read-only memory could be written through, and torch warns of it.
        own = values if values.flags.writeable else values.copy()
        return torch.from_numpy(own).to(self._device)

    def _checked_output(self, output: Any) -> torch.Tensor:
        if not isinstance(output, torch.Tensor):
            raise ModelError(
                f"The module of {type(self).__name__} returns a {type(output).__name__}, and one tensor was expected. "
                "Return the output that the loss takes."
            )
        return output

    def _check_logits(self, loss: TorchLoss, output: torch.Tensor) -> None:
        """Refuse a module that ends in a softmax for a loss that takes logits: PyTorch computes it without a word."""
        if self.hist["train_loss"] or self.hist["val_loss"] or output.ndim < 2 or output.shape[1] < 2:
            return
        logits = isinstance(self.loss, torch.nn.CrossEntropyLoss) or loss.takes_logits
        low, total = output.detach().min().item(), output.detach().sum(dim=1)
        if logits and low >= 0 and bool((total - 1).abs().max() < 1e-3):
            raise ModelError(
                f"The outputs of {type(self).__name__} are probabilities, and the loss takes logits. "
                "Remove the softmax at the end of the module; predictions are probabilities without it."
            )

    def _predictions(self, loss: TorchLoss, output: torch.Tensor) -> Array:
        with torch.no_grad():
            found: Array = (self.activation or loss.predict)(output.float()).cpu().numpy()
        return found

    @contextmanager
    def _seeded_step(self, step: int) -> Iterator[None]:
        """Draw dropout from the model's seed and the number of the step, as the other backends do."""
        with isolated():
            # Processes that train together draw other numbers for other rows.
            own = f"/{self.replicas.rank}" if self.replicas is not None and self.replicas.rank else ""
            seed_step(int(record_keys([f"{self.seed}/{step}/torch{own}"])[0]) >> 1)
            yield
