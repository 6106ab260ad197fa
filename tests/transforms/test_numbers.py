"""Numbers of NumPy count as numbers, and ranges too small or too large for float32 give no NaN."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import InputError


@pytest.mark.parametrize("whole", [np.int64, np.int32, np.uint8, int])
def test_any_whole_number_is_a_place_a_count_and_a_channel(make, whole) -> None:
    x = np.arange(20.0).reshape(2, 10)
    batch = make(x, x, leads=("I", "II"), target=np.array(["A", "N"], dtype=object), classes=("A", "N"))
    assert batch.slice_signals(whole(2), whole(8), whole(3)).signal[0].tolist() == [[2, 5], [12, 15]]
    assert batch.slice_signals(slice(whole(7), None)).signal[0].tolist() == [[7, 8, 9], [17, 18, 19]]
    assert batch.keep_channels(indices=whole(1)).signal[0].tolist() == [x[1].tolist()]
    assert batch.drop_channels(indices=np.array([0])).signal[0].tolist() == [x[1].tolist()]
    assert batch.random_split_signals(4, {"A": whole(3), "N": whole(1)}).signal.shapes[:, 0].tolist() == [3, 1]
    assert batch.split_signals(whole(4), {"A": whole(3), "N": whole(6)}).signal.shapes[:, 0].tolist() == [3, 2]
    assert batch.tile(whole(2)).signal[0].shape == (2, 20)
    assert batch.pad_signals(whole(12)).signal[0].shape == (2, 12)


@pytest.mark.parametrize(
    ("name", "kwargs", "text"),
    [
        ("slice_signals", {"start": 2.0}, "slice_signals(start=2.0) is not an integer."),
        ("slice_signals", {"stop": True}, "slice_signals(stop=True) is not an integer."),
        ("slice_signals", {"step": 0}, "slice_signals(step=0) would never end. Pass 1, 2, … or -1 to reverse time."),
        ("keep_channels", {"indices": 1.5}, "keep_channels(indices=1.5) is not a list of integers."),
        ("keep_channels", {"indices": []}, "keep_channels(indices=[]) is not a list of integers."),
        ("keep_channels", {"indices": [True]}, "keep_channels(indices=[True]) is not a list of integers."),
        (
            "robust_scale",
            {"quantiles": 0.5},
            "robust_scale(quantiles=0.5): expected two increasing numbers from 0 to 1.",
        ),
        (
            "robust_scale",
            {"quantiles": ("a", "b")},
            "robust_scale(quantiles=('a', 'b')): expected two increasing numbers from 0 to 1.",
        ),
        (
            "robust_scale",
            {"quantiles": (0.75, 0.25)},
            "robust_scale(quantiles=(0.75, 0.25)): expected two increasing numbers from 0 to 1.",
        ),
        (
            "robust_scale",
            {"quantiles": (float("nan"), 0.5)},
            "robust_scale(quantiles=(nan, 0.5)): expected two increasing numbers from 0 to 1.",
        ),
    ],
)
def test_what_is_not_the_number_that_is_needed_is_refused_at_once(make, name, kwargs, text) -> None:
    with pytest.raises(InputError) as caught:
        getattr(make(np.zeros((2, 9))), name)(**kwargs)
    assert str(caught.value) == text


@pytest.mark.parametrize("size", [1e-44, 1e-38, 1e-20, 1.0, 1e20, 1e38])
def test_a_range_of_any_size_is_scaled_to_the_one_asked_for(make, size) -> None:
    x = (np.array([[-2.0, -1.0, 0.0, 2.0]]) * size).astype(np.float32)
    done = make(x).min_max_scale(-1, 3).signal[0][0].astype(float)
    wide = x[0].astype(float)
    np.testing.assert_allclose(done, -1 + 4 * (wide - wide.min()) / (wide.max() - wide.min()), rtol=1e-6, atol=1e-6)


def test_ranges_are_those_of_a_lead_a_segment_or_a_record(make) -> None:
    x = np.array([[0.0, 2, 4, 8], [10, 20, 30, 50]])
    cut = make(x, fs=1).split_signals(2)
    by_lead = [[[0, 1], [0, 1]], [[0, 1], [0, 1]]]
    assert cut.min_max_scale().signal[0].tolist() == by_lead
    np.testing.assert_allclose(
        cut.min_max_scale(axis=(-2, -1)).signal[0], [[[0, 0.1], [0.5, 1]], [[0, 4 / 46], [26 / 46, 1]]], atol=1e-6
    )
    np.testing.assert_allclose(
        cut.min_max_scale(axis=None).signal[0], [[[0, 0.04], [0.2, 0.4]], [[0.08, 0.16], [0.6, 1]]], atol=1e-6
    )


@pytest.mark.parametrize("axis", [-1, (-2, -1), None])
@pytest.mark.parametrize("action", ["standardize", "min_max_scale", "robust_scale"])
def test_records_without_samples_stay_empty_beside_others(make, action, axis) -> None:
    batch = make(np.zeros((2, 0)), [[1.0, 2, 3], [4, 5, 9]], np.zeros((2, 0)))
    done = getattr(batch, action)(axis=axis)
    assert [x.shape for x in done.signal] == [(2, 0), (2, 3), (2, 0)]
    alone = getattr(batch.take([1]), action)(axis=axis)
    assert done.signal[1].tolist() == alone.signal[0].tolist()
