"""Everything that is sent to worker processes survives pickling: members of registries, batches, data sets, pipelines.

All of it passes through one process that is spawned, and so knows nothing
but what the pickles say.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
import pytest

import cardioflow
from cardioflow import B, C, EcgBatch, EcgDataset, F, Pipeline, V, registry
from cardioflow.batch import Annotation, Meta, Ragged
from cardioflow.batch.ecg_batch import Skipped
from cardioflow.core.equality import same
from cardioflow.errors import CardioFlowError, FormatError, MissingDependencyError
from cardioflow.models.base import BaseModel
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.plan import Plan
from cardioflow.pipeline.sampler import BatchSampler

NAMES = Mapping[str, Any]
_VALUES = (np.ndarray, np.generic, int, float, complex, str, bytes, set, frozenset)


class Doubler(BaseModel):
    """A model without a backend, as in a template with ``import_model``."""

    def __init__(self) -> None:
        self.factor = 2.0

    def load(self, path: Any) -> Any:
        raise NotImplementedError

    def save(self, path: Any) -> None:
        raise NotImplementedError

    def train_on_batch(self, batch: Any, **options: Any) -> Any:
        raise NotImplementedError

    def test_on_batch(self, batch: Any, **options: Any) -> Any:
        raise NotImplementedError

    def predict_on_batch(self, batch: Any, **options: Any) -> Any:
        raise NotImplementedError


def halved(x: Any) -> Any:
    return x / 2


def n_records(batch: EcgBatch) -> int:
    return len(batch)


# -- what is sent -------------------------------------------------------------


def transforms() -> NAMES:
    return {
        f"{name}[{i}]": example
        for name in registry.transforms.names()
        for i, example in enumerate(registry.transforms.get(name).examples())
    }


def formats() -> NAMES:
    return {name: registry.formats.get(name)() for name in registry.formats.names()}


def metrics() -> NAMES:
    return {name: registry.metrics.get(name)() for name in registry.metrics.names()}


def errors() -> NAMES:
    for module in pkgutil.walk_packages(cardioflow.__path__, "cardioflow."):
        # Errors of a backend or of the command line cannot be asked for where it is not installed.
        if not module.name.startswith(("cardioflow.models", "cardioflow.cli", "cardioflow.report")):
            importlib.import_module(module.name)
    found: dict[str, Any] = {}
    for cls in _subclasses(CardioFlowError):
        error = cls({"A1": FormatError("x")}) if cls.__name__ == "BadRecordsError" else cls.__new__(cls, "It is short.")
        error.record, error.step = "A1", "3, load()"
        error.add_note("Another one failed too.")
        found[cls.__name__] = error
    return found


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    yield cls
    for child in cls.__subclasses__():
        if child.__module__.startswith("cardioflow."):
            yield from _subclasses(child)


@cache
def batch() -> EcgBatch:
    rng = np.random.default_rng(3)
    signals = [rng.standard_normal((2, n)).astype(np.float32) for n in (400, 500, 600)]
    marks = Annotation(sample=np.array([10, 200]), symbol=np.array(["N", "V"]))
    meta = Meta({"fs": [250.0] * 3, "leads": [("I", "II")] * 3, "units": [("mV", "mV")] * 3, "age": [61, None, 3]}, 3)
    return (
        EcgBatch(
            ids=("A1", "A2", "A3"),
            signal=Ragged.from_arrays(signals),
            annotation=(marks, marks, Annotation()),
            meta=meta,
            target=np.array(["N", "A", "N"], object),
            classes=("A", "N"),
            seed=5,
            epoch=2,
        )
        .with_component("note", np.arange(3), kind="static")
        .with_component("states", [np.zeros((1, s.shape[1]), np.int8) for s in signals], kind="time series")
    )


def batches() -> NAMES:
    whole = batch()
    return {
        "EcgBatch": whole,
        "EcgBatch of segments": whole.split_signals(200, 100),
        "EcgBatch without records": whole.take(np.arange(0)),
        "EcgBatch with a skipped record": whole.replace(skipped=(Skipped("A4", "1, load()", FormatError("x")),)),
        "Ragged": whole.signal,
        "Ragged of complex numbers": whole.rfft().signal,
        "Meta": whole.meta,
        "a row of Meta": whole.meta[1],
        "Annotation": whole.annotation[0],
        "Provenance": whole.provenance,
        "Provenance of segments": whole.split_signals(200, 100).unstack_signals().provenance,
    }


@cache
def in_memory() -> EcgDataset:
    rng = np.random.default_rng(1)
    signals = rng.standard_normal((8, 1, 300)).astype(np.float32)
    return EcgDataset.from_arrays(signals, fs=100.0, leads=["I"], targets=list("NANANANA"))


def datasets(folder: Path) -> NAMES:
    part, rest = in_memory().split([0.5, 0.5])
    return {
        "arrays": in_memory(),
        "files": EcgDataset([folder / "A1.npz", folder / "A2.npz"]),
        "a folder": EcgDataset(folder),
        "a packed store": EcgDataset(folder / "store"),
        "simulated records": EcgDataset.simulated(3, fs=100, duration_s=2),
        "a part": part,
        "the rest": rest,
    }


def template() -> Pipeline:
    return (
        Pipeline(config={"fs": 50.0, "m": {"lr": 0.1}})
        .load()
        .load(components="target")
        .resample_signals(C("fs"))
        .apply_transform(halved)
        .random_crop_signals(100)
        .apply_transform(np.multiply, B("fs"))
    )


def expressions() -> NAMES:
    every = (B(), B("fs"), C("lr"), C("lr", default=np.array([1.0, np.nan])), F(n_records), V("x"), V("x", mode="a"))
    return {repr(e): e for e in (*every, F(partial(n_records)))}


def pipelines() -> NAMES:
    dataset, options = in_memory(), RunOptions(batch_size=3, shuffle=True, seed=7)
    written = template()
    bound = dataset >> Pipeline(config={"fs": 50.0}).load().resample_signals(C("fs")).random_crop_signals(100)
    bound.next_batch(3)
    sampler = BatchSampler(dataset, options)
    sampler[0]
    return {
        "a template": written,
        "a template with run()": written.run(4, n_epochs=2, callbacks=()),
        "a template with a model": written.import_model("m", Doubler()),
        "what a template holds": written.template,
        "a call": Call("apply_transform", (halved,), {"axis": -1}),
        "options": options,
        "a bound pipeline": bound,
        "a plan": Plan.of(bound.template, dataset, on_error="skip"),
        "a sampler": sampler,
    }


# -- through the process ------------------------------------------------------


def _echo(pipe: Connection) -> None:
    for name, text in iter(pipe.recv, None):
        try:
            answer: Any = pickle.dumps(pickle.loads(text))
        except Exception as error:  # noqa: BLE001 -- reported by name in the parent
            answer = f"does not come out of the other process: {type(error).__name__}: {error}"
        pipe.send((name, answer))


@pytest.fixture(scope="module")
def echo() -> Iterator[Callable[[NAMES], dict[str, Any]]]:
    """Send named objects through the other process; failures are returned as text."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_echo, args=(there,), daemon=True)
    process.start()

    def send(named: NAMES) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in named.items():
            try:
                text = pickle.dumps(value)
            except Exception as error:  # noqa: BLE001 -- reported by name
                found[name] = f"does not pickle: {type(error).__name__}: {error}"
                continue
            here.send((name, text))
            if not here.poll(120):
                pytest.fail(f"no answer for {name}")
            answer = here.recv()[1]
            found[name] = pickle.loads(answer) if isinstance(answer, bytes) else answer
        return found

    yield send
    here.send(None)
    process.join(timeout=30)


def alike(a: Any, b: Any) -> bool:
    """Return whether ``b`` has the type of ``a`` and equal state, at any depth."""
    if a is b or type(a) is not type(b) or isinstance(a, type | FunctionType | BuiltinFunctionType):
        return a is b
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(v, b[k]) for k, v in a.items())
    if isinstance(a, np.ndarray) and a.dtype == object:
        a, b = a.tolist(), b.tolist()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    # What compares by identity is compared by what its pickle holds.
    return same(a, b) or (not isinstance(a, _VALUES) and alike(a.__reduce_ex__(4)[1:3], b.__reduce_ex__(4)[1:3]))


def unlike(sent: NAMES, received: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of the objects that changed."""
    assert sent
    return {
        name: received[name] if isinstance(received[name], str) else "comes back changed"
        for name, value in sent.items()
        if not alike(value, received[name])
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files and a packed store of them."""
    folder = tmp_path_factory.mktemp("records")
    batch().take([0, 1]).dump(folder, fmt="npz")
    EcgDataset([folder / "A1.npz", folder / "A2.npz"]).pack(folder / "store")
    return folder


@pytest.mark.parametrize("members", [transforms, formats, metrics, errors, batches, expressions, pipelines])
def test_every_member_is_equal_after_unpickling(
    members: Callable[[], NAMES], echo: Callable[[NAMES], dict[str, Any]]
) -> None:
    sent = members()
    assert unlike(sent, echo(sent)) == {}


@pytest.mark.parametrize("members", [transforms, formats, metrics, errors, batches, expressions, pipelines])
def test_every_member_can_be_deep_copied(members: Callable[[], NAMES]) -> None:
    sent = members()
    assert unlike(sent, {name: deepcopy(value) for name, value in sent.items()}) == {}


def test_every_data_set_is_equal_after_unpickling(folder: Path, echo: Callable[[NAMES], dict[str, Any]]) -> None:
    sent = datasets(folder)
    received = echo(sent)
    assert unlike(sent, received) == {}
    for name, dataset in sent.items():
        own, other = (
            (d >> Pipeline().load(components=["signal", "meta"])).batches(2).next_batch()
            for d in (dataset, received[name])
        )
        assert alike(own, other), name


def test_the_tests_cover_all_errors_of_the_package() -> None:
    assert {"BadRecordsError", "MixedRatesError", "StepError", "CardioFlowError"} <= errors().keys()
    assert MissingDependencyError.__name__ in errors()


def test_an_unpickled_pipeline_gives_the_same_batches(echo: Callable[[NAMES], dict[str, Any]]) -> None:
    sent = pipelines()
    received = echo(sent)
    own, other = (
        list(named["a bound pipeline"].batches(3, shuffle=True, seed=9, threads=0)) for named in (sent, received)
    )
    assert len(own) == 3
    assert alike(own, other)
    for i in range(3):
        mine, theirs = (named["a plan"].pure(named["a sampler"][i]) for named in (sent, received))
        assert len(mine) == (3, 3, 2)[i]
        assert alike(mine, theirs)


def test_a_run_and_its_tensors_refuse_pickling_and_say_why() -> None:
    run = (in_memory() >> Pipeline().load()).batches(3)
    for copied in (pickle.dumps, deepcopy):
        with pytest.raises(TypeError, match=r"A Run cannot be pickled or copied.*Pickle the pipeline"):
            copied(run)
    torch = pytest.importorskip("torch")
    assert torch is not None
    with pytest.raises(TypeError, match=r"to_torch\(\) cannot be pickled.*num_workers=0"):
        pickle.dumps(run.to_torch())
    run.close()
