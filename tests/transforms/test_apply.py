"""A function of one's own is called on each record, or each channel, and its result becomes a component."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Meta, Ragged
from cardioflow.errors import InputError, StepError, UnknownNameError
from cardioflow.transforms.apply_transform import ApplyTransform


@pytest.fixture
def batch(make):
    return make(np.arange(6.0).reshape(2, 3), 10 + np.arange(8.0).reshape(2, 4), leads=("I", "II"))


def test_a_function_is_called_with_each_signal_and_its_arguments(batch):
    done = batch.apply_transform(np.clip, 2, a_max=11)
    np.testing.assert_array_equal(done.signal[1], np.clip(batch.signal[1], 2, 11))


def test_arrays_and_lists_reach_the_function_as_they_are(batch):
    seen = []
    batch.apply_transform(lambda x, *rest, **more: (seen.append((*rest, more["c"])), x)[1], np.eye(2), [1, 2], c=[3])
    assert isinstance(seen[0][0], np.ndarray)
    assert seen[0][1:] == ([1, 2], [3])
    with_array = ApplyTransform(np.matmul, np.eye(2))
    assert with_array == ApplyTransform(np.matmul, np.eye(2))
    assert hash(with_array) == hash(ApplyTransform(np.matmul, np.eye(2)))
    assert with_array != ApplyTransform(np.matmul, np.zeros((2, 2)))


def test_a_result_becomes_a_component_of_its_own(batch):
    done = batch.apply_transform(np.mean, axis=1, dst="mean")
    assert done.signal is batch.signal
    np.testing.assert_allclose(done.mean[0], [1, 4])
    assert batch.apply_transform(len, dst="n_leads").n_leads.tolist() == [2, 2]
    assert batch.apply_transform(lambda x: str(x.shape), dst="text").text == ("(2, 3)", "(2, 4)")


def test_a_function_may_read_and_write_any_component(batch):
    done = batch.apply_transform(lambda meta: {**meta, "doubled": meta["fs"] * 2}, src="meta", dst="meta")
    assert isinstance(done.meta, Meta)
    assert done.meta[0]["doubled"] == 500
    assert batch.apply_transform(lambda x: "A", dst="target").target.tolist() == ["A", "A"]


def test_an_exception_inside_names_the_function_and_the_record(batch):
    def fussy(x):
        if x.shape[1] == 4:
            raise KeyError("four")
        return x

    with pytest.raises(StepError) as caught:
        batch.apply_transform(fussy)
    assert "fussy failed on record 'A00001': KeyError: 'four'" in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.record == "A00001"


def test_what_is_no_signal_does_not_become_one(batch):
    with pytest.raises(InputError) as caught:
        batch.apply_transform(np.mean)
    assert str(caught.value) == (
        "apply_transform(mean) gave float32, which cannot be the component 'signal': expected an array of "
        "(lead, time) or (segment, lead, time). Return that, or give another dst."
    )


def test_a_channel_at_a_time_is_given_to_the_function(batch):
    done = batch.apply_to_each_channel(np.cumsum)
    np.testing.assert_array_equal(done.signal[0], np.cumsum(batch.signal[0], axis=-1))
    cut = batch.split_signals(2)
    np.testing.assert_array_equal(cut.apply_to_each_channel(np.flip).signal[0], cut.signal[0][..., ::-1])
    assert isinstance(batch.apply_to_each_channel(np.sort, dst="sorted").sorted, Ragged)


def test_an_unknown_component_and_what_is_no_function_are_refused(batch):
    with pytest.raises(UnknownNameError, match=r"no component 'signals'. Did you mean 'signal'"):
        batch.apply_transform(np.abs, src="signals")
    with pytest.raises(InputError, match="is no function"):
        batch.apply_transform("abs")
