"""Annotations move with the signal."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation
from cardioflow.batch.annotation import merged
from cardioflow.errors import InputError


@pytest.fixture
def marks() -> Annotation:
    return Annotation(
        sample=np.array([0, 10, 20, 30]), symbol=np.array(["N", "V", "+", "N"]), aux_note=("", "", "(AFIB", "")
    )


def test_missing_fields_are_filled_in() -> None:
    marks = Annotation(sample=np.array([3, 4]))
    assert (marks.symbol.tolist(), marks.aux_note, marks.channel.tolist()) == (["N", "N"], ("", ""), [0, 0])


def test_a_window_keeps_its_annotations_counted_from_its_start(marks: Annotation) -> None:
    window = marks.window(10, 30)
    assert window.sample.tolist() == [0, 10]
    assert window.symbol.tolist() == ["V", "+"]
    assert window.aux_note == ("", "(AFIB")


def test_resampling_moves_annotations_to_the_nearest_sample_inside_the_signal(marks: Annotation) -> None:
    assert marks.resampled(0.5, 15).sample.tolist() == [0, 5, 10, 14]


def test_annotations_are_selected_by_index_or_mask(marks: Annotation) -> None:
    assert marks.take(marks.symbol == "N").sample.tolist() == [0, 30]
    assert marks.take(np.array([2])).aux_note == ("(AFIB",)
    assert repr(marks) == "Annotation(4 marks: +NV)"


def test_annotations_follow_their_leads():
    marks = Annotation(sample=np.array([5, 6, 7, 8]), symbol=np.array([*"NVAQ"]), channel=np.array([0, 1, 2, 3]))
    turned = marks.of_leads([2, 0])
    assert turned.symbol.tolist() == ["N", "V", "Q"]
    assert turned.channel.tolist() == [0, 2, 1]
    # A lead that was computed has no marks.
    assert marks.of_leads([-1, 1]).channel.tolist() == [0, 2]


def test_annotations_of_no_lead_stay_whichever_leads_are_kept():
    marks = Annotation(sample=np.array([5, 6]))
    assert marks.of_leads([]) is marks


def test_a_missing_confidence_is_unknown_and_equal_to_itself():
    one = Annotation(sample=np.array([3, 5]))
    assert np.isnan(one.confidence).all()
    assert one == Annotation(sample=np.array([3, 5]))
    sure = Annotation(sample=np.array([3, 5]), confidence=np.array([0.2, 0.9]))
    assert one != sure
    assert sure.window(4, 9).confidence.tolist() == [0.9]
    assert merged([sure, one]).confidence[[0, 2]].tolist() == [0.2, 0.9]


def test_a_column_of_another_length_than_the_annotations_is_refused():
    with pytest.raises(InputError, match=r"Annotation\(confidence=…\) has 1 entries for 2 marks. Pass one entry"):
        Annotation(sample=np.array([3, 5]), confidence=np.array([0.2]))


def test_annotations_are_merged_in_order_of_time():
    one = Annotation(sample=np.array([1, 9]), aux_note=("a", "b"))
    two = Annotation(sample=np.array([1, 5]), symbol=np.array(["long", "V"]), duration_s=np.array([0.5, 0.0]))
    both = merged([one, two])
    assert both.sample.tolist() == [1, 1, 5, 9]
    assert both.symbol.tolist() == ["N", "long", "V", "N"]
    assert both.aux_note == ("a", "", "", "b")
    assert both.duration_s.tolist() == [0.0, 0.5, 0.0, 0.0]


def test_a_mark_at_the_first_sample_stays_there_and_none_is_before_it() -> None:
    marks = Annotation(sample=np.array([0, 1, 9]))
    assert marks.resampled(0.1, 1).sample.tolist() == [0, 0, 0]
    assert marks.resampled(2.0, 20).sample.tolist() == [0, 2, 18]
