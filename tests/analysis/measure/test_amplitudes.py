"""Heights of a beat drawn sample by sample: each is that of its wave, from the level that it counts from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cardioflow.analysis.measure.amplitudes import AMPLITUDES, amplitudes, baseline

FS = 500.0
# In samples: P 50 to 90, QRS 140 to 190, T 250 to 340.
MARKS = {"p_on": 50, "p_end": 90, "qrs_on": 140, "qrs_end": 190, "t_on": 250, "t_end": 340}


def beat(*heights: tuple[int, float], level: float = 0.0, n: int = 400) -> np.ndarray:
    """Return a lead at ``level`` with single samples that differ from it by the given heights."""
    x = np.full(n, level, np.float32)
    for at, height in heights:
        x[at] = level + height
    return x


def values(x: np.ndarray, marks: dict[str, int] = MARKS, fs: float = FS) -> dict[str, float]:
    return {name: own.value for name, own in amplitudes(x, fs, marks, 7).items()}


@pytest.mark.parametrize(
    ("heights", "q", "r", "s"),
    [
        (((150, -0.1), (160, 1.0), (170, -0.3)), -0.1, 1.0, -0.3),
        (((160, 1.0),), None, 1.0, None),
        (((150, -0.1), (160, 1.0)), -0.1, 1.0, None),
        (((160, 1.0), (170, -0.3)), None, 1.0, -0.3),
        # A QS complex has no R: its one deflection is reported as S.
        (((160, -0.9),), None, None, -0.9),
        # Of rSR' the larger R counts; what lies between the two is then before it.
        (((150, 0.2), (160, -0.4), (170, 0.8)), -0.4, 0.8, None),
        (((150, 0.8), (160, -0.4), (170, 0.2)), None, 0.8, -0.4),
        # Of two S waves the deeper one.
        (((150, 0.8), (160, -0.1), (170, -0.5)), None, 0.8, -0.5),
        # Below 0.02 mV nothing is a wave.
        (((150, -0.019), (160, 1.0), (170, -0.021)), None, 1.0, -0.021),
        (((160, 0.019),), None, None, None),
        (((160, 0.019), (170, -0.019)), None, None, None),
    ],
    ids=["qRS", "R", "qR", "RS", "QS", "rSR", "RSr", "two S", "small Q", "flat", "noise"],
)
def test_q_r_and_s_are_told_apart_by_their_place_and_height(heights, q, r, s):
    found = values(beat(*heights))
    for name, expected in (("q_amplitude", q), ("r_amplitude", r), ("s_amplitude", s)):
        if expected is None:
            assert math.isnan(found[name]), name
        else:
            assert found[name] == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize("level", [-3.0, 0.0, 0.4, 12.0])
def test_a_level_of_the_whole_lead_moves_no_height(level):
    heights = ((70, 0.15), (150, -0.1), (160, 1.0), (170, -0.3), (300, 0.25))
    found = values(beat(*heights, level=level))
    expected = {"p_amplitude": 0.15, "q_amplitude": -0.1, "r_amplitude": 1.0, "s_amplitude": -0.3, "t_amplitude": 0.25,
                "st_j": 0.0, "st_60": 0.0, "st_80": 0.0}  # fmt: skip
    assert found == pytest.approx(expected, abs=2e-6)


def test_p_counts_from_its_own_onset_and_t_from_the_level_before_the_qrs():
    x = np.zeros(400, np.float32)
    x[:100] = 0.3  # P lies on a raised level, as the end of a T wave before it makes one.
    x[70] = 0.5
    x[250:341] = -0.2
    x[300] = 0.1
    found = values(x)
    assert found["p_amplitude"] == pytest.approx(0.2, abs=1e-6)
    assert found["t_amplitude"] == pytest.approx(-0.2, abs=1e-6), "the largest distance from zero"


def test_of_a_wave_with_two_phases_the_larger_one_counts_with_its_sign():
    assert values(beat((280, 0.2), (310, -0.25)))["t_amplitude"] == pytest.approx(-0.25)
    assert values(beat((60, 0.1), (80, -0.05)))["p_amplitude"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("fs", "at_60", "at_80"), [(500.0, 30, 40), (250.0, 15, 20), (1000.0, 60, 80), (360.0, 22, 29), (128.0, 8, 10)]
)
def test_st_is_read_at_60_and_80_ms_after_the_end_of_the_qrs_at_any_rate(fs, at_60, at_80):
    marks = {"qrs_on": 40, "qrs_end": 60}
    x = beat((50, 1.0), (60, 0.01), (60 + at_60, 0.07), (60 + at_80, 0.09), n=300)
    found = values(x, marks, fs)
    assert (found["st_j"], found["st_60"], found["st_80"]) == pytest.approx((0.01, 0.07, 0.09), abs=1e-6)


def test_st_is_not_read_in_the_next_wave_or_beyond_the_beat():
    inside = amplitudes(beat((160, 1.0)), FS, {**MARKS, "t_on": 200, "t_end": 225}, 7)
    assert inside["st_60"].known
    assert not inside["st_80"].known, "40 samples after the QRS T has ended"
    assert inside["st_80"].reason == "the beat ends before"
    assert inside["st_80"].n_beats == 0
    cut = amplitudes(beat((160, 1.0), n=215), FS, {"qrs_on": 140, "qrs_end": 190}, 7)
    assert [cut[name].known for name in ("st_j", "st_60", "st_80")] == [True, False, False]


@pytest.mark.parametrize(
    ("wave", "name", "reason"),
    [("p", "p_amplitude", "no P wave"), ("t", "t_amplitude", "no T wave")],
)
def test_a_wave_that_the_beat_does_not_have_has_no_height_and_says_so(wave, name, reason):
    marks = {key: at for key, at in MARKS.items() if not key.startswith(f"{wave}_")}
    found = amplitudes(beat((160, 1.0)), FS, marks, 7)
    assert math.isnan(found[name].value)
    assert found[name].reason == reason
    assert found["r_amplitude"].value == pytest.approx(1.0)


def test_what_is_measured_says_on_how_many_beats_and_the_rest_why_not():
    found = amplitudes(beat((160, 1.0)), FS, MARKS, 7)
    assert found["r_amplitude"].n_beats == 7
    assert found["r_amplitude"].reason == ""
    assert {name: found[name].reason for name in ("q_amplitude", "s_amplitude")} == {
        "q_amplitude": "no Q wave",
        "s_amplitude": "no S wave",
    }
    assert amplitudes(beat((160, 0.0)), FS, MARKS, 7)["r_amplitude"].reason == "no R wave"
    assert tuple(found) == AMPLITUDES


@pytest.mark.parametrize(
    ("x", "marks", "reason"),
    [
        (beat((160, 1.0), (300, np.nan)), MARKS, "the lead has gaps"),
        (np.full(400, np.nan, np.float32), MARKS, "the lead has gaps"),
        (beat((160, 1.0)), {}, "no median beat"),
        (np.empty(0, np.float32), MARKS, "no median beat"),
    ],
    ids=["one gap", "all missing", "no QRS", "no samples"],
)
def test_a_lead_without_a_whole_beat_has_no_heights_and_says_why(x, marks, reason):
    found = amplitudes(x, FS, marks, 7)
    assert {(own.known, own.n_beats, own.reason) for own in found.values()} == {(False, 0, reason)}
    assert tuple(found) == AMPLITUDES


def test_the_level_is_the_median_of_the_16_ms_before_the_qrs():
    x = np.zeros(400, np.float32)
    x[132:141] = [9, 1, 2, 3, 4, 5, 6, 7, -9]  # 8 samples and that of the onset itself
    assert baseline(x, 140, 500.0) == 4.0
    assert baseline(x, 0, 500.0) == 0.0, "at the beginning, of what there is"
    x[138:141] = [5, 6, 7]
    assert baseline(x, 140, 125.0) == 6.0, "two samples and the onset"
