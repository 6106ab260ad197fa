from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.contec import Contec

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


@pytest.fixture
def contec(data: Path) -> Path:
    return data / "formats/contec/0000037.ECG"


def test_ii_and_iii_are_stored_and_the_other_limb_leads_computed(contec: Path) -> None:
    record = Contec().read(contec, ALL)
    assert record.signal is not None
    assert (record.fs, record.signal.shape) == (800.0, (12, 8375))
    assert record.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert record.meta["derived_leads"] == ("I", "aVR", "aVL", "aVF")
    stored = np.frombuffer(contec.read_bytes(), "<i2", 8 * 8375, 43).reshape(-1, 8)
    np.testing.assert_allclose(record.signal[1], (stored[:, 0] - 2048) * 0.005, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(record.signal[2], (stored[:, 1] - 2048) * 0.005, rtol=1e-6, atol=1e-7)
    one, two, three, right, left, foot = record.signal[:6]
    np.testing.assert_allclose(one, two - three, atol=1e-6)
    np.testing.assert_allclose(right + left + foot, 0, atol=1e-6)
    assert "einthoven_rms" not in record.meta


def test_leads_whose_electrodes_were_off_are_nan(contec: Path) -> None:
    record = Contec().read(contec, ALL)
    assert record.signal is not None
    assert record.meta["leads_off"] == ("V1", "V2", "V3", "V4", "V5", "V6")
    assert np.isnan(record.signal[6:]).all()
    assert np.isfinite(record.signal[:6]).all()
    # An R wave, on a signal full of mains noise as its recorder says.
    assert 0.5 < np.ptp(record.signal[2]) < 3


def test_metadata_are_read_and_the_name_on_request(contec: Path) -> None:
    silent = Contec().read(contec, ALL).meta
    assert (silent["age"], silent["sex"], silent["device"]) == (54, "M", "Contec ECG90A")
    assert silent["timestamp"] == datetime.fromisoformat("2020-11-15T12:59:50")
    assert "Niccolo" not in repr(dict(silent))
    assert Contec().read(contec, ReadRequest(identify=True)).meta["name"] == "Niccolo"


def test_missing_values_are_none(contec: Path, tmp_path: Path) -> None:
    content = bytearray(contec.read_bytes())
    content[32:43] = b"\0" * 8 + b"\xff\0\0"
    path = tmp_path / "a.ecg"
    path.write_bytes(content)
    meta = Contec().read(path, ALL).meta
    assert (meta["age"], meta["sex"], meta["patient_key"]) == (None, None, None)


@pytest.mark.parametrize("cut", [1, 15, 134000])
def test_a_length_that_does_not_fit_is_refused(contec: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.ecg"
    path.write_bytes(contec.read_bytes()[:-cut])
    with pytest.raises(FormatError, match=r"bytes between header and footer; expected a multiple of 16"):
        Contec().read(path, ReadRequest())


@pytest.mark.parametrize("frames", [3, 4000, 8370])
def test_a_file_that_was_cut_between_samples_is_refused(contec: Path, tmp_path: Path, frames: int) -> None:
    path = tmp_path / "a.ecg"
    path.write_bytes(contec.read_bytes()[: -16 * frames])
    with pytest.raises(FormatError, match="has samples in its last 37 bytes instead of a footer"):
        Contec().read(path, ReadRequest())


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ecg"
    path.write_bytes(b"0" * 200)
    with pytest.raises(FormatError, match="is not a Contec file: there is no time at byte 10"):
        Contec().read(path, ReadRequest())
