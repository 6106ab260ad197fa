"""From stretches of a class to onset, peak and end: between samples, in phases, at any rate."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.waves.marks import as_marks
from cardioflow.analysis.waves.prepare import FS
from cardioflow.analysis.waves.sequence import QRS, P, Segments, T

N = 300


def segments(*rows: tuple[int, int, int]) -> Segments:
    kind, start, stop = np.array(rows, np.int64).reshape(-1, 3).T
    return Segments(kind.copy(), start.copy(), stop.copy())


def sure(*rows: tuple[int, int, int], probability: float = 0.9) -> np.ndarray:
    """Return probabilities that name the class of each stretch, and none elsewhere."""
    found = np.zeros((N, 4), np.float32)
    found[:, 0] = 1
    for kind, start, stop in rows:
        found[start:stop, 0], found[start:stop, kind] = 1 - probability, probability
    return found


def bump(at: float, height: float, width: float = 4.0) -> np.ndarray:
    return (height * np.exp(-0.5 * ((np.arange(N) - at) / width) ** 2)).astype(np.float32)


def found(kind: int, lead: np.ndarray, *rows: tuple[int, int, int], fs: float = FS, probability: float = 0.9):
    return as_marks(segments(*rows), kind, sure(*rows, probability=probability), lead, fs)


def test_a_wave_of_one_phase_has_its_peak_at_the_largest_deflection():
    one = found(P, bump(110, 0.15), (P, 100, 121))
    assert one.peak.tolist() == [110]
    assert one.second_peak.tolist() == [-1]
    assert one.confidence[0] == pytest.approx(0.9)


def test_the_crossing_of_one_half_lies_between_samples():
    probability = sure((T, 100, 121))
    # From 0.4 to 0.6, one half is passed in the middle between two samples: half a sample before the onset is taken
    # off again, because marks lie on the first sample of a wave.
    probability[99, T], probability[100, T] = 0.4, 0.6
    probability[120, T], probability[121, T] = 0.6, 0.4
    lead = bump(110, 0.3)
    at_ten = as_marks(segments((T, 100, 121)), T, probability, lead, 10 * FS)
    assert at_ten.onset.tolist() == [1000]
    assert at_ten.end.tolist() == [1200]
    probability[99, T], probability[121, T] = 0.49, 0.49
    at_ten = as_marks(segments((T, 100, 121)), T, probability, lead, 10 * FS)
    assert at_ten.onset[0] in (995, 996)
    assert at_ten.end[0] in (1204, 1205)


@pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 500.0, 1000.0])
def test_marks_count_in_samples_of_the_signal(fs):
    one = found(QRS, bump(110, 1.0), (QRS, 100, 121), fs=fs)
    scale = fs / FS
    assert one.peak[0] == round(110 * scale)
    assert one.onset[0] == pytest.approx(100 * scale, abs=0.5 * scale + 0.5)
    assert one.end[0] == pytest.approx(120 * scale, abs=0.5 * scale + 0.5)
    assert one.onset.dtype == np.int64


def test_a_qrs_is_marked_at_r_even_where_s_is_deeper():
    lead = bump(106, 0.4, 2) - bump(114, 1.2, 2)
    assert found(QRS, lead, (QRS, 98, 123)).peak.tolist() == [106]
    # An R of less than a tenth of the whole is none: QS at its nadir.
    lead = bump(106, 0.05, 2) - bump(114, 1.2, 2)
    assert found(QRS, lead, (QRS, 98, 123)).peak.tolist() == [114]
    assert found(QRS, -bump(110, 1.0), (QRS, 98, 123)).peak.tolist() == [110]


@pytest.mark.parametrize(("first", "second", "peak", "other"), [
    (0.2, -0.1, 105, 117), (0.1, -0.2, 117, 105), (-0.2, 0.1, 105, 117), (0.2, -0.045, 105, -1), (0.05, -0.02, 105, -1),
], ids=["up and down", "down larger", "down and up", "too small a share", "below 0.03 mV"])  # fmt: skip
def test_a_t_wave_of_two_phases_has_two_peaks(first, second, peak, other):
    lead = bump(105, first, 2.5) + bump(117, second, 2.5)
    one = found(T, lead, (T, 95, 128))
    assert one.peak.tolist() == [peak]
    assert one.second_peak.tolist() == [other]


def test_a_qrs_never_has_a_second_peak():
    lead = bump(106, 1.0, 2) - bump(114, 1.0, 2)
    assert found(QRS, lead, (QRS, 98, 123)).second_peak.tolist() == [-1]


def test_a_slope_under_the_wave_does_not_move_its_peak():
    slope = (0.01 * np.arange(N)).astype(np.float32)
    assert found(T, bump(110, 0.2) + slope, (T, 95, 126)).peak.tolist() == [110]
    assert found(T, bump(110, 0.2) - slope, (T, 95, 126)).peak.tolist() == [110]


@pytest.mark.parametrize("rows", [(0, 20), (280, N)])
def test_a_wave_that_the_edge_of_the_record_cuts_is_not_whole(rows):
    assert len(found(P, bump(10, 0.1) + bump(290, 0.1), (P, *rows))) == 0


def test_a_wave_next_to_the_edge_is_whole():
    assert len(found(P, bump(10, 0.1), (P, 1, 20))) == 1
    assert len(found(P, bump(290, 0.1), (P, 280, N - 1))) == 1


@pytest.mark.parametrize(("probability", "n"), [(0.39, 0), (0.41, 1)])
def test_an_improbable_wave_is_left_out(probability, n):
    assert len(found(P, bump(110, 0.1), (P, 100, 121), probability=probability)) == n


def test_each_kind_has_its_own_waves_in_order():
    rows = ((P, 40, 60), (QRS, 70, 90), (T, 120, 160), (P, 200, 220))
    lead = bump(50, 0.1) + bump(80, 1.0) + bump(140, 0.3) + bump(210, 0.1)
    args = segments(*rows), sure(*rows), lead
    assert as_marks(args[0], P, args[1], args[2], FS).peak.tolist() == [50, 210]
    assert as_marks(args[0], QRS, args[1], args[2], FS).peak.tolist() == [80]
    assert as_marks(args[0], T, args[1], args[2], FS).peak.tolist() == [140]


def test_no_segments_have_no_marks():
    assert len(as_marks(segments(), P, sure(), bump(110, 0.1), FS)) == 0
