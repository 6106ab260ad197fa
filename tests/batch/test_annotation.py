"""Marks move with the signal."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation


@pytest.fixture
def marks() -> Annotation:
    return Annotation(
        sample=np.array([0, 10, 20, 30]), symbol=np.array(["N", "V", "+", "N"]), aux_note=("", "", "(AFIB", "")
    )


def test_what_a_source_does_not_give_is_filled_in() -> None:
    marks = Annotation(sample=np.array([3, 4]))
    assert (marks.symbol.tolist(), marks.aux_note, marks.channel.tolist()) == (["N", "N"], ("", ""), [0, 0])


def test_a_window_keeps_its_marks_counted_from_its_start(marks: Annotation) -> None:
    window = marks.window(10, 30)
    assert window.sample.tolist() == [0, 10]
    assert window.symbol.tolist() == ["V", "+"]
    assert window.aux_note == ("", "(AFIB")


def test_resampling_moves_to_the_nearest_sample_inside_the_signal(marks: Annotation) -> None:
    assert marks.resampled(0.5, 15).sample.tolist() == [0, 5, 10, 14]


def test_marks_are_chosen_by_index_or_mask(marks: Annotation) -> None:
    assert marks.take(marks.symbol == "N").sample.tolist() == [0, 30]
    assert marks.take(np.array([2])).aux_note == ("(AFIB",)
    assert repr(marks) == "Annotation(4 marks: +NV)"
