"""Change the learning rate from step to step, or when a figure no longer becomes better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from cardioflow.errors import ConfigError
from cardioflow.pipeline.callbacks._monitor import Mode, Monitor
from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks._schedules import Constant, Cosine, OneCycle, Schedule, check_number
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.context import RunContext

__all__ = ["LearningRate"]


@final
@dataclass(frozen=True)
class _Plateau:
    """Multiply the rate by ``factor`` after ``patience`` epochs without an improvement."""

    monitor: Monitor
    factor: float
    patience: int
    min_rate: float


@final
class LearningRate(Remembering):
    """Set the learning rate of a model before every batch.

    ``constant``, ``cosine``, ``one_cycle`` and ``plateau`` make it. A step is a
    drawn batch. The rate of the first step is set as soon as the model is
    built, before its first update. Every rate goes to the variable
    ``"<model>.learning_rate"``; the last one stays when the run has ended.
    Works for models of every backend that have a learning rate; others are
    refused by name.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        n_steps: int | None = None,
        plateau: _Plateau | None = None,
        model: str | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(schedule, Schedule):
            raise ConfigError(
                f"LearningRate({schedule!r}) is not a schedule. Call LearningRate.cosine(…), .one_cycle(…), "
                ".constant(…) or .plateau(…)."
            )
        if n_steps is not None:
            _check_count("n_steps", n_steps, 1)
        self.schedule = schedule
        self.n_steps = n_steps
        self.plateau_rule = plateau
        self.model = model
        self._target: BaseModel | None = None
        self._name = ""
        self._length = 0

    # -- ways to make it ------------------------------------------------------

    @classmethod
    def constant(cls, rate: float, *, warmup: int = 0, model: str | None = None) -> Self:
        """Return one that keeps ``rate``, after ``warmup`` steps on a straight line to it.

        Raises:
            ConfigError: for an argument that is out of its range.
        """
        _check_rate(rate)
        _check_count("warmup", warmup, 0)
        return cls(Constant(float(rate), warmup), model=model)

    @classmethod
    def cosine(
        cls, rate: float, *, warmup: int = 0, end: float = 0.0, n_steps: int | None = None, model: str | None = None
    ) -> Self:
        """Return one that falls from ``rate`` to ``end`` along half a cosine.

        Args:
            rate: The rate after the warm-up.
            warmup: How many steps come before, on a straight line up to ``rate``.
            end: The rate after the last step.
            n_steps: How many steps there are, the warm-up included; by default the batches of the run.
            model: The model's name; by default the only one that the run has.

        Raises:
            ConfigError: for an argument that is out of its range.
        """
        _check_rate(rate)
        _check_count("warmup", warmup, 0)
        check_number("LearningRate", "end", end, "a number of at least 0", open_end=False)
        return cls(Cosine(float(rate), warmup, float(end)), n_steps=n_steps, model=model)

    @classmethod
    def one_cycle(cls, rate: float, *, rise: float = 0.3, n_steps: int | None = None, model: str | None = None) -> Self:
        """Return one that rises from ``rate / 25`` to ``rate`` and falls to ``rate / 250000``, along half cosines.

        Args:
            rate: The highest rate.
            rise: The share of the steps in which it rises.
            n_steps: How many steps there are; by default the batches of the run.
            model: The model's name; by default the only one that the run has.

        Raises:
            ConfigError: for an argument that is out of its range.
        """
        _check_rate(rate)
        check_number("LearningRate", "rise", rise, "a share between 0 and 1")
        if rise >= 1:
            raise ConfigError(f"LearningRate(rise={rise!r}): expected a share between 0 and 1.")
        return cls(OneCycle(float(rate), float(rise)), n_steps=n_steps, model=model)

    @classmethod
    def plateau(
        cls,
        rate: float,
        monitor: str,
        *,
        factor: float = 0.1,
        patience: int = 5,
        min_rate: float = 0.0,
        warmup: int = 0,
        mode: Mode | None = None,
    ) -> Self:
        """Return one that multiplies the rate by ``factor`` whenever ``monitor`` has not improved for some epochs.

        Args:
            rate: The rate at the beginning.
            monitor: A variable of the run, as for ``EarlyStopping``; the model is the one whose figure it is.
            factor: What the rate is multiplied by, between 0 and 1.
            patience: After how many epochs without an improvement.
            min_rate: The rate does not fall below it.
            warmup: How many steps come before, on a straight line up to ``rate``.
            mode: ``"min"`` where less is better, ``"max"`` where more is; by default as the name shows.

        Raises:
            ConfigError: for an argument that is out of its range.
        """
        _check_rate(rate)
        check_number("LearningRate", "factor", factor, "a number between 0 and 1")
        if factor >= 1:
            raise ConfigError(f"LearningRate(factor={factor!r}): expected a number between 0 and 1.")
        _check_count("patience", patience, 1)
        _check_count("warmup", warmup, 0)
        check_number("LearningRate", "min_rate", min_rate, "a number of at least 0", open_end=False)
        rule = _Plateau(Monitor("LearningRate", monitor, mode), float(factor), patience, float(min_rate))
        return cls(Constant(float(rate), warmup), plateau=rule)

    # -- events ---------------------------------------------------------------

    def fresh(self) -> dict[str, Any]:
        return {"step": 0, "n_reductions": 0, "best": None, "n_waited": 0}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        rule = self.plateau_rule
        if rule is not None:
            self._name = rule.monitor.model(context)
            rule.monitor.check(context)
        else:
            self._name = context.models.chosen(self.model, "LearningRate")
        length = self.n_steps or context.n_batches
        if length is None and self.schedule.needs_length:
            raise ConfigError("LearningRate: a run with n_epochs=None has no last step. Pass n_steps=….")
        self._length = length or 0
        self._target = None
        context.models.when_built(self._name, self._take)

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        if self._target is None:
            return
        context.variables.append(f"{self._name}.learning_rate", self.rate())
        self.memory["step"] += 1
        self._set()

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        rule = self.plateau_rule
        value = None if rule is None else rule.monitor.value(context)
        if rule is None or value is None:
            return
        if rule.monitor.is_better(value, self.memory["best"]):
            self.memory.update(best=value, n_waited=0)
            return
        self.memory["n_waited"] += 1
        if self.memory["n_waited"] >= rule.patience:
            self.memory["n_waited"] = 0
            self.memory["n_reductions"] += 1
            self._set()

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        rate = self.schedule.rate(self.memory["step"], self._length)
        rule = self.plateau_rule
        if rule is None or self.memory["n_reductions"] == 0:
            return rate
        # The warm-up may begin below it, and a reduction never raises the rate.
        n: int = self.memory["n_reductions"]
        return max(rate * rule.factor**n, min(rule.min_rate, rate))

    def _take(self, model: BaseModel) -> None:
        self._target = model
        # Refuses a model that has none before it is trained.
        model.get_learning_rate()
        self._set()

    def _set(self) -> None:
        if self._target is not None:
            self._target.set_learning_rate(self.rate())


def _check_rate(rate: float) -> None:
    check_number("LearningRate", "rate", rate, "a number above 0")


def _check_count(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"LearningRate({name}={value!r}): expected a whole number of at least {least}.")
