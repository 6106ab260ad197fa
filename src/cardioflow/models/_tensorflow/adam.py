"""Adam in TensorFlow alone: TensorFlow's own optimizers are Keras's and fail where Keras runs on another backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["Adam"]


class Adam:
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1, with the bias correction folded into the step as in its section 2).

    Args:
        learning_rate: The step size; ``learning_rate.assign(…)`` changes it between batches.
        beta_1: The decay rate of the first moment.
        beta_2: The decay rate of the second moment.
        epsilon: A small number that is added to the denominator.
    """

    def __init__(
        self, learning_rate: float = 1e-3, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
    ) -> None:
        self.learning_rate = tf.Variable(learning_rate, dtype=tf.float32, trainable=False)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.state: dict[str, Any] = {}
        """The moments of each variable and the number of steps, by name."""
        self._moments: dict[Any, tuple[Any, Any]] = {}

    def build(self, variables: Mapping[str, Any]) -> None:
        """Create the moments of ``variables``, given by name; call it before a step is compiled."""
        self.state = {"n_steps": tf.Variable(0, dtype=tf.int64, trainable=False)}
        for name, variable in variables.items():
            for moment in ("first", "second"):
                self.state[f"{name}/{moment}"] = tf.Variable(tf.zeros_like(variable), trainable=False)
        self.bind(variables)

    def bind(self, variables: Mapping[str, Any]) -> None:
        """Use the moments in ``state`` for ``variables``, given by the names that they were built with."""
        self._moments = {
            variable.ref(): (self.state[f"{name}/first"], self.state[f"{name}/second"])
            for name, variable in variables.items()
        }

    def __getstate__(self) -> dict[str, Any]:
        # A reference to a variable is its address: after unpickling, ``bind`` has to be called.
        return {**self.__dict__, "_moments": {}}

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Update each variable of the (gradient, variable) ``pairs``; a variable without a gradient stays."""
        steps = self.state["n_steps"]
        steps.assign_add(1)
        n = tf.cast(steps, tf.float32)
        size = self.learning_rate * tf.sqrt(1 - self.beta_2**n) / (1 - self.beta_1**n)
        for gradient, variable in pairs:
            if gradient is None:
                continue
            first, second = self._moments[variable.ref()]
            # Gradients of tf.gather come as slices; Adam's moments need all rows.
            dense = tf.convert_to_tensor(gradient)
            first.assign(self.beta_1 * first + (1 - self.beta_1) * dense)
            second.assign(self.beta_2 * second + (1 - self.beta_2) * dense * dense)
            variable.assign_sub(tf.cast(size, variable.dtype) * first / (tf.sqrt(second) + self.epsilon))
