"""Names of channels: those of ECG leads, standard or not, and those of other signals."""

from __future__ import annotations

import pytest

from cardioflow.batch.leads import is_ecg_name


@pytest.mark.parametrize(
    "name",
    [
        *("I", "lead avf", "MDC_ECG_LEAD_V1", "Lead I (Einthoven)", "MLII", "-aVR", "E-S"),
        *("ECG", "ekg", "ECG1", "ECG 2", "EKG-1", "POL ECG", "ECG1-ECG2", "lead 1", "ECG Lead"),
        # Holter leads of QTDB, LTSTDB and MIMIC.
        *("mod.V1", "D3", "CM2", "CM5", "CC5", "ML5", "MV2", "V1-V2", "V4-V5", "MCL1", "RA-LL", "III"),
    ],
)
def test_a_channel_with_such_a_name_is_an_ecg_lead(name):
    assert is_ecg_name(name)
    assert is_ecg_name(f" {name} ")


@pytest.mark.parametrize(
    "name",
    [
        *("", "signal 0", "1", "ch1", "Channel 1", "val_gr", "counter", "-"),
        # Other signals of a sleep laboratory and an intensive care unit, some of them in mV.
        *("EEG Fpz-Cz", "C3-A2", "C4-A1", "T3-A2", "O1-A1", "EOG", "EMG", "LOC-A2"),
        *("RESP", "ABP", "ART", "CVP", "PAP", "ICP", "PLETH", "CO2", "SpO2", "BCG", "PCG"),
    ],
)
def test_a_channel_with_another_name_is_not_taken_for_an_ecg(name):
    assert not is_ecg_name(name)
