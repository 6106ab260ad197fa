"""A run on a Ray cluster of two nodes gives what a run on this machine gives, each record once."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import SGDClassifier

from cardioflow import B, EcgBatch, EcgDataset, F, Pipeline, V, model
from cardioflow.callbacks import Callback
from cardioflow.errors import ConfigError, FormatError, MissingDependencyError, StepError, WriteError
from cardioflow.models.base import BaseModel
from cardioflow.models.sklearn import SklearnBaseModel
from cardioflow.pipeline.model_store import ModelStore
from cardioflow.pipeline.offloading import offloaded
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.plan import Plan

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own: of its sockets and of what it deprecates

ray = pytest.importorskip("ray")
if __name__ in sys.modules:
    # The workers cannot import this file.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Sums(BaseModel):
    """Predicts the mean and the largest sample of each row."""

    def load(self, path):
        raise NotImplementedError

    def save(self, path):
        raise NotImplementedError

    def train_on_batch(self, batch, metrics=None, **kwargs):
        return {"loss": float(batch.signal.data.sum())}

    def test_on_batch(self, batch, metrics=None, **kwargs):
        raise NotImplementedError

    def predict_on_batch(self, batch: EcgBatch) -> np.ndarray:
        return np.array([[x.mean(), x.max()] for x in batch.signal], np.float32)


def loading():
    return Pipeline().load(fmt="simulated")


def asking(model=None):
    return loading().import_model("m", model or Sums()).predict_on_batch("m", save_to=B("prediction"))


def test_training_is_fed_in_the_same_order(ray_cluster):
    records = EcgDataset.simulated(20, fs=100, duration_s=2)
    template = (
        loading().random_crop_signals(100).import_model("m", Sums()).train_on_batch("m", save_to=V("loss", mode="a"))
    )
    options = {"batch_size": 3, "shuffle": True, "seed": 2, "n_epochs": 2}
    here = (records >> template).run(**options, threads=0)
    there = (records >> template).run(**options, engine="ray", address=ray_cluster.address)
    assert there.get_variable("loss") == here.get_variable("loss")
    assert len(there.get_variable("loss")) == 14


def test_workers_ask_models_and_write_each_record_once(ray_cluster, tmp_path):
    good = EcgDataset.simulated(21, fs=100, duration_s=2)
    places = {**dict(zip(good.ids, good.locations, strict=True)), "bad": tmp_path / "missing.hea"}
    records = EcgDataset(places)
    template = Pipeline().load().import_model("m", Sums()).predict_on_batch("m", save_to=B("prediction"))
    tables = {}
    for engine in ("local", "ray"):
        folder = tmp_path / engine
        run = (records >> template.write_predictions(folder)).run(4, on_error="skip", engine=engine)
        assert [own.record for own in run.skipped] == ["bad"]
        assert isinstance(run.skipped[0].reason, FormatError)
        tables[engine] = pq.read_table(folder).sort_by("id").to_pydict()
    assert sorted(good.ids) == tables["ray"]["id"] == tables["ray"]["record"]
    expected, found = (np.array(tables[engine]["prediction"]) for engine in ("local", "ray"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    direct = (good >> asking()).next_batch(1)
    np.testing.assert_allclose(expected[0], direct.prediction[0], rtol=0, atol=1e-6)


def test_a_model_that_a_later_step_trains_is_asked_here():
    records, options = EcgDataset.simulated(2), RunOptions(batch_size=1)
    for template, n_here in ((asking(), 0), (asking().train_on_batch("m"), 2)):
        plan = Plan.of(template.template, records, on_error="raise")
        models = ModelStore({}, EcgBatch, None, seed=0)
        models.put("m", Sums())
        _, here = offloaded(plan, models, options)
        assert len(here.ordered) == n_here


def test_predictions_are_written_here_where_a_checkpoint_must_know_of_them(tmp_path):
    records, template = EcgDataset.simulated(2), asking().write_predictions(tmp_path / "out")
    plan = Plan.of(template.template, records, on_error="raise")
    models = ModelStore({}, EcgBatch, None, seed=0)
    models.put("m", Sums())
    for options, n_here in ((RunOptions(batch_size=1), 0), (RunOptions(batch_size=1, checkpoint=tmp_path / "c"), 1)):
        _, here = offloaded(plan, models, options)
        assert len(here.ordered) == n_here


def test_what_follows_the_predictions_is_done_here(ray_cluster):
    records = EcgDataset.simulated(9, fs=100, duration_s=2)
    template = asking().update(V("all", mode="e"), B("prediction")).update(V("n", mode="a"), F(len))
    here, there = ((records >> template).run(4, engine=engine) for engine in ("local", "ray"))
    assert there.get_variable("n") == [4, 4, 1]
    np.testing.assert_allclose(there.get_variable("all"), here.get_variable("all"), rtol=0, atol=1e-6)


class OddError(Exception):
    """Takes two arguments, so that it does not come back from a pickle."""

    def __init__(self, record, why):
        super().__init__(f"{record}: {why}")


def test_an_error_in_a_worker_names_the_step_and_writes_nothing(ray_cluster, tmp_path):
    def fail(signal):
        raise OddError("a", "odd")

    template = loading().apply_transform(fail).import_model("m", Sums())
    template = template.predict_on_batch("m", save_to=B("prediction")).write_predictions(tmp_path / "out")
    with pytest.raises(StepError, match=r"OddError: a: odd.*step 2, apply_transform\(fail\)"):
        (EcgDataset.simulated(3) >> template).run(2, engine="ray")
    assert list(tmp_path.iterdir()) == []


def slow(signal):
    time.sleep(0.02)
    return signal


def test_a_node_that_is_killed_loses_no_record_and_doubles_none(ray_cluster, tmp_path):
    records = EcgDataset.simulated(300, fs=100, duration_s=1)
    extra = ray_cluster.add_node(num_cpus=2, object_store_memory=200 * 2**20)
    run = (records >> loading().apply_transform(slow) + asking().write_predictions(tmp_path / "out")).batches(
        5, engine="ray", actors=2
    )
    seen = []
    for number, batch in enumerate(run):
        seen += batch.ids
        if number == 3:
            killer = threading.Thread(target=ray_cluster.remove_node, args=(extra,), kwargs={"allow_graceful": False})
            killer.start()
    killer.join()
    assert tuple(seen) == records.ids
    assert sorted(pq.read_table(tmp_path / "out").to_pydict()["id"]) == sorted(records.ids)


class Saved(Sums):
    """The same as a model that a checkpoint can hold: it has nothing to save."""

    def save_state(self, folder):
        pass

    def load_state(self, folder):
        pass


class StoppedError(BaseException):
    """What ends a run as a crash would."""


class Stops(Callback):
    def __init__(self, at):
        self._at = at

    def batch_end(self, context, logs):
        if logs.number == self._at:
            raise StoppedError


class LabBatch(EcgBatch):
    @model(mode="static")
    def line(config=None):  # noqa: N805 -- the form that @model documents
        return SklearnBaseModel().build(SGDClassifier(loss="log_loss", random_state=0), fit_at="epoch")


def test_actors_read_a_dump_from_its_path(ray_cluster, tmp_path):
    records = EcgDataset.simulated(12, fs=100, duration_s=1)
    records.batch_class = LabBatch
    labelled = loading().load(components="target").binarize_labels()
    (records >> labelled.train_on_batch("line").save_model("line", tmp_path / "dump")).run(4)
    reading = Pipeline(config={"line": {"path": str(tmp_path / "dump")}}) + loading()
    asked = reading.predict_on_batch("line", save_to=B("prediction")).update(V("p", mode="e"), B("prediction"))
    here, there = ((records >> asked).run(4, engine=engine) for engine in ("local", "ray"))
    assert len(there.get_variable("p")) == 12
    np.testing.assert_allclose(there.get_variable("p"), here.get_variable("p"), rtol=0, atol=1e-6)


def test_a_stopped_run_with_a_checkpoint_writes_each_record_once_when_it_goes_on(ray_cluster, tmp_path):
    check_going_on(tmp_path, "ray")


def test_a_stopped_run_here_writes_each_record_once_when_it_goes_on(tmp_path):
    check_going_on(tmp_path, "local")


def check_going_on(folder, engine):
    records = EcgDataset.simulated(20, fs=100, duration_s=1)
    template = loading().import_model("m", Saved()).predict_on_batch("m", save_to=B("prediction"))
    template = template.write_predictions(folder / "out")
    options = {"engine": engine, "checkpoint": folder / "checkpoint", "every": 1}
    with pytest.raises(StoppedError):
        (records >> template).run(4, **options, callbacks=(Stops(2),))
    assert not (folder / "out").exists()
    (records >> template).run(4, **options, callbacks=(Stops(-1),))
    found = pq.read_table(folder / "out").sort_by("id").to_pydict()
    assert found["id"] == sorted(records.ids)
    direct = (records >> asking()).next_batch(1)
    np.testing.assert_allclose(found["prediction"][0], direct.prediction[0], rtol=0, atol=1e-6)


# -- what is refused, without a cluster ----------------------------------------------


def test_a_missing_ray_is_an_error_with_the_command_that_installs_it(monkeypatch):
    for name in [name for name in sys.modules if name == "ray" or name.startswith("ray.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=re.escape("pip install 'cardioflow[ray]'")):
        (EcgDataset.simulated(3) >> loading()).run(2, engine="ray")


def test_an_address_that_does_not_answer_is_an_error_at_once():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    began = time.monotonic()
    message = f"address='127.0.0.1:{port}'.: no Ray cluster answers there .Connection refused.. Start one with"
    with pytest.raises(ConfigError, match=message):
        check(f"127.0.0.1:{port}")
    assert time.monotonic() - began < 10
    with pytest.raises(ConfigError, match="is not the address of a Ray cluster"):
        check("somewhere")


def test_another_program_at_the_address_is_an_error_and_not_waited_for(monkeypatch):
    """Ray itself waits for minutes, for example for its own dashboard."""
    from cardioflow.pipeline.engines import _ray_cluster

    def answer():
        there, _ = listening.accept()
        with there:
            there.recv(100)
            there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    monkeypatch.setattr(_ray_cluster, "_PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        other = threading.Thread(target=answer)
        other.start()
        with pytest.raises(ConfigError, match=r"no Ray cluster answers there \(what answers is another program"):
            check(address)
        other.join()
        # One that accepts, and says nothing.
        with pytest.raises(ConfigError, match=r"no Ray cluster answers there \(timed out"):
            check(f"ray://{address}")


def test_a_cluster_that_may_ask_for_a_token_is_named_where_ray_does_not_connect(monkeypatch):
    """Ray 2.60 says "Failed to connect" after 20 s, and not why, so that here it is told to say so at once."""
    from cardioflow.pipeline.engines import _ray_cluster

    def fail(**_):
        raise ConnectionError("Failed to connect\nto it")

    ray = _ray_cluster.ray_module()
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", fail)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(ConfigError, match=r"Failed to connect\. Something answers there\. .* set RAY_AUTH_MODE=token"):
        _ray_cluster.Cluster("127.0.0.1:6379")
    # Where a token is given already, or no address, it is something else.
    for mode, address in (("token", "127.0.0.1:6379"), ("", None)):
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
        with pytest.raises(ConfigError, match=r"\(Failed to connect\)"):
            _ray_cluster.Cluster(address)


def check(address):
    from cardioflow.pipeline.engines import _ray_cluster

    is_initialized = _ray_cluster.ray_module().is_initialized
    _ray_cluster.ray_module().is_initialized = lambda: False
    try:
        (EcgDataset.simulated(3) >> loading()).run(2, engine="ray", address=address)
    finally:
        _ray_cluster.ray_module().is_initialized = is_initialized


def test_another_address_than_the_one_this_process_is_connected_to_is_refused(ray_cluster):
    with pytest.raises(ConfigError, match="is connected to the cluster at"):
        (EcgDataset.simulated(3) >> loading()).run(2, engine="ray", address="127.0.0.1:1")


def test_a_function_that_cannot_be_sent_is_refused_with_its_step():
    lock = threading.Lock()

    def locked(signal):
        with lock:
            return signal

    with pytest.raises(ConfigError, match=r"cannot be sent to a Ray cluster: .*lock.*step 2, apply"):
        (EcgDataset.simulated(3) >> loading().apply_transform(locked)).run(2, engine="ray")
    with pytest.raises(ConfigError, match=r"in the memory of one process. Pass a folder: cache\('folder'\)"):
        (EcgDataset.simulated(3) >> loading().cache()).run(2, engine="ray")


def test_a_model_that_cannot_be_sent_or_was_never_trained_is_refused_by_name():
    model = Sums()
    model.lock = threading.Lock()
    with pytest.raises(ConfigError, match=r"The model 'm' cannot be sent to a cluster.*Pipeline\(config="):
        (EcgDataset.simulated(3) >> asking(model)).run(2, engine="ray")
    untrained = loading().predict_on_batch("fft_inception", save_to=B("prediction"))
    with pytest.raises(ConfigError, match="The model 'fft_inception' has not been trained, and each worker"):
        (EcgDataset.simulated(3) >> untrained).run(2, engine="ray")


def test_too_many_actors_and_wrong_options_are_refused(ray_cluster):
    with pytest.raises(ConfigError, match=r"run\(actors=999\): the cluster has \d+ CPUs, which is too few"):
        (EcgDataset.simulated(3) >> asking()).run(2, engine="ray", actors=999)
    with pytest.raises(ConfigError, match=r"gpus_per_actor=1\): the cluster has 0 GPUs"):
        (EcgDataset.simulated(3) >> asking()).run(2, engine="ray", gpus_per_actor=1)
    for wrong in ({"actors": 0}, {"gpus_per_actor": -1}, {"address": 3}):
        with pytest.raises(ConfigError, match=rf"run\({next(iter(wrong))}="):
            (EcgDataset.simulated(3) >> loading()).run(2, engine="ray", **wrong)


# -- write_predictions, on this machine ------------------------------------------------


@pytest.mark.parametrize("profile", [False, True])
def test_a_run_that_ends_early_leaves_no_predictions_unless_another_may_go_on(tmp_path, profile):
    def fail(batch):
        if "sim00004" in batch.ids:
            raise OSError("the disk is gone")

    asked = loading().apply_transform(np.std, dst="spread").call(fail).write_predictions(tmp_path / "out", "spread")
    options = {"batch_size": 2, "profile": profile}
    with pytest.raises(StepError, match="the disk is gone"):
        (EcgDataset.simulated(6) >> asked).run(**options)
    assert list(tmp_path.iterdir()) == []
    # In a loop that is left, too.
    with (EcgDataset.simulated(6) >> asked).batches(**options) as run:
        next(run)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StepError, match="the disk is gone"):
        (EcgDataset.simulated(6) >> asked).run(**options, checkpoint=tmp_path / "saved", every=1)
    assert len(list(tmp_path.glob(".out.*.part/*.parquet"))) == 2


def test_a_folder_of_predictions_that_is_there_is_not_added_to(tmp_path):
    template = asking().write_predictions(tmp_path / "out")
    (EcgDataset.simulated(5) >> template).run(2)
    assert len(pq.read_table(tmp_path / "out")) == 5
    with pytest.raises(WriteError, match="exists already, and rows added to it would be there twice"):
        (EcgDataset.simulated(5) >> template).run(2)
    assert len(pq.read_table(tmp_path / "out")) == 5


BATCHES: list[int] = []


def stop_at_the_third(batch):
    BATCHES.append(len(batch))
    if len(BATCHES) == 3:
        raise RuntimeError("stopped")


def test_a_run_that_goes_on_from_a_checkpoint_writes_each_record_once(tmp_path):
    template = loading().apply_transform(np.mean, dst="score").call(stop_at_the_third)
    bound = EcgDataset.simulated(10) >> template.write_predictions(tmp_path / "out", components="score")
    options = {"checkpoint": tmp_path / "saved", "every": 1, "threads": 0}
    with pytest.raises(StepError, match="stopped"):
        bound.run(2, **options)
    assert not (tmp_path / "out").exists()
    bound.run(2, **options)
    assert len(BATCHES) == 2 + 1 + 3
    assert sorted(pq.read_table(tmp_path / "out").to_pydict()["id"]) == sorted(bound.dataset.ids)


def test_predictions_of_segments_and_epochs_are_told_apart(tmp_path):
    template = loading().split_signals(200).unstack_signals().import_model("m", Sums())
    template = template.predict_on_batch("m", save_to=B("p")).write_predictions(tmp_path / "out", components=["p"])
    (EcgDataset.simulated(2, fs=100, duration_s=4) >> template).run(2, n_epochs=2)
    rows = pq.read_table(tmp_path / "out").to_pydict()
    assert sorted(zip(rows["epoch"], rows["id"], rows["record"], strict=True))[:2] == [
        (0, "sim00000/0", "sim00000"),
        (0, "sim00000/1", "sim00000"),
    ]
    assert len(rows["p"]) == 8
    assert len(rows["p"][0]) == 2
