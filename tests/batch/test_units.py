from __future__ import annotations

import pytest

from cardioflow.batch.units import is_unknown, millivolts_per, per_millivolt, standard_unit

SPELLED = {
    "V": ("V", "v", "Volt", "volts", "[V]", "В"),
    "mV": ("mV", "mv", "MV", "mVolt", "milliV", "millivol", "milli volts", "(mV)", "MDC_DIM_MILLI_VOLT", "мВ"),
    "uV": (
        *("uV", "UV", "uVolts", "µV", "μV", "ΜV", "microvol", "microvo", "microV", "Micro-Volts", "MICROVOLTS", "mkV"),
        *("мкВ", "uV.", "[µV]", "MDC_DIM_MICRO_VOLT", "mikrovolt"),
        # The micro sign of UTF-8 (both), code page 850 and ISO 8859-7, read as Latin-1.
        *(text.decode("latin-1") for text in (b"\xc2\xb5V", b"\xce\xbcV", b"\xe6V", b"\xecV")),
    ),
    "nV": ("nV", "NV", "nanovolt"),
    "pV": ("pV", "picovolts"),
}


@pytest.mark.parametrize(("unit", "text"), [(unit, text) for unit, texts in SPELLED.items() for text in texts])
def test_every_spelling_of_a_voltage_is_that_voltage(unit, text):
    assert standard_unit(text) == unit
    assert millivolts_per(text) == {"V": 1e3, "mV": 1.0, "uV": 1e-3, "nV": 1e-6, "pV": 1e-9}[unit]
    assert per_millivolt(text) == {"V": 1e-3, "mV": 1.0, "uV": 1e3, "nV": 1e6, "pV": 1e9}[unit]
    assert not is_unknown(text)


@pytest.mark.parametrize(
    "text",
    ["10uV", "uV/bit", "mmHg", "bpm", "%", "°C", "Ohm", "mW", "l/min", "v/v", "uVrms", "mVpp", "kV", "V1", "-uV", "NU"],
)
def test_a_unit_that_is_not_a_voltage_keeps_its_name(text):
    assert (standard_unit(f" {text} "), millivolts_per(text), per_millivolt(text)) == (text, None, None)
    assert not is_unknown(text)


@pytest.mark.parametrize("text", ["", " ", "adu", "ADU", "unknown", "counts", "a.u.", "µ", "Âµ", "?V", "\ufffdV"])
def test_a_text_without_a_unit_or_with_a_lost_prefix_is_unknown(text):
    assert is_unknown(text)
    assert millivolts_per(text) is None
