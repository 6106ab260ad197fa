"""The next configuration of a search: from the results so far and the number of the trial alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

from cardioflow.core.optional import needed
from cardioflow.core.random_keys import record_keys
from cardioflow.experiments.space import Space, Uniform, Whole

__all__ = ["Search"]

Direction = Literal["maximize", "minimize"]


@final
class Search:
    """Optuna's tree of Parzen estimators (Bergstra et al., NeurIPS 2011; Akiba et al., KDD 2019).

    Each trial has a sampler of its own, seeded by the trial's number, and sees
    the results of all before it: a search that was stopped goes on as if it had not been.
    """

    def __init__(self, space: Space, direction: Direction, seed: int) -> None:
        self._optuna = _optuna()
        self._space = space
        self._seed = seed
        self._study = self._optuna.create_study(direction=direction)

    def next_config(self, number: int) -> dict[str, Any]:
        """Return the configuration of trial ``number``, given the results of all trials before it."""
        key = int(record_keys([f"search/{self._seed}/{number}"])[0])
        self._study.sampler = self._optuna.samplers.TPESampler(seed=key % 2**32)
        trial = self._study.ask(self._distributions())
        config = {name: self._value(name, trial.params[name]) for name in self._space}
        # It is added with the result. Optuna would count waiting trials as running beside it.
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return config

    def tell(self, config: Mapping[str, Any], value: float | None) -> None:
        """Take note of a result; ``None`` is that of a trial which failed."""
        states = self._optuna.trial.TrialState
        trial = self._optuna.trial.create_trial(
            params={name: self._code(name, config[name]) for name in self._space},
            distributions=self._distributions(),
            value=value,
            state=states.FAIL if value is None else states.COMPLETE,
        )
        self._study.add_trial(trial)

    def _distributions(self) -> dict[str, Any]:
        kinds = self._optuna.distributions
        found: dict[str, Any] = {}
        for name, values in self._space.items():
            if isinstance(values, Uniform):
                found[name] = kinds.FloatDistribution(values.low, values.high, log=values.log)
            elif isinstance(values, Whole):
                found[name] = kinds.IntDistribution(values.low, values.high, log=values.log)
            else:
                # By number: Optuna takes no lists or other objects for categories.
                found[name] = kinds.CategoricalDistribution(list(range(len(values))))
        return found

    def _value(self, name: str, code: Any) -> Any:
        values = self._space[name]
        return code if isinstance(values, Uniform | Whole) else values[code]

    def _code(self, name: str, value: Any) -> Any:
        values = self._space[name]
        return value if isinstance(values, Uniform | Whole) else _position(values, value)


def _position(values: Sequence[Any], value: Any) -> int:
    # By their text: 1, 1.0 and True are equal, but not the same setting, and NaN is not equal to itself.
    return [repr(own) for own in values].index(repr(value))


def _optuna() -> Any:
    optuna = needed("optuna", extra="search")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
