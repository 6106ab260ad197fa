"""Help at run time: real signatures and docstrings, and errors that say what to write now."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import subprocess
import sys
from abc import ABC

import pytest

import cardioflow
from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.core.former_names import _ACTIONS, _PRESENT, _RUN, _TABLES, where_now
from cardioflow.errors import InputError, UnknownActionError
from cardioflow.registry import actions


class Mine(EcgBatch, ABC):
    """A batch class of one's own, with an abstract base beside it."""


@pytest.fixture
def batch():
    return EcgBatch(ids=("A00001",))


@pytest.mark.parametrize("name", actions.names())
def test_an_action_has_its_own_signature_and_docstring_on_classes_and_on_instances(name, batch):
    action = actions.get(name)
    expected = list(inspect.signature(action).parameters)
    for cls, instance in ((Pipeline, Pipeline()), (EcgBatch, batch), (Mine, Mine(ids=()))):
        assert list(inspect.signature(getattr(cls, name)).parameters) == ["self", *expected]
        assert list(inspect.signature(getattr(instance, name)).parameters) == expected
        assert inspect.getdoc(getattr(cls, name)) == inspect.getdoc(getattr(instance, name)) == inspect.getdoc(action)


def test_the_help_of_an_action_prints_its_parameters_with_types_and_defaults():
    shown = pydoc.plain(pydoc.render_doc(Pipeline().band_pass_signals))
    assert "band_pass_signals(low: float | None = None, high: float | None = None, order: int = 4) -> Self" in shown
    assert "Butterworth" in shown
    assert "band_pass_signals(self, low" in pydoc.plain(pydoc.render_doc(Pipeline.band_pass_signals))


def test_the_help_of_the_class_lists_every_action():
    shown = pydoc.plain(pydoc.render_doc(Pipeline))
    assert all(f" {name}(self" in shown for name in actions.names())


def test_the_source_of_an_action_is_found():
    assert "class ResampleSignals" in inspect.getsource(Pipeline().resample_signals)


def test_a_class_lists_its_actions_and_imports_none_of_them():
    code = (
        "import sys, cardioflow as cf; a, b = dir(cf.Pipeline), dir(cf.EcgBatch); "
        "print('cwt' in a, 'cwt' in b, sorted(m for m in sys.modules if m.startswith('cardioflow.transforms')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True []"


def test_methods_pipelines_and_batches_copy_and_pickle(batch):
    assert pickle.loads(pickle.dumps(Pipeline.standardize)) is Pipeline.standardize
    template = Pipeline().standardize()
    assert pickle.loads(pickle.dumps(template)) == copy.deepcopy(template) == copy.copy(template) == template
    assert pickle.loads(pickle.dumps(template.clip_signals))(-1, 1) == template.clip_signals(-1, 1)
    for one in (batch, Mine(ids=("A00001",))):
        assert pickle.loads(pickle.dumps(one)).ids == copy.deepcopy(one).ids == one.ids


def test_a_field_of_the_batch_is_not_taken_for_an_action():
    assert not hasattr(EcgBatch, "ids")
    assert not hasattr(EcgBatch, "__wrapped__")


def test_an_argument_may_be_called_name():
    assert Pipeline().init_model(name="net") == Pipeline().init_model(name="net")


@pytest.mark.parametrize("name", sorted(_RUN))
def test_what_the_run_has_is_not_looked_for_on_the_pipeline(name):
    with pytest.raises(UnknownActionError) as caught:
        getattr(Pipeline(), name)
    assert f"The run has '{name}', not the pipeline. Keep what run() returns" in str(caught.value)


def test_names_of_cardio_are_answered_with_todays_on_every_object(batch):
    dataset = EcgDataset.simulated(3)
    for owner, name, now in (
        (Pipeline(), "train_model", "CardIO's 'train_model' is now train_on_batch('name')."),
        (dataset >> Pipeline(), "predict_model", "predict_on_batch('name', save_to=V('prediction'))"),
        (Pipeline, "gen_batch", r"(dataset >> pipeline).batches(batch_size)"),
        (batch, "print_ecg", "CardIO's 'print_ecg' is now show_ecg(record)."),
        (EcgBatch, "unique_labels", "CardIO's 'unique_labels' is now classes."),
        (dataset, "cv_split", "train, test = dataset.split(0.8"),
        (cardioflow, "FilesIndex", "cardioflow.EcgDataset('records/*.hea')"),
        (cardioflow, "Dataset", "CardIO's 'Dataset' is now cardioflow.EcgDataset."),
    ):
        with pytest.raises(AttributeError) as caught:
            getattr(owner, name)
        assert now in str(caught.value)


def test_a_name_that_never_was_is_answered_with_the_nearest(batch):
    for owner in (Pipeline, Pipeline(), EcgBatch, batch):
        with pytest.raises(UnknownActionError, match="Did you mean 'standardize'"):
            _ = owner.standardise
    with pytest.raises(AttributeError, match=r"'EcgDataset' object has no attribute 'idz'\.$"):
        _ = EcgDataset.simulated(3).idz
    with pytest.raises(AttributeError, match=r"module 'cardioflow' has no attribute 'idz'\.$"):
        _ = cardioflow.idz


def test_no_former_name_hides_one_of_today(batch):
    owners = {"pipeline": Pipeline(), "batch": batch, "dataset": EcgDataset.simulated(3), "module": cardioflow}
    for owner, table in _TABLES.items():
        assert not [name for name in table if name in dir(owners[owner])]
        assert all(where_now(owner, name).endswith(".") for name in table)
    assert not set(_RUN) & set(dir(Pipeline()))
    assert not set(_ACTIONS) & set(actions.names())


@pytest.mark.parametrize("args", [("dynamic", object, "net", {}), ("net", object, "static"), ("dynamic", object)])
def test_a_model_is_not_declared_by_mode_and_class(args):
    with pytest.raises(InputError, match=r"declare the model with @cardioflow\.model in a batch class"):
        Pipeline().init_model(*args)


def test_names_of_another_object_are_answered_with_that_object(batch):
    dataset = EcgDataset.simulated(3)
    for owner, name, now in (
        (Pipeline(), "show_ecg", "A batch has 'show_ecg', and a pipeline does not: batch.show_ecg."),
        (dataset, "show_ecg", "A batch has 'show_ecg', and a data set does not: batch.show_ecg."),
        (dataset >> Pipeline(), "split", "A data set has 'split', and a pipeline does not: dataset.split."),
        (batch, "subset", "A data set has 'subset', and a batch does not: dataset.subset."),
        (cardioflow, "from_arrays", "A data set has 'from_arrays', and the package does not: dataset.from_arrays."),
        (Pipeline(), "cv_split", "CardIO's 'cv_split' is now train, test = dataset.split(0.8"),
        (Pipeline, "FilesIndex", "CardIO's 'FilesIndex' is now cardioflow.EcgDataset('records/*.hea')."),
        (batch, "gen_batch", "CardIO's 'gen_batch' is now (dataset >> pipeline).batches(batch_size)."),
        (dataset, "train_model", "CardIO's 'train_model' is now train_on_batch('name')."),
        (cardioflow, "HMModel", "CardIO's 'HMModel' is now the model 'hmm': train_on_batch('hmm')"),
        (cardioflow, "hmm_train_pipeline", "is now cardioflow.ready_pipelines.hmm_train_pipeline."),
    ):
        with pytest.raises(AttributeError) as caught:
            getattr(owner, name)
        assert now in str(caught.value)


def test_every_name_that_an_error_sends_to_another_object_is_there(batch):
    owners = {"pipeline": EcgDataset.simulated(3) >> Pipeline(), "batch": batch, "dataset": EcgDataset.simulated(3)}
    for owner, names in _PRESENT.items():
        assert not [name for name in names if not hasattr(owners[owner], name)]
    ready = [now for now in _TABLES["module"].values() if now.startswith("cardioflow.ready_pipelines.")]
    assert len(ready) == 5
    assert all(hasattr(cardioflow.ready_pipelines, now.rpartition(".")[2]) for now in ready)
