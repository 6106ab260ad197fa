"""An engine says where it is, and goes on from there."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

from cardioflow.errors import ConfigError
from cardioflow.pipeline.engines.local import Local
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.plan import Plan
from cardioflow.pipeline.sampler import BatchSampler


def engine(dataset, template, **options):
    chosen = RunOptions.of({"batch_size": 5, "shuffle": True, "n_epochs": 3, **options})
    plan = Plan.of(template.template, dataset, on_error="raise")
    return Local(BatchSampler(dataset, chosen), plan.pure, chosen)


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": 1}, {"threads": 4}, {"processes": 1}], ids=str)
def test_it_goes_on_from_a_state_of_any_number_of_workers(twelve, loading, options):
    template = loading.random_crop_signals(50)
    whole = list(engine(twelve, template, threads=0))
    stopped = engine(twelve, template, threads=2)
    for _ in range(4):
        next(stopped)
    state = pickle.loads(pickle.dumps(stopped.state()))
    stopped.close()
    resumed = engine(twelve, template, **options)
    next(resumed)
    resumed.restore(state)
    rest = list(resumed)
    resumed.close()
    assert [b.ids for b in rest] == [b.ids for b in whole[4:]]
    assert all(np.array_equal(a.signal.data, b.signal.data) for a, b in zip(rest, whole[4:], strict=True))


def reading_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("grain-prefetch")]


def test_a_closed_engine_gives_nothing_and_leaves_no_thread(twelve, loading):
    others = reading_threads()  # of runs that other tests left open
    running = engine(twelve, loading, threads=4)
    next(running)
    started = [thread for thread in reading_threads() if thread not in others]
    assert 1 <= len(started) <= 4
    running.close()
    assert list(running) == []
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_a_loop_left_early_ends_its_threads(twelve, loading):
    others = reading_threads()
    run = (twelve >> loading).batches(2, threads=4)
    next(run)
    started = [thread for thread in reading_threads() if thread not in others]
    run.close()
    assert started
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_prefetch_follows_the_threads(capfd, twelve, loading):
    assert len(list((twelve >> loading).batches(2, threads=4))) == 6
    assert "prefetch" not in "".join(capfd.readouterr())
    assert RunOptions(2, threads=4).n_prefetched == 4
    assert RunOptions(2, threads=1).n_prefetched == 2
    assert RunOptions(2, threads=4, prefetch=9).n_prefetched == 9


def test_fewer_batches_ahead_than_threads_are_refused():
    with pytest.raises(ConfigError, match=r"run\(prefetch=2, threads=4\): .* Pass prefetch=4 or more"):
        RunOptions(2, threads=4, prefetch=2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"threads": "x"}, r"run\(threads='x'\): expected a whole number of at least 0\."),
        ({"batch_size": 0}, r"run\(batch_size=0\): expected a whole number of at least 1\."),
        ({"batch_size": 2.0}, r"run\(batch_size=2\.0\): expected a whole number"),
        ({"batch_size": True}, r"run\(batch_size=True\): expected a whole number"),
        ({"n_epochs": 0}, r"run\(n_epochs=0\): expected a whole number of at least 1 or None\."),
        ({"seed": None}, r"run\(seed=None\): expected a whole number\."),
        ({"shuffle": "yes"}, r"run\(shuffle='yes'\): expected True or False\."),
        ({"engine": "rya"}, r"run\(engine='rya'\): expected 'local' or 'ray'\."),
        ({"epoch": -1}, r"run\(epoch=-1\): expected a whole number of at least 0\."),
    ],
)
def test_an_option_that_is_not_right_says_what_is_expected(given, expected):
    with pytest.raises(ConfigError, match=expected):
        RunOptions.of({"batch_size": 4, **given})


def test_numpys_whole_numbers_are_whole_numbers(twelve, loading):
    options = {"n_epochs": np.int64(2), "threads": np.int32(0), "seed": np.uint8(7)}
    assert len(list((twelve >> loading).batches(np.int64(8), **options))) == 4


@pytest.mark.parametrize("threads", [0, 1])
def test_none_or_one_thread_is_none_or_one(twelve, loading, threads):
    names = set()

    def note(signal):
        names.add(threading.current_thread().name)
        return signal

    for _ in (twelve >> loading.apply_transform(note)).batches(1, threads=threads, n_epochs=4):
        pass
    main = threading.current_thread().name
    assert (names == {main}) if threads == 0 else (main not in names and len(names) == 1)


def test_the_number_of_threads_is_the_requested_one(twelve, loading):
    meeting, names = threading.Barrier(3, timeout=20), set()

    def meet(signal):
        # Three batches must be in the making at once, or nobody passes.
        meeting.wait()
        names.add(threading.current_thread().name)
        return signal

    for _ in (twelve >> loading.apply_transform(meet)).batches(1, threads=3, prefetch=3):
        pass
    assert len(names) == 3


def test_numbers_are_kept_as_pythons_own():
    options = RunOptions(np.int64(8), n_epochs=np.int32(2), seed=np.uint8(7))
    assert [type(v) for v in (options.batch_size, options.n_epochs, options.seed)] == [int, int, int]
