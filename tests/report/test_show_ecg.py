"""What a batch shows of one of its records: the right one, with its own events."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.report.style import COLOURS


def batch_of(n=3, *, samples=1000, events=True, units="mV"):
    """Records of which record k has a spike of k + 1 mV at second k + 1, and an annotation there."""
    arrays, notes = [], []
    for k in range(n):
        x = np.zeros((1, samples + 100 * k), np.float32)
        x[0, 100 * (k + 1)] = k + 1
        arrays.append(x)
        notes.append(Annotation(np.array([100 * (k + 1), 400]), np.array(["N", "V"]), aux_note=("", f"(A{k}")))
    meta = Meta.from_rows([{"fs": 100.0, "leads": ("I",), "units": (units,)}] * n)
    ids = tuple(f"r{k}" for k in range(n))
    return EcgBatch(ids=ids, signal=Ragged.from_arrays(arrays), meta=meta, annotation=notes if events else None)


def trace(figure):
    return next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 6)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize(
    ("record", "k"),
    [(0, 0), (2, 2), (-1, 2), (-3, 0), ("r1", 1)],
)
def test_a_record_is_shown_by_its_row_from_either_end_or_by_its_id(record, k):
    figure = batch_of().show_ecg(record)
    assert f"r{k}" in texts(figure)
    line = trace(figure)
    assert len(line.get_xdata()) == 1000  # the first row of ten seconds
    at = int(np.argmax(line.get_ydata()))
    assert at == 100 * (k + 1)
    assert np.ptp(line.get_ydata()) == pytest.approx(10 * (k + 1))


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (3, "show_ecg(3): there are 3 records. Pass 0 to 2."),
        (-4, "show_ecg(-4): there are 3 records."),
        ("r", "show_ecg('r') is not a record here."),
        ("r11", "show_ecg('r11') is not a record here. Did you mean 'r1'"),
    ],
)
def test_a_record_that_is_not_in_the_batch_is_refused(record, text):
    with pytest.raises(InputError) as caught:
        batch_of().show_ecg(record)
    assert text in str(caught.value)


def test_an_empty_batch_has_nothing_to_show():
    with pytest.raises(InputError, match="the batch has no records"):
        batch_of().take(np.array([], np.int64)).show_ecg()


def test_labels_of_the_file_are_written_where_they_are_asked_for():
    figure = batch_of().show_ecg(1, labels="annotation")
    marks = [line for line in figure.axes[0].lines if line.get_color() == COLOURS["label"]]
    assert [line.get_xdata()[0] - trace(figure).get_xdata()[0] for line in marks] == pytest.approx([50.0, 100.0])
    assert "(A1" in texts(figure)
    assert not [line for line in batch_of().show_ecg(1).axes[0].lines if line.get_color() == COLOURS["label"]]


def test_normal_beats_are_marked_without_a_letter_and_others_with_theirs():
    figure = batch_of().show_ecg(0, beats="annotation")
    strokes = [
        line for line in figure.axes[0].lines if line.get_color() == COLOURS["beat"] and len(line.get_xdata()) == 2
    ]
    assert len(strokes) == 2
    assert "N" not in texts(figure)


def test_events_that_are_missing_by_default_are_not_drawn_and_named_ones_are_refused():
    plain = batch_of(events=False)
    assert trace(plain.show_ecg(0)) is not None
    with pytest.raises(InputError, match="the batch has no events 'annotation'"):
        plain.show_ecg(0, labels="annotation")


def test_a_part_is_shown_in_the_time_of_the_record():
    figure = batch_of(samples=3000).show_ecg(0, layout="rows", start_s=10.0, stop_s=15.0)
    assert len(trace(figure).get_xdata()) == 500
    assert any("10 s to 15 s of 30 s" in text for text in texts(figure))


def test_the_unit_of_the_record_is_kept():
    assert "I  (Ohm, not to scale)" in texts(batch_of(units="Ohm").show_ecg(0))


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_a_segment_shows_its_own_samples_and_marks(segment):
    cut = batch_of(1, samples=1200).split_signals(400, 400)
    figure = cut.show_ecg(0, segment=segment, labels="annotation", layout="rows")
    assert f"r0, segment {segment}" in texts(figure)
    marks = [line for line in figure.axes[0].lines if line.get_color() == COLOURS["label"]]
    left = trace(figure).get_xdata()[0]
    # The marks of the record are at the samples 100 and 400: the second is the first sample of segment 1.
    expected = {0: [25.0], 1: [0.0], 2: []}[segment]
    assert [line.get_xdata()[0] - left for line in marks] == pytest.approx(expected)
    assert np.ptp(trace(figure).get_ydata()) == pytest.approx(10.0 if segment == 0 else 0.0)


@pytest.mark.parametrize(("segment", "text"), [(3, "has 3 segments. Pass 0 to 2."), (-1, "has 3 segments")])
def test_a_segment_that_does_not_exist_is_refused_with_their_number(segment, text):
    with pytest.raises(InputError) as caught:
        batch_of(1, samples=1200).split_signals(400, 400).show_ecg(0, segment=segment)
    assert text in str(caught.value)
    with pytest.raises(InputError, match=r"the records are not cut\. Leave segment out"):
        batch_of().show_ecg(0, segment=0)


def test_showing_changes_nothing():
    batch = batch_of()
    before = batch.signal.data.copy()
    batch.show_ecg(1, labels="annotation")
    assert np.array_equal(batch.signal.data, before)
