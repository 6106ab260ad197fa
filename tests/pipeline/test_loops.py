"""Loops of one's own: a second loop goes on with the next epoch, and nothing is given twice or lost in silence."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from cardioflow.errors import ConfigError, EndOfDataError, MissingDependencyError


def test_a_second_loop_gives_the_next_epoch(twelve, loading):
    template = loading.random_crop_signals(100)
    run = (twelve >> template).batches(5, shuffle=True, seed=3)
    loops = [[(b.ids, b.signal.data.copy()) for b in run] for _ in range(2)]
    both = [(b.ids, b.signal.data.copy()) for b in (twelve >> template).batches(5, shuffle=True, seed=3, n_epochs=2)]
    for (ids, data), (other_ids, other) in zip(loops[0] + loops[1], both, strict=True):
        assert ids == other_ids
        assert np.array_equal(data, other)
    assert loops[0][0][0] != loops[1][0][0]


def test_the_first_epoch_can_be_set(twelve, loading):
    template = loading.random_crop_signals(100)
    run = (twelve >> template).batches(12, shuffle=True, n_epochs=3)
    third = list(run)[2]
    (alone,) = (twelve >> template).batches(12, shuffle=True, epoch=2)
    assert alone.epoch == third.epoch == 2
    assert alone.ids == third.ids
    assert alone.signal == third.signal


def test_a_loop_that_was_left_goes_on_where_it_was(twelve, loading):
    run = (twelve >> loading).batches(5)
    first = next(run)
    assert [b.ids[0] for b in run] == ["sim00005", "sim00010"]
    assert first.ids[0] == "sim00000"
    with pytest.raises(StopIteration):
        next(run)
    with pytest.raises(EndOfDataError, match="has given its last batch"):
        run.next_batch()


@pytest.mark.parametrize(("options", "expected"), [({}, 3), ({"drop_last": True}, 2), ({"n_epochs": 4}, 12)])
def test_a_run_has_the_length_of_its_loop(twelve, loading, options, expected):
    run = (twelve >> loading).batches(5, **options)
    assert len(run) == expected == len(list(run))
    assert bool(run)


def test_where_no_length_is_known_there_is_none(twelve, loading):
    with pytest.raises(TypeError, match="n_epochs=None has no length"):
        len((twelve >> loading).batches(5, n_epochs=None))
    with pytest.raises(TypeError, match="rebatch has no length"):
        len((twelve >> loading.rebatch(3)).batches(5))
    assert len(list((twelve >> loading.rebatch(3)).batches(5))) == 4


def test_torch_tensors_come_again_with_the_next_epochs_draw(twelve, loading):
    tensors = (twelve >> loading.random_crop_signals(100)).batches(5, shuffle=True).to_torch(ids=True)
    assert len(tensors) == 3
    first, second = list(tensors), list(tensors)
    assert [t.shape for t, _ in first] == [(5, 1, 100), (5, 1, 100), (2, 1, 100)]
    assert sorted(i for _, ids in first for i in ids) == sorted(i for _, ids in second for i in ids)
    assert [ids for _, ids in first] != [ids for _, ids in second]
    assert not np.array_equal(first[0][0].numpy(), second[0][0].numpy())


def test_torch_tensors_begin_the_next_epoch_after_a_loop_that_was_left(twelve, loading):
    tensors = (twelve >> loading).batches(5, shuffle=True).to_torch(ids=True)
    for _ in tensors:
        break
    (expected,) = (twelve >> loading).batches(12, shuffle=True, epoch=1)
    assert [i for _, ids in tensors for i in ids] == list(expected.ids)


def test_arrays_of_every_backend_come_again_with_the_next_epochs_draw():
    # In a process of its own: a process with jax in it cannot be forked, which other tests do.
    code = """
import numpy as np
import cardioflow as ds
records = ds.EcgDataset.simulated(12, fs=100, duration_s=4)
pipeline = records >> ds.Pipeline().load(components=["signal", "meta"]).random_crop_signals(100)
for kind, library in {"to_numpy": "numpy", "to_jax": "jaxlib", "to_tf": "tensorflow"}.items():
    arrays = getattr(pipeline.batches(5, shuffle=True), kind)(ids=True)
    assert len(arrays) == 3
    tensors = pipeline.batches(5, shuffle=True).to_torch(ids=True)
    for _ in range(2):
        for (x, ids), (expected, same) in zip(arrays, tensors, strict=True):
            assert type(x).__module__.partition(".")[0] == library
            assert np.array_equal(np.asarray(x), expected.numpy()) and ids == same
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_missing_backend_names_what_installs_it(twelve, loading, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingDependencyError, match=r"tensorflow is not installed.*'cardioflow\[tensorflow\]'"):
        (twelve >> loading).batches(5).to_tf()


def test_arrays_may_be_changed_and_are_refused_by_pickle_with_a_reason(twelve, loading):
    run = (twelve >> loading).batches(5)
    arrays = run.to_numpy()
    (first, *_), (second, *_) = (next(iter(arrays)) for _ in range(2))
    first[:] = 0
    assert second.any()
    with pytest.raises(TypeError, match="Pickle the pipeline"):
        pickle.dumps(arrays)


def test_a_loader_takes_the_tensors_once(twelve, loading):
    from torch.utils.data import DataLoader

    tensors = (twelve >> loading).batches(5).to_torch()
    assert [t[0].shape[0] for t in DataLoader(tensors, batch_size=None)] == [5, 5, 2]


@pytest.mark.filterwarnings("ignore:Got pickle error")
# Of jax, if another test of this process has imported it.
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_loader_with_workers_is_refused(twelve, loading, context):
    from torch.utils.data import DataLoader

    tensors = (twelve >> loading).batches(5).to_torch()
    loader = DataLoader(tensors, batch_size=None, num_workers=2, multiprocessing_context=context)
    with pytest.raises((ConfigError, TypeError), match=r"Pass DataLoader\(…, num_workers=0\)"):
        list(loader)


def test_a_run_refuses_to_be_pickled_or_copied_by_name(twelve, loading):
    run = (twelve >> loading).batches(5)
    for act in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match=r"A Run cannot be pickled or copied.*Pickle the pipeline"):
            act(run)


def test_a_loop_over_a_closed_run_begins_the_next_epoch(twelve, loading):
    run = (twelve >> loading).batches(5)
    next(run)
    run.close()
    assert [b.epoch for b in run] == [1, 1, 1]
