"""Actions of the user's own: ``@action`` on functions and on methods, in pipelines and on batches."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cardioflow import B, C, EcgBatch, EcgDataset, Pipeline, action
from cardioflow.errors import ConfigError, DuplicateNameError, InputError, StepError, UnknownActionError
from cardioflow.registry import actions


@pytest.fixture(autouse=True)
def _forget_what_a_test_declares(monkeypatch):
    monkeypatch.setattr(actions, "_declared", {})


@pytest.fixture
def dataset():
    return EcgDataset.simulated(6, fs=100, duration_s=3)


@pytest.fixture
def template():
    return Pipeline().load(fmt="simulated", components=["signal", "meta"])


def signals(run):
    return {name: batch.signal[i] for batch in run for i, name in enumerate(batch.ids)}


def declare_scale():
    @action
    def scale(batch, factor: float = 2.0, *, offset=0.0):
        """Multiply the signals by ``factor``."""
        return batch.replace(signal=batch.signal.with_data(batch.signal.data * np.float32(factor) + np.float32(offset)))

    return scale


def test_a_function_becomes_an_action_of_pipelines_and_batches_and_stays_a_function(dataset, template):
    scale = declare_scale()
    plain = signals((dataset >> template).batches(4))
    scaled = signals((dataset >> (Pipeline(config={"by": 3.0}) + template.scale(factor=C("by")))).batches(4))
    assert all(np.array_equal(scaled[name], plain[name] * np.float32(3)) for name in dataset.ids)
    batch = dataset.next_batch(2).load(fmt="simulated")
    assert batch.scale(3.0).signal == scale(batch, 3.0).signal
    assert batch.scale(3.0).history[-1] == "scale"


def test_an_action_of_ones_own_has_its_signature_and_docstring():
    declare_scale()
    assert str(inspect.signature(Pipeline().scale)) == "(factor: float = 2.0, *, offset=0.0) -> Self"
    assert inspect.getdoc(EcgBatch.scale) == "Multiply the signals by ``factor``."
    assert "def scale(batch" in inspect.getsource(Pipeline.scale)
    assert "scale" in dir(Pipeline())


def test_wrong_arguments_fail_when_the_pipeline_is_written():
    declare_scale()
    with pytest.raises(InputError, match=r"scale\(\) takes no 'factr'. Did you mean 'factor'"):
        Pipeline().scale(factr=1)


def test_an_action_of_ones_own_prints_compares_and_goes_to_json_and_back():
    declare_scale()
    pipeline = Pipeline().scale(3.0).scale(offset=B("fs"))
    assert "1. scale(3.0)" in repr(pipeline)
    assert Pipeline.from_json(pipeline.to_json()) == pipeline == copy.deepcopy(pipeline)
    make = actions.get("scale")
    assert make(3.0) == make(3.0) != make(4.0)
    assert hash(make([1])) == hash(make([1]))


def test_a_second_declaration_in_the_same_module_replaces_the_first(dataset, template):
    declare_scale()

    @action
    def scale(batch):
        return batch.take([0])

    assert len((dataset >> template.scale()).next_batch(3)) == 1
    assert not inspect.signature(Pipeline().scale).parameters


def test_names_that_are_taken_are_refused():
    def standardize(batch):
        return batch

    def scale(batch):
        return batch

    def take(batch):
        return batch

    def run(batch):
        return batch

    with pytest.raises(DuplicateNameError, match=r"'standardize' is already an action, of cardioflow.*Rename yours"):
        action(standardize)
    declare_scale()
    scale.__module__ = "another"
    with pytest.raises(
        DuplicateNameError, match=r"Two actions are named 'scale', in .*test_own_actions and in another"
    ):
        action(scale)
    for function, owner in ((take, "EcgBatch"), (run, "Pipeline")):
        with pytest.raises(DuplicateNameError, match=f"{owner} has '{function.__name__}' already"):
            action(function)
    with pytest.raises(InputError, match="has no name that an action can have"):
        action(lambda batch: batch)
    with pytest.raises(InputError, match="expected 'pure' or 'stateful'"):
        action(kind="often")
    with pytest.raises(UnknownActionError):
        _ = Pipeline().take


def test_what_is_not_a_batch_is_not_returned(dataset):
    @action
    def forget(batch):
        """Return nothing."""

    with pytest.raises(InputError, match=r"forget\(\) returned NoneType, but an action returns a batch"):
        dataset.next_batch(1).forget()


def test_an_exception_inside_names_the_step_and_a_bad_record_is_skipped(dataset, template):
    @action
    def fussy(batch):
        if dataset.ids[2] in batch.ids:
            raise KeyError("two")
        return batch

    with pytest.raises(StepError, match=r"KeyError: 'two'.*2, fussy\(\)"):
        (dataset >> template.fussy()).run(3)
    run = (dataset >> template.fussy()).run(3, on_error="skip")
    assert [skipped.record for skipped in run.skipped] == [dataset.ids[2]]


def test_a_method_of_a_batch_class_is_known_to_pipelines_of_its_data_sets(template):
    class MyBatch(EcgBatch):
        @action
        def halve(self, times: int = 1):
            """Halve the signals."""
            return self.replace(signal=self.signal.with_data(self.signal.data / np.float32(2**times)))

    class Child(MyBatch):
        """Inherits the action."""

    pipeline = template.halve(times=2)
    assert inspect.getdoc(Pipeline.halve) == "Halve the signals."
    for cls in (MyBatch, Child):
        mine = EcgDataset.simulated(3, fs=100, duration_s=3)
        mine.batch_class = cls
        plain = signals((mine >> template).batches(2))
        done = signals((mine >> pipeline).batches(2))
        assert all(np.array_equal(done[name], plain[name] / 4) for name in mine.ids)
        batch = (mine >> template).next_batch(2)
        assert batch.halve(2).signal == (mine >> pipeline).next_batch(2).signal
    with pytest.raises(ConfigError, match=r"EcgBatch does not have the action 'halve', which is a method of .*MyBatch"):
        (EcgDataset.simulated(3) >> pipeline).batches(2)


def test_two_batch_classes_may_have_methods_of_one_name(template):
    class First(EcgBatch):
        @action
        def pick(self):
            return self.take([0])

    class Second(EcgBatch):
        @action
        def pick(self):
            return self.take([0, 1])

    for cls, n in ((First, 1), (Second, 2)):
        mine = EcgDataset.simulated(3)
        mine.batch_class = cls
        assert len((mine >> template.pick()).next_batch(3)) == n

    with pytest.raises(DuplicateNameError, match="Declare it the same way in both"):

        class Third(EcgBatch):
            @action(kind="stateful")
            def pick(self):
                return self


def test_an_action_of_a_module_pickles_by_its_name_into_a_new_process(tmp_path):
    (tmp_path / "lab.py").write_text(
        textwrap.dedent("""
            import cardioflow

            @cardioflow.action
            def first(batch, n=1):
                return batch.take(list(range(n)))

            class LabBatch(cardioflow.EcgBatch):
                @cardioflow.action
                def last(self):
                    return self.take([len(self) - 1])
        """)
    )
    make = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lab, pickle; from cardioflow.registry import actions; "
        "sys.stdout.buffer.write(pickle.dumps([actions.get('first')(n=2), actions.get('last')()]))"
    )
    use = (
        "import sys; sys.path.insert(0, sys.argv[1]); import pickle; "
        "first, last = pickle.loads(sys.stdin.buffer.read()); import lab; "
        "batch = lab.LabBatch(ids=('a', 'b', 'c')); print(first(batch).ids, last(batch).ids, 'lab' in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", make, str(tmp_path)], capture_output=True, check=True)
    used = subprocess.run(
        [sys.executable, "-c", use, str(tmp_path)], input=made.stdout, capture_output=True, check=True
    )
    assert used.stdout.decode().strip() == "('a', 'b') ('c',) True"
