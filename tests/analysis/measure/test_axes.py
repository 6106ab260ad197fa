"""The axis of a wave is the angle of its area in the frontal plane, whichever limb leads it is read from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cardioflow.analysis.measure.axes import axis

FS = 500.0
DIRECTIONS = {"I": 0.0, "II": 60.0, "III": 120.0, "aVR": -150.0, "aVL": -30.0, "aVF": 90.0}


def leads(angle: float, height: float = 1.0, slope: float = 0.0) -> dict[str, np.ndarray]:
    """Return limb leads of a triangle at ``angle`` degrees, from sample 10 to 30, over a sloping baseline."""
    wave = height * np.interp(np.arange(60), [10, 20, 30], [0.0, 1.0, 0.0])
    seen = {}
    for name, direction in DIRECTIONS.items():
        gain = 1.0 if name in {"I", "II", "III"} else math.sqrt(3) / 2
        x = gain * math.cos(math.radians(angle - direction)) * wave + slope * np.arange(60)
        seen[name] = x.astype(np.float32)
    return seen


@pytest.mark.parametrize("angle", [0, 30, 45, 59, 90, 120, 179, -1, -45, -90, -135, -179])
@pytest.mark.parametrize("names", [("I", "aVF"), ("I", "II"), ("II", "III"), tuple(DIRECTIONS)], ids=str)
def test_the_angle_is_that_of_the_dipole_from_any_two_limb_leads(angle, names):
    every = leads(angle)
    found = axis({name: every[name] for name in names}, 10, 30, FS, 9)
    assert found.value == pytest.approx(angle, abs=1e-3)
    assert found.n_beats == 9


def test_equal_areas_in_i_and_avf_are_not_45_degrees_because_avf_is_augmented():
    wave = np.interp(np.arange(60), [10, 20, 30], [0.0, 1.0, 0.0]).astype(np.float32)
    # tan(angle) = (1 / (√3/2)) / 1
    expected = math.degrees(math.atan(2 / math.sqrt(3)))
    assert axis({"I": wave, "aVF": wave}, 10, 30, FS, 1).value == pytest.approx(expected)
    assert axis({"I": wave, "aVF": 0 * wave}, 10, 30, FS, 1).value == 0.0
    assert axis({"I": 0 * wave, "aVF": -wave}, 10, 30, FS, 1).value == -90.0


@pytest.mark.parametrize("slope", [-0.02, 0.02])
@pytest.mark.parametrize("angle", [20, -60])
def test_a_slope_of_the_baseline_does_not_turn_the_axis(angle, slope):
    assert axis(leads(angle, slope=slope), 10, 30, FS, 1).value == pytest.approx(angle, abs=0.01)


@pytest.mark.parametrize("rate", [100.0, 250.0, 1000.0])
def test_the_axis_does_not_depend_on_height_sign_or_rate(rate):
    assert axis(leads(75, height=3.0), 10, 30, rate, 1).value == pytest.approx(75, abs=1e-3)
    turned = axis({name: -x for name, x in leads(75).items()}, 10, 30, rate, 1)
    assert turned.value == pytest.approx(75 - 180, abs=1e-3)


@pytest.mark.parametrize(
    "names", [("II",), ("I",), ("I", "III"), ("V1", "V2"), ("aVR", "aVL"), ("II", "aVF"), ()], ids=str
)
def test_leads_that_do_not_span_the_plane_say_which_do(names):
    every = {**leads(30), "V1": np.zeros(60, np.float32), "V2": np.zeros(60, np.float32)}
    found = axis({name: every[name] for name in names}, 10, 30, FS, 5)
    assert not found.known
    assert found.n_beats == 0
    assert found.reason == "needs leads I and aVF, I and II, or II and III"


def test_a_gap_and_a_wave_below_the_noise_have_no_axis():
    gap = leads(30)
    gap["I"][15] = np.nan
    assert axis(gap, 10, 30, FS, 5).reason == "a limb lead has gaps"
    assert axis(leads(30), 10, 10, FS, 5).reason == "the wave is too small to have a direction", "one sample"
    # A triangle of 20 samples at 500 Hz has the area height * 20 ms; 0.2 µV·s is that of 10 µV.
    assert axis(leads(30, height=0.0099), 10, 30, FS, 5).reason == "the wave is too small to have a direction"
    assert axis(leads(30, height=0.0101), 10, 30, FS, 5).value == pytest.approx(30, abs=0.1)
