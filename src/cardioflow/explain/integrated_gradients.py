"""The gradient of a prediction, integrated from a baseline to the record."""

from __future__ import annotations

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import ConfigError
from cardioflow.explain._gradients import gradient_of, with_gradients
from cardioflow.explain._inputs import asked
from cardioflow.explain.relevance import Relevance
from cardioflow.models.base import BaseModel

__all__ = ["integrated_gradients"]


def integrated_gradients(
    model: BaseModel, batch: EcgBatch, target: int | None = None, *, n_steps: int = 64
) -> Relevance:
    """Return the share of every sample in the difference of the score to that of a flat line.

    Sundararajan et al., "Axiomatic attribution for deep networks", ICML 2017:
    the signal times the mean gradient on the straight way from 0 to it, by the
    midpoint rule. The relevances of a record add up to its score less the
    score of the baseline, but for ``missing``: raise ``n_steps`` if that is not
    small. A sample of 0 has no relevance, so that signals should be centred.

    Args:
        model: A model on signals in Keras, PyTorch, JAX or TensorFlow.
        batch: Records as the model takes them, of one shape.
        target: The number of the class; by default the one that is predicted for each record.
        n_steps: The number of points on the way.

    Returns:
        Relevances, whose leads are in the order in which the model takes them.

    Raises:
        InputError: when the model cannot take the batch, or there is no such class.
        ModelError: for a model without gradients.
        ConfigError: for fewer than one step.
    """
    if isinstance(n_steps, bool) or not isinstance(n_steps, int) or n_steps < 1:
        raise ConfigError(f"n_steps={n_steps!r} is not a whole number from 1 on.")
    network = with_gradients(model, "integrated_gradients")
    own = asked(network.predict_on_batch, network._checked(unstack(batch)), target)
    gradient = gradient_of(network)
    total = np.zeros(own.x.shape)
    for step in range(n_steps):
        share = np.float32((step + 0.5) / n_steps)
        total += gradient(own.x * share, own.target)[1]
    values = own.x * total / n_steps
    baseline = gradient(np.zeros_like(own.x), own.target)[0].astype(np.float64)
    missing = own.score - baseline - values.sum(axis=(1, 2))
    return Relevance(values, own.target, own.score, own.leads, missing)
