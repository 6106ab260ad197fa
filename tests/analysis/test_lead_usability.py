"""What makes a lead hard to use is measured where it was put in, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.ecg_evidence import ecg_evidence
from cardioflow.analysis.lead_usability import FEATURES, lead_usability
from cardioflow.errors import InputError

FS = 500.0
N = 5000


def clean(fs: float = FS, gain: float = 1.0) -> np.ndarray:
    t = np.arange(round(10 * fs)) / fs
    x = np.zeros(t.size)
    for at in np.arange(0.6, 9.6, 0.8):
        x += np.exp(-0.5 * ((t - at) / 0.012) ** 2) - 0.2 * np.exp(-0.5 * ((t - at - 0.035) / 0.012) ** 2)
        x += 0.12 * np.exp(-0.5 * ((t - at + 0.16) / 0.02) ** 2) + 0.25 * np.exp(-0.5 * ((t - at - 0.28) / 0.05) ** 2)
    return gain * x + 0.004 * np.random.default_rng(0).standard_normal(t.size)


def measured(x: np.ndarray, fs: float = FS) -> dict[str, float]:
    return dict(zip(FEATURES, lead_usability(np.atleast_2d(x), fs)[0].tolist(), strict=True))


def test_a_clean_lead_has_nothing_to_complain_of():
    found = measured(clean())
    assert found["missing"] == found["flat"] == found["saturated"] == found["range"] == found["steepest"] == 0
    assert found["wander"] < 0.3
    assert found["noise"] < 0.2
    assert found["no_beats"] < 0.15


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_share_of_missing_samples_is_counted(share):
    x = clean()
    x[: int(share * N)] = np.nan
    assert measured(x)["missing"] == pytest.approx(share)


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, 0.0), (3.0, 0.3), (10.0, 1.0)])
def test_seconds_that_stand_still_are_flat(seconds, expected):
    x = clean()
    x[: int(seconds * FS)] = 0.7
    assert measured(x)["flat"] == pytest.approx(expected)


def test_saturation_counts_from_10_mv_on_either_side():
    x = clean()
    x[:500] = 10.1
    x[500:750] = -10.1
    x[750:800] = 9.9
    assert measured(x)["saturated"] == pytest.approx(0.15)


@pytest.mark.parametrize(("height", "expected"), [(1.0, 0.0), (2.0, 0.0), (8.0, 2.0), (32.0, 4.0)])
def test_the_range_is_the_logarithm_of_how_far_it_exceeds_2_mv(height, expected):
    x = height * np.linspace(-0.5, 0.5, N) / 0.98
    assert measured(x)["range"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("fs", [500.0, 1000.0])
@pytest.mark.parametrize(("step", "expected"), [(0.4, 0.0), (1.0, 1.0), (4.0, 3.0)])
def test_the_steepest_change_within_2_ms_is_measured_at_any_rate(fs, step, expected):
    x = np.zeros(round(10 * fs))
    x[x.size // 2 :] = step
    assert measured(x, fs)["steepest"] == pytest.approx(expected)


def test_wander_and_noise_are_told_apart_by_their_frequency():
    t = np.arange(N) / FS
    still = measured(clean())
    slow, fast = (
        measured(clean() + 1.0 * np.sin(2 * np.pi * 0.2 * t)),
        measured(clean() + 0.2 * np.sin(2 * np.pi * 60 * t)),
    )
    assert slow["wander"] > still["wander"] + 0.7
    assert slow["noise"] == pytest.approx(still["noise"], abs=0.02)
    assert fast["noise"] > 0.5
    assert fast["wander"] <= still["wander"] + 0.01


def test_noise_is_the_root_of_the_share_of_power_above_40_hz():
    t = np.arange(N) / FS
    two = np.sin(2 * np.pi * 10 * t) + np.sin(2 * np.pi * 80 * t)
    assert measured(two)["noise"] == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert measured(3 * np.sin(2 * np.pi * 100 * t))["noise"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("offset", [-5.0, 0.3, 6.0])
def test_a_constant_offset_changes_nothing(offset):
    np.testing.assert_allclose(lead_usability(clean()[None] + offset, FS), lead_usability(clean()[None], FS), atol=2e-3)


def test_leads_are_measured_each_alone():
    both = np.stack([clean(), np.zeros(N), clean(gain=0.5)])
    found = lead_usability(both, FS)
    assert found.shape == (3, len(FEATURES))
    for row, x in zip(found, both, strict=True):
        np.testing.assert_allclose(row, lead_usability(x[None], FS)[0], rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("x", [np.zeros(N), np.full(N, np.nan), np.zeros(30), np.zeros(1)], ids=["0", "nan", "30", "1"])
def test_nothing_gives_numbers_without_a_warning(x):
    found = measured(x)
    assert np.isfinite(list(found.values())).all()
    assert found["no_beats"] == 1.0


def test_other_shapes_and_low_rates_are_refused():
    for shape in ((N,), (1, 2, 3), (1, 0)):
        with pytest.raises(InputError, match="lead_usability got a signal of shape"):
            lead_usability(np.zeros(shape), FS)
    for fs in (99.0, float("nan")):
        with pytest.raises(InputError, match="is below 100 Hz"):
            lead_usability(np.zeros((1, N)), fs)


def test_beats_are_evidence_and_noise_is_not():
    noise = 0.3 * np.random.default_rng(1).standard_normal(N)
    found = ecg_evidence(np.stack([clean(), -clean(), noise, np.zeros(N)]), FS)
    assert (found[:2] > 0.85).all(), "either way up"
    assert found[2] < 0.5
    assert found[3] == 0
    assert ecg_evidence(clean(), FS).tolist() == [found[0]]


@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_evidence_hardly_depends_on_the_gain(gain):
    assert ecg_evidence(clean(gain=gain), FS)[0] == pytest.approx(ecg_evidence(clean(), FS)[0], abs=0.08)


def test_two_beats_are_not_enough_and_missing_samples_cost_the_beats_in_them():
    assert ecg_evidence(clean()[: int(1.9 * FS)], FS)[0] == 0
    holed = clean()
    holed[2000:2600] = np.nan
    assert ecg_evidence(holed, FS)[0] > 0.8
    with pytest.raises(InputError, match="ecg_evidence got a signal of shape"):
        ecg_evidence(np.zeros((1, 2, 3)), FS)


@pytest.mark.parametrize("offset", [0.0, 8.0, -300.0])
def test_a_gap_in_a_lead_with_an_offset_is_neither_steep_nor_wide(offset):
    x = clean() + offset
    x[2000:2100] = np.nan
    found = measured(x)
    assert found["range"] == found["steepest"] == 0
    assert found["saturated"] == (0.98 if offset == -300 else 0)
    assert found["wander"] < 0.3
