"""Formats that store integers: the source's own while the samples are those, else steps that follow the signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import edfio
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from scipy.signal import butter, sosfiltfilt

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import source_integers
from cardioflow.io.base import ReadRequest, Record
from cardioflow.registry import formats

# What docs/formats.md promises: half of this part of the range from the lowest to the highest sample.
STEPS = {"wfdb": 32400, "edf": 65534, "dicom": 65534}
Signal = NDArray[np.float32]


def band_pass(x: Signal) -> Signal:
    filtered: Signal = sosfiltfilt(butter(2, (0.5, 40), "bandpass", fs=360, output="sos"), x, axis=1).astype(np.float32)
    return filtered


def min_max_scale(x: Signal) -> Signal:
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    scaled: Signal = ((x - low) / (high - low)).astype(np.float32)
    return scaled


CHANGES: dict[str, Callable[[Signal], Signal]] = {
    "times 0.001": lambda x: x * np.float32(0.001),
    "times 1e-5": lambda x: x * np.float32(1e-5),
    "times 1000": lambda x: x * np.float32(1000),
    "times 1e6": lambda x: x * np.float32(1e6),
    "times 1/3": lambda x: x / np.float32(3),
    "min_max_scale": min_max_scale,
    "standardise": lambda x: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True),
    "band-pass": band_pass,
    "offset 0.1": lambda x: x + np.float32(0.1),
    "offset 100": lambda x: x + np.float32(100),
    "offset -7": lambda x: x - np.float32(7),
    "negative": lambda x: -x,
    "absolute": lambda x: np.abs(x) + np.float32(1e-3),
}


def worst_error(signal: Signal, found: Signal, steps: int) -> float:
    """Return the largest error of a lead in half steps; what float32 cannot hold is no error."""
    errors = []
    for row, other in zip(signal.astype(np.float64), found.astype(np.float64), strict=True):
        rounding = float(np.spacing(np.float32(np.abs(row).max())))
        half = (row.max() - row.min()) / steps / 2
        errors.append((np.abs(row - other).max() - rounding) / half)
    return max(errors)


# 200 integers a millivolt with a baseline of 1024; a DICOM file; an EDF file in which no integer stands for 0.
SOURCES = ["mitdb/119", "formats/dicom/pydicom_waveform_ecg.dcm", "EDF"]


def read_source(data: Path, name: str) -> Record:
    path = next((data / "formats/edf").rglob("*.edf")) if name == "EDF" else data / name
    fmt = {".edf": "edf", ".dcm": "dicom"}.get(path.suffix, "wfdb")
    record: Record = formats.get(fmt)().read(path, ReadRequest(stop_s=10.0, channels=(0, 1)))
    return record


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("fmt", STEPS)
def test_the_error_of_a_changed_signal_keeps_the_promise(
    fmt: str, name: str, change: str, data: Path, tmp_path: Path
) -> None:
    source = read_source(data, name)
    assert source.signal is not None
    changed = replace(source, signal=CHANGES[change](source.signal))
    files = formats.get(fmt)().write(changed, tmp_path / "r1")
    found = formats.get(fmt)().read(files[-1], ReadRequest(channels=(0, 1)))
    assert found.units == source.units
    assert worst_error(changed.signal, found.signal, STEPS[fmt]) <= 1.0


@pytest.mark.parametrize(("fmt", "name"), [*((fmt, name) for fmt in STEPS for name in SOURCES[:2]), ("edf", "EDF")])
def test_the_integers_of_a_source_are_kept_in_every_format(fmt: str, name: str, data: Path, tmp_path: Path) -> None:
    source = read_source(data, name)
    files = formats.get(fmt)().write(source, tmp_path / "r1")
    found = formats.get(fmt)().read(files[-1], ReadRequest(channels=(0, 1)))
    assert source.signal is not None
    np.testing.assert_allclose(found.signal, source.signal, rtol=3e-7, atol=1e-9)


def test_a_scaled_signal_is_written_with_its_own_steps(data: Path, tmp_path: Path) -> None:
    records = {"119": data / "mitdb/119.hea"}
    loading = Pipeline().load(fmt="wfdb", components=["signal", "meta"], stop_s=10.0)
    small = loading.apply_transform(lambda x: x * np.float32(0.001))
    for fmt, steps in STEPS.items():
        (EcgDataset(records) >> small.dump(tmp_path / fmt, fmt=fmt)).run(batch_size=1)
        expected = (EcgDataset(records) >> small).next_batch(1).signal[0]
        file = formats.get(fmt).target(tmp_path / fmt / "119")
        found = formats.get(fmt)().read(file, ReadRequest(channels=(0, 1)))
        assert worst_error(expected, found.signal, steps) <= 1.0


def test_other_readers_give_the_values_that_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    signal = (100 + rng.normal(0, 1e-3, (2, 1000))).astype(np.float32)
    signal[1] *= np.float32(-1e-6)
    record = Record(signal, 250.0, ("II", "V1"), ("mV", "mV"))
    (edf,) = formats.get("edf")().write(record, tmp_path / "r1")
    volts = {"V": 1e3, "mV": 1.0, "uV": 1e-3, "nV": 1e-6}
    theirs = np.stack([s.data * volts[s.physical_dimension] for s in edfio.read_edf(edf).signals])
    assert worst_error(signal, theirs, 65534) <= 1.0
    (dcm,) = formats.get("dicom")().write(record, tmp_path / "r1")
    assert worst_error(signal, dcmread(dcm).waveform_array(0).T / 1000, 65534) <= 1.0


@pytest.mark.parametrize("fmt", sorted(set(STEPS) - {"edf"}))
def test_a_signal_scaled_by_1e_9_is_not_written_as_zeros(fmt: str, data: Path, tmp_path: Path) -> None:
    source = read_source(data, SOURCES[0])
    changed = replace(source, signal=source.signal * np.float32(1e-9))
    files = formats.get(fmt)().write(changed, tmp_path / "r1")
    assert changed.signal is not None
    assert worst_error(changed.signal, formats.get(fmt)().read(files[-1], ReadRequest()).signal, STEPS[fmt]) <= 1.0


@pytest.mark.parametrize("seed", range(20))
def test_an_edf_range_of_the_source_is_written_as_it_was(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    ends = -round(rng.uniform(1, 9999), 2), round(rng.uniform(1, 9999), 2)
    whole = rng.integers(-32768, 32768, 500)
    step = (ends[1] - ends[0]) / 65535
    signal = ((whole + (ends[1] / step - 32767)) * step / 1000).astype(np.float32)
    meta = {"digital_range": ((-32768, 32767),), "physical_range": (ends,), "dimension": ("uV",)}
    (path,) = formats.get("edf")().write(Record(signal[None], 250.0, ("II",), ("mV",), meta), tmp_path / "r1")
    (found,) = edfio.read_edf(path).signals
    assert (tuple(found.physical_range), found.physical_dimension) == (ends, "uV")
    np.testing.assert_array_equal(found.digital, whole)


@pytest.mark.parametrize("fmt", STEPS)
@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e-7, 12345.678])
def test_a_constant_lead_survives_a_round_trip(fmt: str, value: float, tmp_path: Path) -> None:
    record = Record(np.full((1, 500), value, np.float32), 250.0, ("II",), ("mV",))
    files = formats.get(fmt)().write(record, tmp_path / "r1")
    found = formats.get(fmt)().read(files[-1], ReadRequest()).signal
    # EDF's header has 8 characters for the value; the other two have enough for a float32.
    np.testing.assert_allclose(found, record.signal, rtol=2e-5 if fmt == "edf" else 1e-7)


@pytest.mark.parametrize("fmt", sorted(set(STEPS) - {"edf"}))
def test_missing_samples_do_not_hide_a_change_of_amplitude(fmt: str, data: Path, tmp_path: Path) -> None:
    source = formats.get("wfdb")().read(data / "mitdb/119", ReadRequest(stop_s=10.0))
    signal = source.signal * np.float32(0.001)
    signal[:, 5:9] = np.nan
    files = formats.get(fmt)().write(replace(source, signal=signal), tmp_path / "r1")
    found = formats.get(fmt)().read(files[-1], ReadRequest()).signal
    np.testing.assert_array_equal(np.isnan(found), np.isnan(signal))
    there = ~np.isnan(signal[0])
    assert worst_error(signal[:, there], found[:, there], STEPS[fmt]) <= 1.0


def test_a_sample_equal_to_the_missing_ones_integer_is_not_lost(data: Path, tmp_path: Path) -> None:
    source = formats.get("wfdb")().read(data / "mitdb/119", ReadRequest(stop_s=2.0))
    assert source.signal is not None
    signal = source.signal.copy()
    # -2048 with the source's gain of 200 and baseline of 1024 is format 212's missing sample.
    signal[0, 3] = (-2048 - 1024) / 200
    files = formats.get("wfdb")().write(replace(source, signal=signal), tmp_path / "r1")
    np.testing.assert_array_equal(formats.get("wfdb")().read(files[-1], ReadRequest()).signal, signal)


def test_a_range_that_edf_has_too_few_letters_for_is_refused(tmp_path: Path) -> None:
    record = Record(np.linspace(0, 1e-7, 500, dtype=np.float32)[None], 250.0, ("Resp",), ("Ohm",))
    with pytest.raises(InputError, match=r"from 0 to 1e-07 Ohm cannot be written as EDF\+.*Convert them to another"):
        formats.get("edf")().write(record, tmp_path / "r1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("gain", "baseline"), [(200.0, 1024), (-1000.0, 0), (333.3, -7), (1e7, 2**30)])
def test_integers_are_found_only_while_they_are_there(gain: float, baseline: int) -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(-2000, 2000, 400) + baseline
    row = ((whole - baseline) / gain).astype(np.float32)
    found = source_integers(row, gain, baseline)
    assert found is not None
    np.testing.assert_array_equal(found, whole)
    for changed in (row * np.float32(0.37), row + np.float32(0.3 / gain), np.append(row, np.float32(0.5 / gain))):
        assert source_integers(changed, gain, baseline) is None
