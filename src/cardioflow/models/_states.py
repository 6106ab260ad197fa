"""The states of a label per sample, held against those that the model tells apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import LabelError
from cardioflow.models._refuse import refuse

__all__ = ["refuse_unknown_states"]


def refuse_unknown_states(batch: EcgBatch, states: NDArray[Any], n_states: int) -> None:
    """Refuse records with states that the model has no probability for.

    PyTorch stops with an IndexError on the CPU and ends the process on a GPU;
    JAX and TensorFlow go on with a loss that is NaN or counts such samples as 0.

    Args:
        batch: The records.
        states: Whole numbers from 0, (record, time).
        n_states: How many the model tells apart.

    Raises:
        LabelError: for one record; it names the record.
        BadRecordsError: for several.
    """
    largest = np.asarray(states.reshape(len(states), -1).max(axis=1, initial=0))
    refuse(batch, largest >= n_states, lambda row: _unknown(batch.ids[row], int(largest[row]), n_states))


def _unknown(name: str, largest: int, n_states: int) -> LabelError:
    return LabelError(
        f"Record {name!r} has samples of state {largest}, and the model tells {n_states} states apart, 0 to "
        f"{n_states - 1}. Build the model for more states, or number them from 0 without gaps."
    )
