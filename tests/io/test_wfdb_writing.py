"""WFDB records written again: format, gain and every sample stay, whatever the format."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.io._wfdb.digitise import RANGES
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.wfdb import Wfdb

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb

EVERYTHING = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
FORMATS = (8, *RANGES)


def source(*formats: int, n: int = 500) -> Record:
    """Return a record of integers that use the range of each format, up to the 24 bits that a float32 holds."""
    rng = np.random.default_rng(0)
    rows = []
    for fmt in formats:
        if fmt == 8:
            rows.append(np.cumsum(rng.integers(-128, 128, n)))
            continue
        low, high = (max(v, -(2**23)) if v < 0 else min(v, 2**23) for v in RANGES[fmt])
        rows.append(rng.integers(low, high + 1, n))
        rows[-1][:2] = low, high
    k = len(formats)
    meta = {"adc_gain": (200.0,) * k, "baseline": (0,) * k, "fmt": tuple(map(str, formats)), "adc_units": ("mV",) * k}
    leads = tuple(f"lead {i}" for i in range(k))
    return Record((np.array(rows) / 200.0).astype(np.float32), 250.0, leads, ("mV",) * k, meta)


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_is_written_and_kept(tmp_path, fmt):
    before = source(fmt, fmt)
    files = Wfdb().write(before, tmp_path / "r")
    found = Wfdb().read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, before.signal)
    assert found.meta["fmt"] == (str(fmt), str(fmt))
    assert found.meta["checksum_ok"] is True
    assert [file.suffix for file in files] == [".dat", ".hea"]


@pytest.mark.parametrize("fmt", FORMATS)
def test_wfdb_reads_every_format_that_we_write(tmp_path, fmt):
    before = source(fmt, fmt)
    Wfdb().write(before, tmp_path / "r")
    theirs = wfdb.rdrecord(str(tmp_path / "r"))
    np.testing.assert_array_equal(theirs.p_signal.T.astype(np.float32), before.signal)


def test_leads_of_several_formats_get_a_file_for_each(tmp_path):
    before = source(212, 212, 16, 8, 212)
    files = Wfdb().write(before, tmp_path / "r")
    assert [file.name for file in files] == ["r.d0", "r.d1", "r.d2", "r.d3", "r.hea"]
    found = Wfdb().read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, before.signal)
    assert found.meta["fmt"] == ("212", "212", "16", "8", "212")


def test_flac_with_more_than_eight_leads_uses_two_streams(tmp_path):
    before = source(*[516] * 12)
    files = Wfdb().write(before, tmp_path / "r")
    assert [file.name for file in files] == ["r.d0", "r.d1", "r.hea"]
    np.testing.assert_array_equal(Wfdb().read(files[-1], ReadRequest(strict=True)).signal, before.signal)


@pytest.mark.parametrize("change", ["a step too far", "a missing sample"])
def test_signals_that_differences_cannot_hold_are_written_with_16_bits(tmp_path, change):
    before = source(8)
    if change == "a step too far":
        before.signal[0, 10] = 5.0
    else:
        before.signal[0, 20] = np.nan
    files = Wfdb().write(before, tmp_path / "r")
    found = Wfdb().read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, before.signal)
    assert found.meta["fmt"] == ("16",)


@pytest.mark.parametrize("fmt", sorted(RANGES))
def test_a_missing_sample_stays_missing(tmp_path, fmt):
    before = source(fmt)
    before.signal[0, 7] = np.nan
    files = Wfdb().write(before, tmp_path / "r")
    found = Wfdb().read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, before.signal)
    assert found.meta["fmt"] == (str(fmt),)


def test_a_missing_gain_stays_missing_when_written(tmp_path):
    (tmp_path / "r.hea").write_text("r 2 250 2\nr.dat 16 0(5) 12 0 0 0 0 I\nr.dat 16 200/mV 12 0 0 0 0 II\n")
    (tmp_path / "r.dat").write_bytes(np.arange(4, dtype="<i2").tobytes())
    before = Wfdb().read(tmp_path / "r.hea", ReadRequest())
    assert (before.meta["uncalibrated"], before.meta["uncalibrated_leads"]) == (True, ("I",))
    (tmp_path / "again").mkdir()
    files = Wfdb().write(before, tmp_path / "again/r")
    found = Wfdb().read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, before.signal)
    for key in ("uncalibrated_leads", "adc_gain", "baseline"):
        assert found.meta[key] == before.meta[key]


def test_texts_of_marks_keep_every_letter(tmp_path):
    long = "Ä" * 200 + "end"
    marks = Annotation(
        sample=np.array([3, 90, 95]), symbol=np.array(["+", '"', "N"]), aux_note=("(AFIB", "Vorhof­flimmern ♥", long)
    )
    files = Wfdb().write(replace(source(16), annotation=marks), tmp_path / "r")
    found = Wfdb().read(files[-1], EVERYTHING).annotation
    assert found.aux_note[:2] == marks.aux_note[:2]
    assert "".join(found.aux_note[2:]) == long
    assert found.symbol.tolist() == ["+", '"', "N", '"']
    assert found.sample.tolist() == [3, 90, 95, 95]


@pytest.mark.parametrize(("name", "number"), [("num", 128), ("subtype", -129), ("channel", 256)])
def test_a_number_that_no_mark_can_hold_is_refused(tmp_path, name, number):
    marks = Annotation(sample=np.array([3]), symbol=np.array(["N"]), **{name: np.array([number])})
    with pytest.raises(InputError, match=f"A mark has {name} {number}; a WFDB annotation holds"):
        Wfdb().write(replace(source(16), annotation=marks), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_metadata_of_other_formats_are_written_to_the_comments(tmp_path):
    told = {"age": 61, "sex": "F", "device": "Acme  1", "comments": ("sinus rhythm",)}
    before = source(16)
    files = Wfdb().write(replace(before, meta={**before.meta, **told}), tmp_path / "r")
    found = Wfdb().read(files[-1], ReadRequest()).meta
    assert found["comments"] == ("sinus rhythm", "Age: 61  Sex: F", "Device: Acme 1")
    assert (found["age"], found["sex"], found["device"]) == (61, "F", "Acme 1")
    # Written again, nothing is told twice.
    files = Wfdb().write(replace(before, meta={**before.meta, **found}), tmp_path / "r2")
    assert Wfdb().read(files[-1], ReadRequest()).meta["comments"] == found["comments"]


def test_units_are_written_in_ascii(tmp_path):
    (tmp_path / "r.hea").write_text("r 1 250 2\nr.dat 16 2(0)/µV 16 0 200 300 0 MLII\n")
    (tmp_path / "r.dat").write_bytes(b"\xc8\x00\x64\x00")
    before = Wfdb().read(tmp_path / "r", ReadRequest())
    assert before.signal.tolist() == [[np.float32(0.1), np.float32(0.05)]]
    Wfdb().write(before, tmp_path / "s")
    assert "2(0)/uV" in (tmp_path / "s.hea").read_text()
    np.testing.assert_array_equal(Wfdb().read(tmp_path / "s", ReadRequest()).signal, before.signal)
