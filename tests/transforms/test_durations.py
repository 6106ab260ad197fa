"""What lasts keeps its length in seconds where time keeps its pace, and changes it where time does not."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Annotation

FS = 100.0


def lasting(samples, durations, name="a") -> EcgBatch:
    marks = Annotation(
        sample=np.array(samples, np.int64), duration_s=np.array(durations, float), symbol=np.full(len(samples), "~")
    )
    x = np.random.default_rng(0).normal(size=(1, 1, 1000))
    return EcgBatch.from_arrays(x, fs=FS, annotations=[marks], ids=[name])


@pytest.mark.parametrize("factor", [0.5, 2.0, 1.25])
def test_a_record_played_faster_has_shorter_episodes_at_its_unchanged_rate(factor) -> None:
    done = lasting([100, 400], [1.0, 0.0]).random_speed(factor, factor)
    own = done.annotation[0]
    assert done.fs.tolist() == [FS]
    assert own.sample.tolist() == [round(100 / factor), round(400 / factor)]
    assert own.duration_s.tolist() == pytest.approx([1.0 / factor, 0.0])


def test_segments_played_faster_have_shorter_episodes_each_in_its_own_record() -> None:
    both = EcgBatch.concat([lasting([100], [1.0], "a"), lasting([100], [3.0], "b")])
    done = both.random_speed(0.5, 2.0)
    factors = [1000 / n for n in done.signal.lengths]
    assert factors[0] != factors[1]
    found = [own.duration_s[0] for own in done.annotation]
    assert found == pytest.approx([1.0 / factors[0], 3.0 / factors[1]], rel=2e-3)


def test_resampling_keeps_seconds() -> None:
    done = lasting([100, 400], [1.0, 0.25]).resample_signals(360)
    assert done.annotation[0].sample.tolist() == [360, 1440]
    assert done.annotation[0].duration_s.tolist() == [1.0, 0.25]


def test_a_warped_episode_ends_where_what_it_covered_ends() -> None:
    before = lasting([200, 500, 700], [1.0, 0.0, 2.0])
    ends = np.zeros((1, 1000), int)
    ends[0, [300, 900]] = 1
    done = before.with_component("ends", ends, "time series").random_time_warp(0.5, 4)
    own = done.annotation[0]
    # Truth values and states are warped by their nearest sample, so that the ends are seen where they went.
    at = np.flatnonzero(done.ends[0])
    measured = own.sample + np.rint(own.duration_s * FS).astype(int)
    assert np.abs(measured[0] - at).min() <= 1
    assert np.abs(measured[2] - at).min() <= 1
    assert own.duration_s[1] == 0
    assert own.duration_s[0] != pytest.approx(1.0, abs=0.01)


def test_an_episode_that_goes_on_behind_the_record_keeps_the_time_that_is_not_in_it() -> None:
    done = lasting([0], [30.0]).random_time_warp(0.5, 4)
    assert done.annotation[0].duration_s.tolist() == pytest.approx([30.0])


def test_warping_a_record_without_samples_leaves_its_events_alone() -> None:
    empty = EcgBatch.from_arrays([np.zeros((1, 0)), np.zeros((1, 40))], fs=FS, annotations=[Annotation(), Annotation()])
    done = empty.random_time_warp(0.3)
    assert [len(own) for own in done.annotation] == [0, 0]


@pytest.mark.parametrize(
    ("action", "arguments", "sample"),
    [
        ("pad_signals", (1500, 0.0, "left"), 600),
        ("slice_signals", (50, None), 50),
        ("random_crop_signals", (1000,), 100),
    ],
)
def test_moving_an_episode_does_not_change_how_long_it_lasts(action, arguments, sample) -> None:
    own = getattr(lasting([100], [1.5]), action)(*arguments).annotation[0]
    assert (own.sample.tolist(), own.duration_s.tolist()) == ([sample], [1.5])


def test_a_step_halves_the_rate_and_keeps_seconds() -> None:
    done = lasting([100], [1.5]).slice_signals(step=2)
    assert done.fs.tolist() == [50.0]
    assert (done.annotation[0].sample.tolist(), done.annotation[0].duration_s.tolist()) == ([50], [1.5])
