"""A dump from a stranger may bring actions on a record, and nothing that writes or reads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardioflow import Pipeline
from cardioflow.cli.predict import _preprocessing
from cardioflow.errors import ConfigError, DumpError


@pytest.mark.parametrize(
    "steps",
    [
        Pipeline().load(fmt="wfdb").save_model("model", "/tmp/written"),
        Pipeline().load(src="/etc", fmt="wfdb"),
        Pipeline().load("/etc"),
        Pipeline().load_model("model", "/tmp/other"),
    ],
    ids=["writes", "reads elsewhere", "reads elsewhere, by position", "loads another model"],
)
def test_a_dump_with_a_step_that_reaches_out_is_refused(steps: Pipeline) -> None:
    with pytest.raises(DumpError, match=r"'m' would prepare files with \w+\(.*only actions on a record are taken"):
        _preprocessing(Path("m"), steps.to_json())


def test_a_dump_cannot_name_a_function_to_run() -> None:
    text = Pipeline().apply_transform(print).to_json()
    with pytest.raises(ConfigError, match="functions are never imported because a text names them"):
        _preprocessing(Path("m"), text)


def test_actions_on_a_record_are_taken() -> None:
    steps = Pipeline().load(fmt="wfdb", components=["signal", "meta"]).resample_signals(250).standardize()
    assert _preprocessing(Path("m"), steps.to_json()) == steps
