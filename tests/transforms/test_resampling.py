"""Resampling moves signals, annotations and metadata together."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.batch import Annotation
from cardioflow.errors import InputError


def test_resampling_equals_scipy_on_every_real_record(records, twelve):
    for batch, up, down in ((records, 5, 6), (twelve, 1, 2)):
        done = batch.resample_signals(250)
        assert done.fs.tolist() == [250.0] * len(batch)
        for i, x in enumerate(batch.signal):
            expected = scipy.signal.resample_poly(x.astype(np.float64), up, down, axis=-1)
            assert done.signal[i].shape == expected.shape
            np.testing.assert_allclose(done.signal[i], expected, atol=1e-5)


def test_segments_are_resampled_separately(twelve):
    cut = twelve.split_signals(1001, 1000)
    done = cut.resample_signals(200)
    expected = scipy.signal.resample_poly(cut.signal[1].astype(np.float64), 2, 5, axis=-1)
    np.testing.assert_allclose(done.signal[1], expected, atol=1e-5)
    assert [s.tolist() for s in done.provenance.segment_start_s] == [s.tolist() for s in cut.provenance.segment_start_s]


def test_annotations_move_to_the_nearest_sample_and_keep_their_order(twelve):
    done = twelve.resample_signals(123.4)
    for before, after, n in zip(twelve.annotation, done.annotation, done.signal.lengths, strict=True):
        assert np.abs(after.sample / 123.4 - before.sample / 500).max() <= 0.5 / 123.4 + 1e-9
        assert (np.diff(after.sample) >= 0).all()
        assert after.sample.max() < n
        assert after.symbol.tolist() == before.symbol.tolist()


def test_an_onset_peak_and_offset_one_sample_apart_stay_in_order(make):
    marks = Annotation(sample=np.array([100, 101, 102]), symbol=np.array(["(", "N", ")"]))
    for fs in (37, 90, 249, 777):
        done = make(np.zeros((1, 250)), annotation=(marks,)).resample_signals(fs).annotation[0]
        assert (np.diff(done.sample) >= 0).all()
        assert "".join(done.symbol) == "(N)"


def test_a_batch_that_has_the_rate_already_is_unchanged(records):
    assert records.resample_signals(300).signal is records.signal


def test_frequencies_above_half_the_new_rate_do_not_alias(make):
    # CardIO interpolated linearly: 130 Hz sampled down to 150 Hz came back at 20 Hz with most of its amplitude.
    time = np.arange(3000) / 300
    done = make(np.sin(2 * np.pi * 130 * time)[None], fs=300).resample_signals(150)
    # At its very ends the signal jumps to the zeros outside.
    assert np.abs(done.signal[0][0, 20:-20]).max() < 0.01


def test_a_random_rate_is_drawn_for_each_record_and_stored_in_meta(records):
    done = records.random_resample_signals("normal", loc=300, scale=30)
    assert len(set(done.fs.tolist())) == len(records)
    assert 200 < done.fs.min() < done.fs.max() < 400
    for i in range(len(records)):
        assert abs(done.signal.lengths[i] - records.signal.lengths[i] * done.fs[i] / 300) <= 1


def test_a_drawn_rate_that_is_not_positive_leaves_the_record_unchanged(records):
    assert records.random_resample_signals("uniform", low=-9, high=-1).signal is records.signal


def test_a_rate_may_come_from_a_function(records):
    done = records.random_resample_signals(lambda chance, top: chance.integers(1, 3) * top, top=100)
    assert set(done.fs.tolist()) == {100.0, 200.0}


@pytest.mark.parametrize(
    ("distr", "kwargs", "text"),
    [
        ("normall", {}, "NumPy has no such distribution. Did you mean 'normal'"),
        ("normal", {"mean": 3}, "unexpected keyword argument 'mean'"),
        ("dirichlet", {"alpha": [1, 2]}, "NumPy has no such distribution"),
        ("normal", {"size": 3}, "draws ndarray, not one number"),
        (3, {}, "is neither the name of a distribution nor a function"),
    ],
)
def test_a_distribution_without_a_rate_is_refused_at_once(records, distr, kwargs, text):
    with pytest.raises(InputError, match=text):
        records.random_resample_signals(distr, **kwargs)


@pytest.mark.parametrize(
    ("fs", "text"), [(0, "is not above 0"), (np.inf, "is not a finite number"), ("250", "is not a finite")]
)
def test_a_value_that_is_not_a_rate_is_refused_at_once(records, fs, text):
    with pytest.raises(InputError, match=text):
        records.resample_signals(fs)
