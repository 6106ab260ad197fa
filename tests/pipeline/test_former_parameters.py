"""Names that parameters had before still work, and say what they are called now."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cardioflow import Pipeline
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import InputError
from cardioflow.registry import actions

FORMER = [(name, old, new) for name in actions.names() for old, new in actions.get(name).former_parameters.items()]


def test_the_parameters_that_were_renamed_are_known():
    assert ("notch_signals", "harmonics", "n_harmonics") in FORMER
    assert len(FORMER) >= 9


@pytest.mark.parametrize(("name", "old", "new"), FORMER)
def test_a_former_name_is_replaced_by_todays_with_a_warning(name, old, new):
    required = {"get_triplets": {"n_triplets": 2, "length": 3}}.get(name, {})
    value = {"negatives": {"A": ["N"]}, "low_mv": -9, "high_mv": 9, "frequency": 0.3}.get(new, 2)
    now = getattr(Pipeline(), name)(**{**required, new: value})
    former = {**{k: v for k, v in required.items() if k != new}, old: value}
    with pytest.warns(DeprecationWarning, match=rf"{name}\({old}=…\) is now {name}\({new}=…\)") as caught:
        assert getattr(Pipeline(), name)(**former) == now
    assert caught[0].filename == __file__
    with pytest.raises(InputError, match=f"Pass {new} only"):
        getattr(Pipeline(), name)(**former, **{new: value})
    text = json.loads(now.to_json())
    text["steps"][0]["kwargs"][old] = text["steps"][0]["kwargs"].pop(new)
    with pytest.warns(DeprecationWarning, match=f"is now {name}"):
        assert Pipeline.from_json(json.dumps(text)) == now


def test_a_batch_takes_a_former_name_too():
    batch = EcgBatch(ids=("a",), signal=Ragged.from_arrays([np.ones((1, 3))]), meta=Meta({"fs": np.array([9.0])}, 1))
    with pytest.warns(DeprecationWarning, match="tile"):
        assert batch.tile(reps=2).signal[0].shape == (1, 6)


@pytest.mark.parametrize(
    ("name", "args"),
    [("random_amplitude_scale", (0.5, 2.0, True)), ("rebatch", (3, True)), ("dump", ("out", "wfdb", "raise", True))],
)
def test_a_boolean_is_not_given_by_position(name, args):
    with pytest.raises(InputError, match="too many positional arguments"):
        getattr(Pipeline(), name)(*args)
