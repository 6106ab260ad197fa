"""Each hostile dump gives one sentence and exit status 2 in ``cardioflow predict``, in bounded memory and time."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cardioflow import Pipeline
from cardioflow.models.declaration import find
from cardioflow.pipeline.data.dataset import EcgDataset

FILE = "simulated:AF?seed=1&duration_s=12"
LOAD = Pipeline().load(fmt="simulated", components=["signal", "meta"])
PREPARATION = LOAD.split_signals(1000).standardize()

SCRIPT = """
import contextlib, io, json, resource, sys, time
import keras, h5py
from cardioflow.cli.app import main

file, paths = sys.argv[1], sys.argv[2:]
with open("/proc/self/statm") as statm:
    now = int(statm.read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (now + (3 << 29), resource.RLIM_INFINITY))
for path in paths:
    sys.argv = ["cardioflow", "predict", path, file]
    out, err, start = io.StringIO(), io.StringIO(), time.monotonic()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        status = repr(error)
    print(json.dumps([status, out.getvalue(), err.getvalue(), time.monotonic() - start]), flush=True)
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was never trained, saved with its preprocessing."""
    path = tmp_path_factory.mktemp("sound") / "m"
    batch = EcgDataset.simulated(4, duration_s=10.0).next_batch(4)
    batch = batch.load(fmt="simulated").load(dict.fromkeys(batch.ids, "AF") | {batch.ids[0]: "SR"}, components="target")
    model = find("fft_inception").build(batch.split_signals(1000).binarize_labels(), None, {}, seed=0)
    model.preprocessing = PREPARATION.to_json()
    model.classes = ("AF", "SR")
    model.save(path)
    return path


Parts = dict[str, Any]


def header(**entries: Any) -> Callable[[Parts], None]:
    return lambda parts: parts["header"].update(entries)


def steps(pipeline: Pipeline | str) -> Callable[[Parts], None]:
    return header(preprocessing=pipeline if isinstance(pipeline, str) else pipeline.to_json())


def keras(name: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> Callable[[Parts], None]:
    return lambda parts: parts["keras"].update({name: (content, compression)})


def units(n: int) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        config = json.loads(parts["keras"]["config.json"][0])
        next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")["config"]["units"] = n
        parts["keras"]["config.json"] = json.dumps(config).encode(), zipfile.ZIP_STORED

    return change


HOSTILE: dict[str, tuple[Callable[[Parts], None], str]] = {
    "preprocessing that is a number": (header(preprocessing=3), "Entry 'preprocessing' is 3; expected the text of"),
    "steps that are a number": (
        steps('{"cardioflow_pipeline": 1, "steps": 3}'),
        "Its preprocessing is not a valid pipeline",
    ),
    "brackets without end": (steps("[" * 1_000_000), "nests values more than 32 levels deep"),
    "ten thousand scales": (steps(LOAD.cwt([1.0] * 10_000)), "would make 1e+08 samples per lead"),
    "a step that writes": (steps(LOAD.save_model("model", "written")), "only load and transforms of records are taken"),
    "reading elsewhere": (steps(Pipeline().load("/etc")), "reads other files than those to predict"),
    "a later version": (header(version=99), "is of version 99, and this CardioFlow reads versions up to"),
    "a class name with escape sequences": (header(model="\x1b[2J"), r"Entry 'model' is '\x1b[2J'; expected a name"),
    "weights elsewhere": (header(weights="../../etc/passwd"), "Entry 'weights' is '../../etc/passwd'; expected a name"),
    "a compressed config.json": (
        keras("config.json", b" " * 300_000_000, zipfile.ZIP_DEFLATED),
        "The Keras model is compressed: it claims",
    ),
    "a layer of 10⁹ units": (units(10**9), "has units=1000000000, and its weights are"),
    "a layer of 4 million units": (units(4_000_000), "needs weights of shape (40, 4000000)"),
    "a configuration without end": (keras("config.json", b"[" * 10_000_000), "nests values more than 100 levels deep"),
    "no weights": (keras("model.weights.h5", b""), "The Keras model is damaged"),
}


@pytest.fixture(scope="module")
def answers(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The command's output for each dump, in one process that may use 1.5 GB."""
    folder = tmp_path_factory.mktemp("hostile")
    names = ["sound", "never ends", "terminal", *HOSTILE]
    never_ends = steps(PREPARATION.run(100, n_epochs=None))
    terminal = header(classes=["\x1b[31mAF\n", "S\x9bR\u202e"])
    changes = [lambda parts: None, never_ends, terminal, *(change for change, _ in HOSTILE.values())]
    paths = [write(sound, change, folder / str(i)) for i, change in enumerate(changes)]
    done = subprocess.run([sys.executable, "-c", SCRIPT, FILE, *map(str, paths)], capture_output=True, check=True)
    return dict(zip(names, map(json.loads, done.stdout.decode().splitlines()), strict=True))


def write(sound: Path, change: Callable[[Parts], None], path: Path) -> Path:
    with zipfile.ZipFile(sound) as archive:
        parts: Parts = {"header": json.loads(archive.read("model.json"))}
        weights = archive.read("weights.keras")
    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        parts["keras"] = {name: (archive.read(name), zipfile.ZIP_STORED) for name in archive.namelist()}
    change(parts)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, (content, compression) in parts["keras"].items():
            archive.writestr(name, content, compression)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", json.dumps(parts["header"]))
        archive.writestr("weights.keras", inner.getvalue())
    return path


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in HOSTILE.items()])
def test_a_hostile_dump_gives_one_sentence_and_exit_status_2(answers, name, reason) -> None:
    status, out, err, seconds = answers[name]
    assert status == 2, err
    assert out == ""
    assert err.startswith("cardioflow: '")
    assert reason in err
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert seconds < 30


def test_a_valid_dump_predicts_under_the_same_limits(answers) -> None:
    status, out, err, _ = answers["sound"]
    assert (status, err) == (0, "")
    assert out.startswith(FILE)


def test_an_endless_run_in_a_dump_is_not_started(answers) -> None:
    assert answers["never ends"][:3] == answers["sound"][:3]


def test_terminal_control_characters_in_labels_are_escaped(answers) -> None:
    status, out, _, _ = answers["terminal"]
    assert status == 0
    assert r"\x1b[31mAF\n 0." in out
    assert r"S\x9bR\u202e 0." in out
    assert out.rstrip("\n").isprintable()
