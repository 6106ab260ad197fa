"""Loss and metrics on another data set while a model is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, final

from cardioflow.errors import ConfigError, InputError
from cardioflow.models.evaluation import Evaluation, resolve
from cardioflow.pipeline.callbacks._batch_source import BatchSource
from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import Skipped
    from cardioflow.pipeline.context import RunContext

__all__ = ["Evaluate"]

_BATCH_SIZE = 64
_ASKING = ("train_on_batch", "test_on_batch", "predict_on_batch")
_STAGES = ("train", "val")


@final
class Evaluate(Remembering):
    """Ask the model about all of another data set, and compute the loss and each metric once, from all of it.

    The mean of a metric over batches is another number: the area under a curve,
    or a macro F1, of 64 records is not that of 6 400. The predictions of a
    record's segments are averaged, and the record counts once; the loss is the
    mean over all rows. The model and its history do not change.

    The figures go to the variables ``"<model>.eval_loss"``,
    ``"<model>.eval_roc_auc"`` and so on, one number per evaluation. Callbacks
    act in their order: pass ``Evaluate`` before those that follow its figures.

    Args:
        source: ``dataset >> template``, whose template prepares records and has no step that trains, tests or predicts.
            The arguments of a recorded ``template.run(batch_size, …)`` are used; the batch size is 64 otherwise. Every
            evaluation draws the whole data set once, in order, with the same random numbers.
        metrics: A metric or several, as for ``train_on_batch``; each is reported under its own name.
        model: The name of the model; by default the only one that the run has.
        every: ``"epoch"``, ``"run"`` for its end only, or after how many batches.
        name: The first part of the variables' names, for several data sets: ``name="test"`` gives ``"test_loss"``.
        per: ``"record"``, or ``"segment"`` where each segment counts.
        kwargs: ``response=`` and the metrics' own arguments, as for ``train_on_batch``.

    Raises:
        InputError: for a source that is not a bound pipeline, or that trains, tests or predicts.
        ConfigError: for an argument that is none of those above.
    """

    def __init__(
        self,
        source: BatchSource,
        metrics: Any = None,
        *,
        model: str | None = None,
        every: Literal["epoch", "run"] | int = "epoch",
        name: str = "eval",
        per: Literal["record", "segment"] = "record",
        **kwargs: Any,
    ) -> None:
        if not isinstance(source, BatchSource):
            raise InputError(
                f"Evaluate({source!r}) is not a pipeline that is bound to a data set. Pass dataset >> template."
            )
        asking = next((step for step in source.steps if step.name in _ASKING), None)
        if asking is not None:
            raise InputError(
                f"Evaluate(…): the pipeline has the step {asking}, and Evaluate asks the model itself. Leave the "
                "step out and pass metrics= to Evaluate."
            )
        is_number = isinstance(every, int) and not isinstance(every, bool) and every > 0
        if every not in ("epoch", "run") and not is_number:
            raise ConfigError(f"Evaluate(every={every!r}): expected 'epoch', 'run' or a number of batches.")
        if per not in ("record", "segment"):
            raise ConfigError(f"Evaluate(per={per!r}): expected 'record' or 'segment'.")
        if not isinstance(name, str) or not name.isidentifier():
            raise ConfigError(f"Evaluate(name={name!r}): expected a name of letters, digits and underscores.")
        if name in _STAGES:
            raise ConfigError(f"Evaluate(name={name!r}): the losses of batches have this name. Pass another one.")
        super().__init__()
        self.source = source
        self.metrics = resolve(metrics, kwargs.pop("response", None), kwargs)
        self.model = model
        self.every = every
        self.name = name
        self.per = per
        self.skipped: tuple[Skipped, ...] = ()
        """Records that the last evaluation left out (``on_error="skip"``)."""
        self._model = ""

    def fresh(self) -> dict[str, Any]:
        return {}

    def run_start(self, context: RunContext) -> None:
        is_new = self.begins_with(context)
        super().run_start(context)
        self._model = context.models.chosen(self.model, "Evaluate")
        for what in ("loss", *(metric.name for metric in self.metrics)):
            variable = f"{self._model}.{self.name}_{what}"
            if is_new and variable in context.variables:
                raise ConfigError(
                    f"Evaluate(name={self.name!r}): the run already has the variable {variable!r}, such as that of "
                    "another Evaluate. Pass another name."
                )
            # So that those that follow a figure know its name before the first evaluation.
            context.variables.extend(variable, [])

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        if isinstance(self.every, int) and (logs.number + 1) % self.every == 0:
            self._evaluate(context)

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        if self.every == "epoch":
            self._evaluate(context)

    def run_end(self, context: RunContext) -> None:
        if self.every == "run":
            self._evaluate(context)

    def _evaluate(self, context: RunContext) -> None:
        evaluation = Evaluation(context.models.get(self._model), self.metrics, self.per)
        fixed = {"n_epochs": 1, "shuffle": False, "drop_last": False, "progress": False, "callbacks": ()}
        arguments = {"batch_size": _BATCH_SIZE, **self.source.run_arguments, **fixed}
        self.skipped = self.source.for_each_batch(evaluation.add, arguments)
        if not evaluation.n_rows:
            raise InputError(
                f"Evaluate(name={self.name!r}): no record of the data set came through the pipeline"
                f"{f'; {len(self.skipped)} were skipped' if self.skipped else ''}. Check its filters."
            )
        for what, value in evaluation.scores().items():
            context.variables.append(f"{self._model}.{self.name}_{what}", value)
