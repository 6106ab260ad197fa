"""A stranger's dump may bring steps that prepare a record, and nothing that reaches out, writes or never ends."""

from __future__ import annotations

import inspect
import json
import time
from dataclasses import fields
from typing import Any

import pytest

from cardioflow import B, C, Pipeline, V, registry
from cardioflow.bundle import limits
from cardioflow.bundle.preparation import Preparation
from cardioflow.errors import DumpError
from cardioflow.io.base import ReadRequest
from cardioflow.pipeline.call import Call

LOAD = Pipeline().load(fmt="wfdb", components=["signal", "meta"])


def text(*steps: tuple[str, list[Any], dict[str, Any]], **more: Any) -> str:
    listed = [{"name": name, "args": args, "kwargs": kwargs} for name, args, kwargs in steps]
    return json.dumps({"cardioflow_pipeline": 1, "steps": listed, "config": {"$dict": []}, "run": {}, **more})


REFUSED = {
    "not JSON": ("a few words", "The text is not JSON"),
    "an empty text": ("", "The text is not JSON"),
    "a number": ("3", "is not a valid pipeline"),
    "a list": ("[]", "is not a valid pipeline"),
    "another version": ('{"cardioflow_pipeline": 99}', "is not a valid pipeline"),
    "steps that are a number": (text(steps=3), "is not a valid pipeline"),
    "steps that are numbers": (text(steps=[3]), "is not a valid pipeline"),
    "a step without a name": (text(steps=[{"args": [], "kwargs": {}}]), "is not a valid pipeline"),
    "a step whose name is a list": (text(([], [], {})), "is not a valid pipeline"),
    "arguments that are a number": (text(("standardize", 3, {})), "is not a valid pipeline"),
    "named arguments that are a list": (text(("standardize", [], [])), "is not a valid pipeline"),
    "a tag that is not known": (
        text(("standardize", [], {"axis": {"$class": "os.system"}})),
        "is not a valid pipeline",
    ),
    "a config that is a number": (text(config=3), "is not a valid pipeline"),
    "an array of huge items": (
        text(("random_recorded_noise", [{"$array": ["x"], "dtype": "S1000000000"}], {})),
        "is not a valid pipeline",
    ),
    "brackets without end": ("[" * 1_000_000, "nests values more than 32 levels deep"),
    "lists in lists": (text(("cwt", [json.loads("[" * 40 + "]" * 40)], {})), "nests values more than 32 levels deep"),
    "very many values": (text(("cwt", [list(range(300_000))], {})), "holds more than 200000 values"),
    "a very long text": (text(("convert_units", ["m" * 5_000_000], {})), "at most 4194304 are read"),
    "an action that does not exist": (text(("format_disk", [], {})), "There is no action 'format_disk'"),
    "an argument that does not exist": (text(("standardize", [], {"speed": 1})), "standardize() takes no 'speed'"),
    "an argument of another type": (text(("split_signals", ["long"], {})), "is not a valid pipeline"),
    "a thousand steps": (text(*[("standardize", [], {})] * 1000), "has 1000 steps, and at most 100 are taken"),
    "a step that writes": (
        LOAD.save_model("model", "/tmp/written").to_json(),
        "has the step save_model('model', '/tmp/written'), and only load and transforms of records",
    ),
    "a step that loads another model": (LOAD.load_model("model", "/tmp/other").to_json(), "only load and transforms"),
    "a step that dumps": (LOAD.dump("/tmp/written", fmt="wfdb").to_json(), "only load and transforms"),
    "reading elsewhere": (Pipeline().load(src="/etc", fmt="wfdb").to_json(), "reads other files than those to predict"),
    "reading elsewhere by position": (Pipeline().load("/etc").to_json(), "reads other files than those to predict"),
    "reading labels": (Pipeline().load("/etc/passwd", components="target").to_json(), "reads other files"),
    "joining labels": (Pipeline().load(components="target").to_json(), "joins labels, and records"),
    "a function by name": (Pipeline().apply_transform(print).to_json(), "builtins.print"),
    "a function of the batch": (text(("tile", [{"$F": "os.getpid"}], {})), "os.getpid"),
    "a component as argument": (LOAD.tile(B("fs")).to_json(), "whose argument B('fs') has no value when a record"),
    "a variable as argument": (LOAD.tile(V("n")).to_json(), "whose argument V('n') has no value when a record"),
    "a setting that is missing": (LOAD.tile(C("n")).to_json(), "does not have the setting 'n'"),
    "a setting that is too large": (
        Pipeline(config={"n": 9_999_999}).tile(C("n")).to_json(),
        "would make 1e+11 samples per lead",
    ),
    "records that are mixed": (LOAD.random_mix_up().to_json(), "which mixes records. It belongs to training"),
    "a size that is drawn": (
        LOAD.random_resample_signals("normal", loc=300, scale=10).to_json(),
        "which draws the size of its result",
    ),
    "a million scales": (LOAD.cwt([1.0] * 100_000).to_json(), "whose scales holds 100000 values"),
    "ten thousand scales": (LOAD.cwt([1.0] * 10_000).to_json(), "would make 1e+08 samples per lead of a record"),
    "a repetition": (LOAD.repeat_signal(1_000_000).to_json(), "would make 1e+10 samples per lead"),
    "repetitions of repetitions": (LOAD.tile(100).tile(100).to_json(), "at step 3, tile(100)"),
    "a high rate": (LOAD.resample_signals(1_000_000).to_json(), "whose fs is 1e+06; a dump's may be 1 to 20000"),
    "a high common rate": (Pipeline().load(common_fs=1_000_000.0).to_json(), "whose common_fs is 1e+06"),
    "a long padding": (LOAD.pad_signals(10_000_000).tile(5).to_json(), "would make 5e+07 samples per lead"),
    "a huge number": (LOAD.pad_signals(10**12).to_json(), "has the number 1000000000000, and numbers up to 10000000"),
    "a number without end": (text(("pad_signals", [10**4000], {})), "numbers up to 10000000 are taken"),
    "an infinite number": (text(("clip_signals", [float("-inf"), 1], {})), "has the number -inf, and numbers up to"),
    "many segments": (LOAD.random_split_signals(3000, 1_000_000).to_json(), "would make 3e+09 samples per lead"),
    "overlapping segments": (
        LOAD.split_signals(10_000, 1).to_json(),
        "would make 1e+08 samples per lead",
    ),
    "a narrow filter": (LOAD.fir_filter_signals(width=1e-6).to_json(), "whose width is 1e-06; a dump's may be 0.01"),
    "a filter of high order": (LOAD.band_pass_signals(1, 40, order=10_000).to_json(), "whose order is 10000"),
    "harmonics without end": (LOAD.notch_signals(n_harmonics=1_000_000).to_json(), "whose n_harmonics is 1e+06"),
    "harmonics by their former name": (
        text(("notch_signals", [], {"harmonics": 1_000_000})),
        "whose n_harmonics is 1e+06",
    ),
    "a spectrogram of overlaps": (
        LOAD.spectrogram(nperseg=4096, noverlap=4095, nfft=8192).to_json(),
        "would make 8.19e+07 samples per lead",
    ),
    "long beats": (LOAD.crop_beats(before_s=1000).to_json(), "whose before_s is 1000; a dump's may be 0 to 60"),
    "a setting that is a calculation": (
        text(("convert_units", [{"$C": "u"}], {}), config={"$dict": [["u", "10**10**10"]]}),
        "and a dump's units are plain names",
    ),
    "a unit that is a calculation": (
        text(("convert_units", ["10**10**10"], {})),
        "has the unit '10**10**10', and a dump's units are plain names, such as 'mV'",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.* is now:DeprecationWarning")
@pytest.mark.parametrize(("given", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_hostile_preprocessing_is_refused_at_once(given: str, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(DumpError) as caught:
        Preparation.from_json(given)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("Its preprocessing ")
    assert len(str(caught.value)) < 1000
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "steps",
    [
        LOAD.resample_signals(250).standardize(),
        LOAD.band_pass_signals(0.5, 40).resample_signals(500).split_signals(2048, 1024).standardize(),
        LOAD.keep_channels(["I", "II"]).drop_short_signals(3000).random_split_signals(3000, 5),
        Pipeline().load(common_fs=500.0).cwt(list(range(1, 129))),
        LOAD.convert_units("uV").notch_signals(50, n_harmonics=3).spectrogram(nperseg=256, noverlap=128),
        LOAD.derive_leads().crop_beats(),
    ],
)
def test_steps_as_models_are_saved_with_are_taken(steps: Pipeline) -> None:
    assert Preparation.from_json(steps.to_json()).steps == steps.steps


def test_every_limit_is_of_an_argument_that_the_action_has() -> None:
    def parameters(name: str) -> set[str]:
        options = {f.name for f in fields(ReadRequest)} if name == "load" else set()
        return {*inspect.signature(registry.actions.get(name)).parameters, *options}

    assert not [place for place in limits._RANGES if place[1] not in parameters(place[0])]


@pytest.mark.parametrize("name", registry.transforms.names())
def test_the_examples_of_every_transform_are_within_the_limits(name: str) -> None:
    for example in registry.transforms.get(name).examples():
        given = {f.name: getattr(example, f.name) for f in fields(example) if f.init}
        if "kwargs" in given:
            given |= given.pop("kwargs")
        limits.check_cost([Call(name, (), given)])
