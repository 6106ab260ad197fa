"""A parameter in millivolts means millivolts, whichever unit of voltage a lead is in."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.errors import InputError

RNG = np.random.default_rng(11)
SIGNAL = RNG.normal(size=(3, 2, 500))
"""Three records of two leads in millivolts."""
PER_MV = {"mV": 1.0, "uV": 1e3, "V": 1e-3, "nV": 1e6}
FACTORS = np.array([[1.0, 1.0], [1e3, 1e-3], [1e6, 1.0]])[..., None]
MIXED = [("mV", "mV"), ("uV", "V"), ("nV", "mV")]


def in_units(signal, units, **kwargs) -> EcgBatch:
    return EcgBatch.from_arrays(signal, fs=250, leads=("I", "II"), units=units, **kwargs)


MILLIVOLTS = in_units(SIGNAL, "mV")
SPELLED = in_units(SIGNAL * FACTORS, MIXED)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("clip_signals", (-0.7, 0.9)),
        ("random_gaussian_noise", (0.3,)),
        ("random_coloured_noise", (1.0, 0.3)),
        ("random_baseline_wander", (0.4,)),
        ("random_powerline", (0.2, 50)),
        ("random_amplitude_scale", (0.5, 2.0)),
        ("random_lead_dropout", (0.5,)),
        ("random_recorded_noise", (RNG.normal(size=(1, 1000)), 250.0, 6)),
    ],
)
def test_signals_in_other_units_get_the_same_millivolts(action, arguments) -> None:
    done = getattr(SPELLED, action)(*arguments)
    expected = getattr(MILLIVOLTS, action)(*arguments)
    np.testing.assert_allclose(done.signal.dense() / FACTORS, expected.signal.dense(), atol=2e-6)
    assert not np.array_equal(expected.signal.data, MILLIVOLTS.signal.data)
    assert list(done.meta["units"]) == MIXED


@pytest.mark.parametrize("unit", ["uV", "µV", "microvolt", "UV"])
def test_the_unit_may_be_spelled_as_a_device_does(unit) -> None:
    done = in_units(SIGNAL * 1e3, unit).clip_signals(-0.5, 0.5)
    assert (done.signal.data.min(), done.signal.data.max()) == (-500, 500)


def test_segments_and_records_of_other_lengths_are_clipped_in_their_own_unit() -> None:
    ragged = EcgBatch.from_arrays(
        [np.full((1, 4), 9.0), np.full((2, 6), 9000.0)], fs=10, units=[("mV",), ("uV", "mV")]
    ).split_signals(2)
    done = ragged.clip_signals(-5, 5)
    assert done.signal[0].tolist() == [[[5, 5]]] * 2
    assert done.signal[1].tolist() == [[[5000, 5000], [5, 5]]] * 3


@pytest.mark.parametrize("unit", ["mmHg", "adu", "unknown"])
def test_leads_that_are_not_voltages_take_the_number_in_their_own_unit(unit) -> None:
    done = in_units(SIGNAL * 100, ("mV", unit)).clip_signals(-30, 40)
    assert done.signal.dense()[:, 1].max() == 40
    assert done.signal.dense()[:, 1].min() == -30


def test_the_rail_and_a_flat_line_are_judged_in_millivolts() -> None:
    t = np.arange(1000) / 250
    beating = 0.8 * np.sin(2 * np.pi * 5 * t)
    whole = np.stack([[beating, 0.001 * beating], [beating + 12, beating]])
    for unit, factor in PER_MV.items():
        found = in_units(whole * factor, unit).detect_lead_off().lead_off
        assert found == ((False, True), (True, False))


def test_a_batch_without_units_is_in_millivolts() -> None:
    bare = MILLIVOLTS.replace(meta=None)
    assert bare.clip_signals(-0.7, 0.9).signal == MILLIVOLTS.clip_signals(-0.7, 0.9).signal


def test_temperatures_are_converted_with_their_offset() -> None:
    body = EcgBatch.from_arrays(
        np.array([[[0.0, 37.0, 100.0], [1.0, 2.0, 3.0]]]), fs=1, leads=["T", "I"], units=("degC", "mV")
    )
    done = body.convert_units({"T": "degF"})
    np.testing.assert_allclose(done.signal[0], [[32.0, 98.6, 212.0], [1.0, 2.0, 3.0]], rtol=1e-6)
    np.testing.assert_allclose(done.convert_units({"T": "kelvin"}).signal[0][0], [273.15, 310.15, 373.15], rtol=1e-6)
    assert done.meta[0]["units"] == ("degF", "mV")


def test_pressures_and_voltages_are_converted_by_their_factor_and_back_without_a_trace() -> None:
    both = EcgBatch.from_arrays(
        np.array([[[120.0, 80.0], [1.5, -0.25]]]), fs=1, leads=["ABP", "I"], units=("mmHg", "mV")
    )
    done = both.convert_units({"ABP": "kPa", "I": "uV"})
    # 1 mmHg is 133.322387415 Pa.
    np.testing.assert_allclose(done.signal[0], [[15.9987, 10.6658], [1500, -250]], rtol=1e-5)
    np.testing.assert_allclose(done.convert_units(["mmHg", "mV"]).signal[0], both.signal[0], rtol=1e-6)


def test_a_conversion_that_is_not_linear_is_refused() -> None:
    with pytest.raises(InputError, match="conversion from 'dBm' to 'mW' is not linear"):
        EcgBatch.from_arrays(np.zeros((1, 1, 3)), fs=1, leads=["P"], units="dBm").convert_units("mW")


def test_segments_are_converted_lead_by_lead() -> None:
    cut = in_units(SIGNAL, "mV").split_signals(100)
    done = cut.convert_units({"II": "uV"})
    np.testing.assert_allclose(done.signal[1][:, 0], cut.signal[1][:, 0])
    np.testing.assert_allclose(done.signal[1][:, 1], cut.signal[1][:, 1] * 1000, rtol=1e-6)


def eight(units) -> EcgBatch:
    leads = ["Resp", "II", "I", "V1", "V2", "V3", "V4", "V5", "V6"]
    signal = np.array([7.0, 2, 1, 1, 1, 1, 1, 1, 1])[None, :, None] * np.ones((1, 9, 4))
    return EcgBatch.from_arrays(signal, fs=10, leads=leads, units=units)


def test_the_vectorcardiogram_has_the_unit_of_its_eight_leads_and_not_of_the_first_channel() -> None:
    done = eight(["Ohm", *["uV"] * 8]).derive_vcg()
    assert done.meta[0]["units"] == ("uV", "uV", "uV")
    # Kors et al.: X = -0.13 V1 + 0.05 V2 - 0.01 V3 + 0.14 V4 + 0.06 V5 + 0.54 V6 + 0.38 I - 0.07 II, with II = 2.
    np.testing.assert_allclose(done.signal[0][:, 0], [0.89, 1.80, -0.98], atol=1e-6)
    with pytest.raises(InputError, match=r"its eight leads are in mV, uV. Call convert_units\('mV'\) first"):
        eight(["Ohm", "mV", "mV", *["uV"] * 6]).derive_vcg()
