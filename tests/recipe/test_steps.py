"""Steps in YAML become the same pipeline as in Python, and run no code of the file."""

from __future__ import annotations

import pytest

from cardioflow import Pipeline
from cardioflow.errors import ConfigError
from cardioflow.recipe.steps import pipeline_of


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], Pipeline()),
        (["standardize"], Pipeline().standardize()),
        ([{"resample_signals": 100}], Pipeline().resample_signals(100)),
        ([{"clip_signals": [-8, 8]}], Pipeline().clip_signals(-8, 8)),
        ([{"clip_signals": (-8, 8)}], Pipeline().clip_signals(-8, 8)),
        (
            [{"pad_signals": {"length": 3000, "side": "left"}}, "standardize"],
            Pipeline().pad_signals(length=3000, side="left").standardize(),
        ),
        # One list is the arguments; a list as the argument needs a second one.
        ([{"calc_features": [["rhythm", "quality"]]}], Pipeline().calc_features(["rhythm", "quality"])),
    ],
)
def test_a_step_is_a_name_or_a_name_with_its_arguments(steps, expected):
    assert pipeline_of(steps) == expected


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"standardize": [], "flip_signals": []}], "'cut[0]' is not a step: {'standardize': [], 'flip_signals': []}"),
        ([{}], "'cut[0]' is not a step: {} is neither a name nor one name with its arguments"),
        ([3], "'cut[0]' is not a step: 3 is neither a name"),
        (["standardize", "os.system"], "'cut[1]' is not a step: "),
        ([{"resample_signals": {"hz": 100}}], "'cut[0]' is not a step: "),
        ([{"resample_signals": [100, 2, 3, 4, 5]}], "'cut[0]' is not a step: "),
        ([{"apply_to_signals": "os.system"}], "'cut[0]' is not a step: "),
        ([{"apply_to_signals": {"function": "builtins:eval"}}], "'cut[0]' is not a step: "),
    ],
)
def test_what_is_not_a_step_is_named_by_its_place(steps, message):
    with pytest.raises(ConfigError) as caught:
        pipeline_of(steps, "cut")
    assert message in str(caught.value)
