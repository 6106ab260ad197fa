"""Cutting, padding, stacking and repeating signals keep their samples, annotations and provenance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardioflow.batch import Annotation
from cardioflow.errors import InputError, LabelError
from cardioflow.transforms.signals.random_split_signals import RandomSplitSignals


def marks(*samples, symbols=None):
    at = np.array(samples, np.int64)
    return Annotation(sample=at, symbol=np.array(list(symbols) if symbols else ["N"] * len(at)))


@pytest.fixture
def batch(make):
    a, b = np.arange(20.0).reshape(2, 10), 100 + np.arange(8.0).reshape(2, 4)
    target = np.array(["A", "N"], dtype=object)
    return make(a, b, fs=10, annotation=(marks(1, 4, 9), marks(0, 3)), target=target, classes=("A", "N"))


def test_split_cuts_windows_one_step_apart_and_pads_a_short_signal_in_front(batch):
    done = batch.split_signals(6, 3, pad_value=-1)
    assert done.signal[0].shape == (2, 2, 6)
    np.testing.assert_array_equal(done.signal[0][1], batch.signal[0][:, 3:9])
    np.testing.assert_array_equal(done.signal[1][0], np.pad(batch.signal[1], [(0, 0), (2, 0)], constant_values=-1))


def test_split_gives_each_segment_its_annotations_and_its_start(batch):
    done = batch.split_signals(6, 3)
    assert [m.sample.tolist() for m in done.annotation[0]] == [[1, 4], [1]]
    assert [m.sample.tolist() for m in done.annotation[1]] == [[2, 5]]
    assert done.provenance.segment_start_s[0].tolist() == [0.0, 0.3]
    assert done.provenance.segment_start_s[1].tolist() == [-0.2]


def test_split_without_a_step_cuts_windows_side_by_side(batch):
    assert batch.split_signals(5).signal[0].shape == (2, 2, 5)


def test_unstacked_rows_know_their_record_and_start(batch):
    done = batch.split_signals(4, 3).unstack_signals()
    assert done.ids == ("A00000/0", "A00000/1", "A00000/2", "A00001/0")
    assert done.provenance.record_id == ("A00000",) * 3 + ("A00001",)
    assert [float(s[0]) for s in done.provenance.segment_start_s] == pytest.approx([0.0, 0.3, 0.6, 0.0])
    assert done.target.tolist() == ["A", "A", "A", "N"]
    assert [m.sample.tolist() for m in done.annotation] == [[1], [1], [3], [0, 3]]


def test_unstacking_leaves_uncut_signals_unchanged(batch):
    assert batch.unstack_signals().signal == batch.signal


def test_stacking_undoes_unstacking(batch):
    cut = batch.split_signals(4, 3)
    again = cut.unstack_signals().stack_signals()
    assert again.ids == batch.ids
    assert again.signal == cut.signal
    assert again.annotation == cut.annotation
    assert [s.tolist() for s in again.provenance.segment_start_s] == [
        s.tolist() for s in cut.provenance.segment_start_s
    ]
    assert again.provenance.key.tolist() == batch.provenance.key.tolist()


def test_stacking_restores_the_order_of_shuffled_segments(batch):
    rows = batch.split_signals(4, 3).unstack_signals()
    assert rows.take([2, 0, 3, 1]).stack_signals().signal == rows.stack_signals().signal


def test_segments_of_different_shape_are_not_stacked(batch, make):
    rows = batch.split_signals(4, 3).unstack_signals()
    other = rows.replace(signal=make(*[np.zeros((2, n)) for n in (4, 3, 4, 4)]).signal)
    with pytest.raises(InputError) as caught:
        other.stack_signals()
    assert str(caught.value) == (
        "stack_signals cannot stack the segments of record 'A00000': their shapes differ ((2, 3), (2, 4)). "
        "Pad or cut them to one length first."
    )


def test_random_segments_are_windows_of_their_record_and_know_where_they_start(batch):
    done = batch.random_split_signals(3, 7)
    for i in range(2):
        for segment, start in zip(done.signal[i], done.provenance.segment_start_s[i], strict=True):
            s = round(start * 10)
            np.testing.assert_array_equal(segment, batch.signal[i][:, s : s + 3])


def test_random_segments_are_counted_by_label_before_and_after_binarizing(batch):
    numbers = {"A": 5, "N": 2}
    before = batch.random_split_signals(3, numbers)
    after = batch.binarize_labels().random_split_signals(3, numbers)
    assert before.signal.shapes[:, 0].tolist() == after.signal.shapes[:, 0].tolist() == [5, 2]
    assert before.signal == after.signal


def test_a_record_of_several_labels_takes_the_largest_number(batch):
    target = np.empty(2, dtype=object)
    target[:] = [("A", "N"), ("N",)]
    assert batch.replace(target=target).random_split_signals(3, {"A": 1, "N": 4}).signal.shapes[:, 0].tolist() == [4, 4]


def test_a_label_without_a_number_is_named_with_its_record(batch):
    with pytest.raises(LabelError) as caught:
        batch.random_split_signals(3, {"A": 5})
    assert str(caught.value) == (
        "random_split_signals(n_segments=…) has no number for the label 'N' of record 'A00001'. Available: 'A'."
    )
    with pytest.raises(LabelError, match=r"names the unknown label 'B'"):
        batch.random_split_signals(3, {"A": 5, "N": 1, "B": 2})


def test_steps_may_differ_by_label(batch):
    assert batch.split_signals(4, {"A": 2, "N": 1}).signal.shapes[:, 0].tolist() == [4, 1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, 3), "random_split_signals(length=0) is not an integer of at least 1."),
        ((3, 0), "random_split_signals(n_segments=0) is not an integer of at least 1."),
        (
            (3, {"A": 1.5}),
            (
                "random_split_signals(n_segments={'A': 1.5}) gives 1.5 for the label 'A'; expected a label and an "
                "integer of at least 1."
            ),
        ),
    ],
)
def test_a_value_that_is_not_a_number_of_segments_is_refused_at_once(batch, arguments, text):
    with pytest.raises(InputError) as caught:
        batch.random_split_signals(*arguments)
    assert str(caught.value) == text


def test_a_cut_batch_cannot_be_cut_again(batch):
    with pytest.raises(InputError) as caught:
        batch.split_signals(4).split_signals(2)
    assert str(caught.value) == (
        "split_signals needs signals of (lead, time), but these have 3 axes. Call unstack_signals first."
    )


def test_signals_shorter_than_the_length_are_dropped_and_those_of_exactly_the_length_stay(batch):
    assert batch.drop_short_signals(10).ids == ("A00000",)
    assert len(batch.drop_short_signals(11)) == 0
    assert len(batch.drop_short_signals(4)) == 2


@pytest.mark.parametrize(
    "part", [slice(2, 7), slice(None, -1), slice(-3, None), slice(None, None, -1), slice(8, 2, -2), slice(50, 60)]
)
def test_a_slice_equals_numpys_and_annotations_stay_on_their_sample(batch, part):
    done = batch.slice_signals(part)
    for i in range(2):
        np.testing.assert_array_equal(done.signal[i], batch.signal[i][:, part])
        kept = [int(batch.signal[i][0, s]) for s in batch.annotation[i].sample]
        there = [int(done.signal[i][0, s]) for s in done.annotation[i].sample]
        if part.step in (None, 1, -1):
            assert sorted(there) == [v for v in kept if v in done.signal[i][0]]


def test_a_slice_moves_the_start_and_a_step_divides_the_rate(batch):
    assert batch.slice_signals(3).provenance.segment_start_s[0].tolist() == pytest.approx([0.3])
    assert batch.slice_signals(step=2).fs.tolist() == [5.0, 5.0]
    assert batch.slice_signals(step=-1).fs.tolist() == [10.0, 10.0]
    assert batch.slice_signals(step=-2).fs.tolist() == [5.0, 5.0]


def test_reversing_time_swaps_onsets_and_offsets(make):
    one = make(np.arange(10.0)[None], annotation=(marks(2, 3, 4, symbols="(N)"),))
    done = one.slice_signals(step=-1).annotation[0]
    assert done.sample.tolist() == [5, 6, 7]
    assert "".join(done.symbol) == "(N)"
    # 0.3 s from sample 2 on, at 10 Hz, end at 5; mirrored in ten samples that is where they begin, at 4.
    lasting = replace(marks(2, symbols="~"), duration_s=np.array([0.3]))
    turned = make(np.arange(10.0)[None], fs=10, annotation=(lasting,)).slice_signals(step=-1).annotation[0]
    assert (turned.sample.tolist(), turned.duration_s.tolist()) == ([4], [0.3])


@pytest.mark.parametrize(("side", "before"), [("right", 0), ("left", 6), ("both", 3)])
def test_padding_extends_short_signals_to_the_length_and_moves_annotations(batch, side, before):
    done = batch.pad_signals(10, -7.0, side)
    assert done.signal[0].tolist() == batch.signal[0].tolist()
    np.testing.assert_array_equal(
        done.signal[1], np.pad(batch.signal[1], [(0, 0), (before, 6 - before)], constant_values=-7)
    )
    assert done.annotation[1].sample.tolist() == [before, before + 3]
    assert done.provenance.segment_start_s[1].tolist() == pytest.approx([-before / 10])


def test_a_tiled_signal_repeats_with_its_annotations(batch):
    done = batch.tile(3)
    np.testing.assert_array_equal(done.signal[1], np.tile(batch.signal[1], 3))
    assert done.annotation[1].sample.tolist() == [0, 3, 4, 7, 8, 11]


def test_a_repeated_signal_becomes_equal_segments(batch):
    done = batch.repeat_signal(3)
    assert done.signal[0].shape == (3, 2, 10)
    assert (done.signal[0] == batch.signal[0]).all()
    assert done.unstack_signals().ids[:3] == ("A00000/0", "A00000/1", "A00000/2")


def test_squeezing_removes_a_segment_axis_of_length_one_only(batch):
    assert batch.split_signals(10).take([0]).squeeze().signal == batch.take([0]).signal
    with pytest.raises(InputError) as caught:
        batch.split_signals(5).squeeze()
    assert str(caught.value) == (
        "squeeze removes the axis of one segment, but record 'A00000' has 2. "
        "Call unstack_signals to make a row of each."
    )


def test_transposing_puts_time_first(batch):
    done = batch.signal_transpose(dst="turned")
    np.testing.assert_array_equal(done.turned[0], batch.signal[0].T)
    with pytest.raises(InputError, match=r"does not name each of the 2 axes"):
        batch.signal_transpose((0, 0))


def test_a_random_crop_stays_lead_by_time_with_its_id(batch):
    done = batch.random_crop_signals(3)
    assert done.ids == batch.ids
    for i in range(2):
        s = round(float(done.provenance.segment_start_s[i][0]) * 10)
        np.testing.assert_array_equal(done.signal[i], batch.signal[i][:, s : s + 3])


def test_a_triplet_is_an_anchor_a_positive_and_a_negative(records):
    long = records.drop_short_signals(2000)
    done = long.get_triplets(2, 1500)
    label = dict(zip(records.ids, records.target, strict=True))
    assert done.signal.dense().shape == (2 * len(long), 3, 1, 1500)
    assert [anchor for anchor, *_ in done.triplet] == [name for name in long.ids for _ in range(2)]
    assert done.ids[:2] == (f"{long.ids[0]}/0", f"{long.ids[0]}/1")
    for (anchor, positive, negative), target in zip(done.triplet, done.target, strict=True):
        assert label[anchor] == label[positive] == target
        assert label[negative] != target
        if [label[name] for name in long.ids].count(target) > 1:
            assert anchor != positive
    for i, (names, starts) in enumerate(zip(done.triplet, done.provenance.segment_start_s, strict=True)):
        for k, (name, start) in enumerate(zip(names, starts, strict=True)):
            first = round(float(start) * 300)
            whole = records.signal[records.ids.index(name)]
            np.testing.assert_array_equal(done.signal[i][k], whole[:, first : first + 1500])


def test_triplets_do_not_depend_on_the_order_of_the_records(records):
    long = records.drop_short_signals(2000)
    back = long.take(np.arange(len(long))[::-1]).get_triplets(1, 1000)
    assert long.get_triplets(1, 1000).signal == back.take(np.arange(len(long))[::-1]).signal


def test_a_triplet_does_not_depend_on_other_records(records):
    long = records.drop_short_signals(2000)
    whole = long.get_triplets(1, 1000)
    for i, names in enumerate(whole.triplet):
        part = long.take(np.array([name in names or k % 2 == 0 for k, name in enumerate(long.ids)]))
        again = part.get_triplets(1, 1000)
        j = again.ids.index(whole.ids[i])
        assert again.triplet[j] == names
        np.testing.assert_array_equal(again.signal[j], whole.signal[i])


def test_negatives_of_triplets_have_the_given_labels(records):
    done = records.drop_short_signals(2000).get_triplets(4, 500, {"A": ["N"]})
    label = dict(zip(records.ids, records.target, strict=True))
    assert {(label[a], label[n]) for a, _, n in done.triplet} == {("A", "N")}
    assert len(done) == 4 * sum(label[name] == "A" for name in records.drop_short_signals(2000).ids)


def test_an_error_of_triplets_says_what_is_missing(batch, records):
    with pytest.raises(InputError, match=r"cannot cut 9 samples from the 4 of record 'A00001'"):
        batch.get_triplets(2, 9)
    with pytest.raises(LabelError, match=r"found no negative for record 'A00000'.*Call it in a pipeline"):
        batch.take([0]).get_triplets(2, 3)


def test_numbers_per_label_do_not_follow_a_mapping_that_changes_later(batch):
    n_segments = {"A": 2, "N": 1}
    step = RandomSplitSignals(4, n_segments)
    n_segments["A"] = 5
    assert step(batch).signal.shapes[:, 0].tolist() == [2, 1]
