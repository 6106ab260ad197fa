"""What training and testing on a batch share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.pipeline.expressions import V
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.context import RunContext

__all__ = ["LearningStep"]


class LearningStep(StatefulStep):
    """Ask a model for loss and metrics on every batch, and report them to the run."""

    names_model: ClassVar[bool] = True
    stage: ClassVar[str]

    def __init__(self, name: str, metrics: Any = None, *, save_to: V | None = None, **kwargs: Any) -> None:
        if save_to is not None and not isinstance(save_to, V):
            raise InputError(f"save_to={save_to!r}: the loss is written to a variable. Pass V('name').")
        self.model_name = name
        self.metrics = metrics
        self.save_to = save_to
        self.kwargs: Mapping[str, Any] = kwargs

    @abstractmethod
    def learn(self, model: BaseModel, batch: EcgBatch, **kwargs: Any) -> dict[str, float]:
        """Return the loss and the metrics of ``batch``."""

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        model = context.models.get(self.model_name, batch)
        found = self.learn(model, batch, metrics=self.metrics, **self.kwargs)
        if not isinstance(found, Mapping):
            raise ModelError(
                f"The model {self.model_name!r} returned {type(found).__name__} from {self.action_name}, where a "
                f"dictionary of its loss and metrics was expected, such as {{'loss': 0.5}}. Return {{}} if it has none."
            )
        if self.stage == "train":
            context.models.trained(self.model_name)
        context.report(self.model_name, self.stage, found)
        if self.save_to is not None:
            if "loss" not in found:
                raise ConfigError(
                    f"The model {self.model_name!r} learns at the end of an epoch or run, so a batch has no loss "
                    f"for save_to. Leave it out and read the variable '{self.model_name}.train_loss'."
                )
            context.variables.save(self.save_to, found["loss"])
        return batch

    def __str__(self) -> str:
        return f"{self.action_name}({self.model_name!r})"
