"""A pipeline goes to JSON and back whole, and a text that is wrong says where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import B, C, F, Pipeline, V
from cardioflow.errors import CardioFlowError, ConfigError, FormatError, InputError, UnknownNameError
from cardioflow.pipeline.serialization import MOST_CHARACTERS, MOST_STEPS

VERSION_1 = """{"cardioflow_pipeline": 1, "steps": [
{"name": "load", "args": [], "kwargs": {"fmt": "wfdb", "components": {"$tuple": ["signal", "meta"]}, "start_s": 1}},
{"name": "load", "args": [], "kwargs": {"src": {"$dict": [["A1", "N"]]}, "components": "target"}},
{"name": "random_split_signals", "args": [3000, {"$dict": [["A", 3], ["NO", 1]]}], "kwargs": {}},
{"name": "resample_signals", "args": [{"$C": "fs", "default": 250}], "kwargs": {}},
{"name": "resample_signals", "args": [{"$C": "fs"}], "kwargs": {}},
{"name": "convolve_signals", "args": [{"$array": [0.25, 0.5, 0.25], "dtype": "<f4"}], "kwargs": {}},
{"name": "apply_transform", "args": [{"$function": "numpy.mean"}], "kwargs": {"axis": -1}},
{"name": "update", "args": [{"$V": "n", "mode": "a"}, {"$B": "ids"}], "kwargs": {}},
{"name": "update", "args": [{"$V": "b", "mode": "w"}, {"$F": "builtins.len"}], "kwargs": {}}],
"config": {"$dict": [["m", {"$dict": [["path", "x"], ["lr", 0.1]]}], ["fs", 250]]},
"run": {"batch_size": 8, "n_epochs": null}}"""
"""Written by the release that had version 1."""


def halved(x: Any) -> Any:
    return x / 2


def _written_in_python() -> Pipeline:
    return (
        Pipeline(config={"m": {"path": "x", "lr": 0.1}, "fs": 250})
        .load(fmt="wfdb", components=("signal", "meta"), start_s=1)
        .load(src={"A1": "N"}, components="target")
        .random_split_signals(3000, {"A": 3, "NO": 1})
        .resample_signals(C("fs", default=250))
        .resample_signals(C("fs"))
        .convolve_signals(np.array([0.25, 0.5, 0.25], np.float32))
        .apply_transform(np.mean, axis=-1)
        .update(V("n", mode="a"), B("ids"))
        .update(V("b"), F(len))
        .run(batch_size=8, n_epochs=None)
    )


FUNCTIONS = {"numpy.mean": np.mean, "builtins.len": len}


def test_a_pipeline_comes_back_equal() -> None:
    template = _written_in_python()
    again = Pipeline.from_json(template.to_json(), FUNCTIONS)
    assert again == template
    assert again.config == template.config
    assert again.run_arguments == {"batch_size": 8, "n_epochs": None}
    assert again.to_json() == template.to_json()


def test_a_text_of_version_1_is_still_read() -> None:
    assert Pipeline.from_json(VERSION_1, FUNCTIONS) == _written_in_python()


def test_paths_slices_and_settings_of_any_kind_come_back(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "folder": tmp_path,
        "window": slice(0, 3000),
        "limits": {0: float("inf"), (1, 2): float("nan")},
        "leads": frozenset({"I", "II"}),
        "gain": np.float32(0.5),
    }
    template = (
        Pipeline(config=config)
        .load(src=tmp_path, fmt="wfdb")
        .load(src=Path("REFERENCE.csv"), components="target")
        .clip_signals(-float("inf"), C("limits", default=np.float64(3)))
        .dump(tmp_path / "out", fmt="npz")
    )
    again = Pipeline.from_json(template.to_json())
    assert again == template
    assert isinstance(again.steps[0].kwargs["src"], type(tmp_path))
    assert repr(again.config) == repr(template.config)
    assert {name: type(value) for name, value in again.config.items()} == {
        name: type(value) for name, value in config.items()
    }


def test_the_text_is_plain_json_that_says_its_version() -> None:
    text = Pipeline(config={"fs": 250}).resample_signals(C("fs")).run(4).to_json()
    assert json.loads(text) == {
        "cardioflow_pipeline": 2,
        "steps": [{"name": "resample_signals", "args": [{"$C": "fs"}], "kwargs": {}}],
        "config": {"fs": 250},
        "run": {"batch_size": 4},
    }


def test_a_function_is_never_imported_from_the_text() -> None:
    text = Pipeline().apply_transform(halved).to_json()
    name = f"{halved.__module__}.halved"
    with pytest.raises(ConfigError, match=r"halved', and functions are never imported .*\. Pass it: .*functions=\{"):
        Pipeline.from_json(text)
    with pytest.raises(ConfigError, match=r"Did you mean"):
        Pipeline.from_json(text, functions={f"{name}d": halved})
    assert Pipeline.from_json(text, functions={name: halved}) == Pipeline().apply_transform(halved)


@pytest.mark.parametrize("given", [lambda x: x, object()], ids=["lambda", "object"])
def test_what_has_no_form_is_refused_with_its_step_and_place(given: Any) -> None:
    template = Pipeline().standardize().apply_transform(halved, factor={"a": [1, given]})
    with pytest.raises(InputError) as caught:
        template.to_json()
    text = str(caught.value)
    assert text.startswith("apply_transform(halved, factor=")
    assert "cannot be written as JSON: The value at steps[1].kwargs.factor.a[1] is" in text


def test_a_lambda_is_told_what_to_write() -> None:
    with pytest.raises(InputError, match=r"which has no name to be written by\. Define a function at the top"):
        Pipeline().apply_transform(lambda x: x).to_json()


def _wrong(change: Callable[[dict[str, Any]], Any]) -> str:
    whole = json.loads(Pipeline(config={"fs": 250}).standardize().resample_signals(250).run(8).to_json())
    changed = change(whole)
    return json.dumps(whole if changed is None else changed)


def _with(entry: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda whole: whole.update({entry: value})


def _step(entry: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda whole: whole["steps"][1].update({entry: value})


_VERSION_MISSING = r"^This is not a pipeline: it has no entry 'cardioflow_pipeline' with a version\. Expected what"

WRONG: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda whole: [whole], _VERSION_MISSING),
    (lambda _: 3, _VERSION_MISSING),
    (lambda _: {}, _VERSION_MISSING),
    (_with("cardioflow_pipeline", "1"), _VERSION_MISSING),
    (_with("cardioflow_pipeline", True), _VERSION_MISSING),
    (_with("cardioflow_pipeline", 4), r"of version 4, and this CardioFlow reads up to version 3\. Update CardioFlow"),
    (lambda whole: whole.pop("steps") and None, r"^The pipeline has no entry 'steps'\."),
    (_with("stesp", []), r"^The pipeline has the unknown entry 'stesp'\. Did you mean 'steps'\?"),
    (_with("steps", 3), r"^The steps of the pipeline are 3; expected a list\."),
    (_with("steps", {"0": {}}), r"expected a list"),
    (_with("steps", [[]]), r"^steps\[0\] is \[\]; expected an object with the entries name, args, kwargs\."),
    (_with("config", [1]), r"^config is \[1\]; expected names and their values\."),
    (_with("config", {"$dict": [[1, 2]]}), r"^config is \{1: 2\}"),
    (_with("config", {"a": {"$foo": 1}}), r"^The value at config\.a has the unknown tag '\$foo'\."),
    (_with("run", None), r"^run is None"),
    (_with("run", {"batch_sise": 8}), r"run arguments of the pipeline are not valid: .*'batch_sise'.*'batch_size'"),
    (_with("run", {"batch_size": "8"}), r"run arguments of the pipeline are not valid: "),
    (_with("run", {"batch_size": 8, "n_epochs": "all"}), r"run arguments of the pipeline are not valid: "),
    (lambda whole: whole["steps"][1].pop("args") and None, r"^steps\[1\] has no entry 'args'\."),
    (_step("argz", []), r"^steps\[1\] has the unknown entry 'argz'\. Did you mean 'args'"),
    (_step("name", 3), r"^steps\[1\]\.name is 3; expected the name of an action\."),
    (_step("name", "a\x1b[2Jb"), r"^steps\[1\]\.name is 'a\\x1b\[2Jb'"),
    (_step("args", {"fs": 250}), r"^steps\[1\]\.args is \{'fs': 250\}; expected a list\."),
    (_step("kwargs", [250]), r"^steps\[1\]\.kwargs is \[250\]; expected names and their values\."),
    (_step("kwargs", {"\x1b": 1}), r"^steps\[1\]\.kwargs is \{'\\x1b': 1\}"),
    (
        _step("kwargs", {"fs": [{"$tuple": [{"$x": 1}]}]}),
        r"^The value at steps\[1\]\.kwargs\.fs\[0\]\[0\] has the",
    ),
    (_step("args", [{"$array": ["x"], "dtype": "S1000000000"}]), r"^The value at steps\[1\]\.args\[0\] has the dtype"),
    (_step("args", [{"$V": "n", "mode": "q"}]), r"^The value at steps\[1\]\.args\[0\] holds the mode 'q'"),
    (_step("args", [{"$C": ["fs"]}]), r"^The value at steps\[1\]\.args\[0\] holds \['fs'\] as '\$C'; expected a name"),
    (_step("args", [{"$B": 3}]), r"holds 3 as '\$B'; expected a name"),
    (_step("args", [{"$F": None}]), r"holds None as '\$F'; expected a name"),
    (_step("args", ["x"]), r"steps\[1\]|resample_signals"),
    (_step("args", [None]), r"steps\[1\]|resample_signals"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_an_error_in_malformed_json_names_the_place(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises((FormatError, InputError), match=message):
        Pipeline.from_json(_wrong(change))


@pytest.mark.parametrize("text", ["", "{", "nope", '{"a": 1', "[" * 100_000, "1" * 5000, None, 3, b"\xff\xfe\xfd"])
def test_what_is_not_json_is_not_a_pipeline(text: Any) -> None:
    with pytest.raises(FormatError, match=r"^This is not a pipeline: .*Expected what Pipeline.to_json\(\) wrote\."):
        Pipeline.from_json(text)


def test_an_action_that_does_not_exist_or_does_not_take_its_arguments_is_named_with_its_step() -> None:
    with pytest.raises(UnknownNameError, match=r"'resample_signal'.*step 2, resample_signal\(250\)"):
        Pipeline.from_json(_wrong(_step("name", "resample_signal")))
    with pytest.raises(InputError, match=r"takes no 'hz'.*step 2, resample_signals\(250, hz=1\)"):
        Pipeline.from_json(_wrong(_step("kwargs", {"hz": 1})))


def test_length_steps_and_depth_are_limited() -> None:
    with pytest.raises(FormatError, match=f"and at most {MOST_CHARACTERS} are read"):
        Pipeline.from_json(" " * (MOST_CHARACTERS + 1))
    step = {"name": "standardize", "args": [], "kwargs": {}}
    most = {"cardioflow_pipeline": 2, "steps": [step] * MOST_STEPS}
    assert len(Pipeline.from_json(json.dumps(most))) == MOST_STEPS
    with pytest.raises(FormatError, match=f"has {MOST_STEPS + 1} steps; expected at most {MOST_STEPS}"):
        Pipeline.from_json(json.dumps({"cardioflow_pipeline": 2, "steps": [step] * (MOST_STEPS + 1)}))
    with pytest.raises(FormatError, match="levels deep"):
        Pipeline.from_json(_wrong(_with("config", {"a": json.loads("[" * 70 + "]" * 70)})))
    with pytest.raises(FormatError, match="more than 1000000 values"):
        Pipeline.from_json('{"cardioflow_pipeline": 2, "steps": [], "config": {"a": [' + "1," * 1_000_001 + "1]}}")


def test_what_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(InputError, match="characters; expected at most"):
        Pipeline(config={"a": "x" * MOST_CHARACTERS}).to_json()
    with pytest.raises(InputError, match="at config is nested in more than"):
        Pipeline(config={"a": json.loads("[" * 70 + "]" * 70)}).to_json()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_text_gives_one_of_our_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = _written_in_python().to_json()
    for _ in range(150):
        at, length = int(rng.integers(len(text))), int(rng.integers(1, 8))
        other = text[int(rng.integers(len(text))) :][:length]
        try:
            Pipeline.from_json(text[:at] + other + text[at + length :], FUNCTIONS)
        except CardioFlowError:
            continue
