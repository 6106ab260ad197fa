"""What belongs to a beat: the last P after the QRS before, the first T before the next QRS."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.errors import InputError


def marks(*onsets: int) -> WaveMarks:
    at = np.array(onsets, np.int64)
    return WaveMarks(at, at + 5, at + 10, np.full(at.size, -1), np.linspace(0.5, 1.0, at.size))


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ((80, 280, 480), [0, 1, 2]),
        ((280, 480), [-1, 0, 1]),
        ((80, 480), [0, -1, 1]),
        ((80, 280), [0, 1, -1]),
        ((30, 80, 230, 280, 480), [1, 3, 4]),
        ((), [-1, -1, -1]),
        ((600,), [-1, -1, -1]),
        ((120, 320, 520), [-1, 0, 1]),
    ],
    ids=["each", "not the first", "not the second", "not the last", "two before some", "none", "late", "after each"],
)  # fmt: skip
def test_a_beat_has_the_last_p_after_the_qrs_before(p, expected):
    waves = LeadWaves(marks(*p), marks(100, 300, 500), marks())
    assert waves.p_of_beat().tolist() == expected


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        ((150, 350, 550), [0, 1, 2]),
        ((350, 550), [-1, 0, 1]),
        ((150, 550), [0, -1, 1]),
        ((150, 350), [0, 1, -1]),
        ((150, 200, 350, 400), [0, 2, -1]),
        ((), [-1, -1, -1]),
        ((50,), [-1, -1, -1]),
    ],
    ids=["each", "not the first", "not the second", "not the last", "two after some", "none", "before all"],
)
def test_a_beat_has_the_first_t_before_the_next_qrs(t, expected):
    waves = LeadWaves(marks(), marks(100, 300, 500), marks(*t))
    assert waves.t_of_beat().tolist() == expected


def test_a_wave_that_begins_with_the_next_qrs_is_not_of_the_beat_before():
    assert LeadWaves(marks(), marks(100, 300), marks(300)).t_of_beat().tolist() == [-1, 0]
    assert LeadWaves(marks(100), marks(100, 300), marks()).p_of_beat().tolist() == [-1, -1]


def test_without_beats_nothing_belongs_to_one():
    waves = LeadWaves(marks(80), marks(), marks(150))
    assert waves.p_of_beat().size == waves.t_of_beat().size == 0


def test_rows_are_taken_with_all_their_marks():
    some = marks(10, 20, 30, 40)
    for rows in (np.array([1, 3]), np.array([False, True, False, True])):
        own = some.take(rows)
        assert own.onset.tolist() == [20, 40]
        assert own.peak.tolist() == [25, 45]
        assert own.end.tolist() == [30, 50]
        assert own.confidence.tolist() == pytest.approx([2 / 3, 1.0])
    assert len(some.take(np.zeros(4, bool))) == 0
    assert len(WaveMarks.none()) == 0


def test_waves_are_asked_for_by_kind_and_leads_by_name_or_number():
    one, two = LeadWaves(marks(1), marks(2), marks(3)), LeadWaves(marks(4), marks(5), marks(6))
    found = Delineation(500.0, 1000, ("I", "II"), (one, two), one)
    assert found["II"] is found[1] is found[-1] is two
    assert [two.of(kind).onset.tolist() for kind in ("P", "QRS", "T")] == [[4], [5], [6]]
    with pytest.raises(InputError, match=r"'iii' is not a lead of this delineation\. .*'II'"):
        found["iii"]
    for number in (2, -3):
        with pytest.raises(InputError, match=rf"{number} is not the number of a lead\. Pass 0 to 1"):
            found[number]
    with pytest.raises(InputError, match=r"'U' is not a kind of wave"):
        one.of("U")  # type: ignore[arg-type]
