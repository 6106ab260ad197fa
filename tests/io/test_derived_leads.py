"""Which leads are computed does not depend on the format, and what was computed is not written as recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError, InputError
from cardioflow.io.base import Format, ReadRequest, Record
from cardioflow.io.contec import Contec
from cardioflow.io.muse_xml import MuseXml
from cardioflow.registry import formats

WRITABLE = [name for name in formats.names() if formats.get(name).write is not Format.write]
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
MADE = ("III", "aVR", "aVL", "aVF")
ALL = frozenset({"signal", "meta", "annotation"})


def _record(leads: tuple[str, ...], units: str = "mV") -> Record:
    rng = np.random.default_rng(len(leads))
    # Whole numbers of 1/200 mV, so that 16 bits hold them as they are.
    signal = np.cumsum(rng.integers(-3, 4, (len(leads), 1000)), axis=1) / np.float32(200)
    return Record(signal.astype(np.float32), 250.0, leads, (units,) * len(leads), {"timestamp": None})


def _again(fmt: str, record: Record, folder: Path, **request: object) -> Record:
    path = formats.get(fmt)().write(record, folder / "r1")[-1]
    # WFDB refuses to give marks of a record that has none.
    components = ALL if record.annotation is not None else ALL - {"annotation"}
    found: Record = formats.get(fmt)().read(path, ReadRequest(components=components, **request))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("fmt", WRITABLE)
@pytest.mark.parametrize("leads", [("I", "II"), ("II", "I"), ("I", "II", "V1"), ("I",), EIGHT[:-1], LIMB])
def test_the_number_of_leads_is_the_same_in_every_format(fmt: str, leads: tuple[str, ...], tmp_path: Path) -> None:
    found = _again(fmt, _record(leads), tmp_path)
    assert (found.leads, found.meta["derived_leads"]) == (leads, ())


@pytest.mark.parametrize("fmt", WRITABLE)
def test_limb_leads_are_computed_on_request_and_not_written(fmt: str, tmp_path: Path) -> None:
    source = _record(("I", "II"))
    six = _again(fmt, source, tmp_path, derive="limb")
    assert (six.leads, six.meta["derived_leads"]) == (LIMB, MADE)
    assert six.signal is not None
    assert source.signal is not None
    first, second = source.signal.astype(np.float64)
    expected = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    np.testing.assert_allclose(six.signal, expected, atol=2e-3)
    for other in WRITABLE:
        back = _again(other, six, tmp_path / other)
        assert (back.leads, back.meta["derived_leads"]) == (("I", "II"), ())
        np.testing.assert_allclose(back.signal, source.signal, atol=2e-3)  # type: ignore[arg-type]


@pytest.mark.parametrize("fmt", WRITABLE)
def test_8_stored_leads_are_completed_to_12_and_stay_8_in_the_file(fmt: str, tmp_path: Path) -> None:
    source = _record(EIGHT)
    whole = _again(fmt, source, tmp_path)
    assert (whole.leads, whole.meta["derived_leads"]) == ((*LIMB, *EIGHT[2:]), MADE)
    again = _again(fmt, whole, tmp_path / "again")
    assert (again.leads, again.meta["derived_leads"]) == (whole.leads, MADE)
    np.testing.assert_array_equal(again.signal, whole.signal)  # type: ignore[arg-type]
    stored = _again(fmt, whole, tmp_path / "again", derive="never")
    assert (stored.leads, stored.meta["derived_leads"]) == (EIGHT, ())
    assert stored.units == ("mV",) * 8
    np.testing.assert_allclose(stored.signal, source.signal, atol=1e-3)  # type: ignore[arg-type]


@pytest.mark.parametrize("fmt", WRITABLE)
def test_computed_leads_are_selected_by_name_like_others(fmt: str, tmp_path: Path) -> None:
    whole = _again(fmt, _record(EIGHT), tmp_path)
    some = _again(fmt, _record(EIGHT), tmp_path, channels=("V3", "aVF", "II"), start_s=1.0, stop_s=2.0)
    assert (some.leads, len(some.meta["signame"])) == (("V3", "aVF", "II"), 3)
    rows = [whole.leads.index(lead) for lead in some.leads]
    np.testing.assert_array_equal(some.signal, whole.signal[rows, 250:500])  # type: ignore[index, arg-type]
    with pytest.raises(FormatError, match="III"):
        _again(fmt, _record(("I", "II")), tmp_path / "two", channels=("III",))
    assert _again(fmt, _record(("I", "II")), tmp_path / "two", channels=("III",), derive="limb").leads == ("III",)


@pytest.mark.parametrize("fmt", WRITABLE)
@pytest.mark.parametrize(
    "leads", [("MLI", "MLII", *EIGHT[2:]), ("I", "II", "I", *EIGHT[3:]), ("X", "Y", "Z"), ("D1", "D2")]
)
def test_other_leads_are_not_taken_for_those_of_a_12_lead_ecg(fmt: str, leads: tuple[str, ...], tmp_path: Path) -> None:
    if len(set(leads)) < len(leads) and fmt in {"arrow", "csv", "parquet"}:
        pytest.skip("columns have a name each")
    assert _again(fmt, _record(leads), tmp_path, derive="limb").leads == leads


def test_leads_that_are_not_voltages_are_not_added(tmp_path: Path) -> None:
    assert _again("npz", _record(EIGHT, "mmHg"), tmp_path, derive="limb").leads == EIGHT


@pytest.mark.parametrize("fmt", WRITABLE)
def test_a_computed_lead_that_was_changed_since_is_written(fmt: str, tmp_path: Path) -> None:
    whole = _again("npz", _record(EIGHT), tmp_path)
    signal = np.array(whole.signal)
    signal[2] *= 2
    again = _again(fmt, replace(whole, signal=signal), tmp_path / "again")
    assert (again.leads, again.meta["derived_leads"]) == (whole.leads, ())
    np.testing.assert_allclose(again.signal[2], signal[2], atol=2e-3)  # type: ignore[index]


@pytest.mark.parametrize("fmt", WRITABLE)
def test_leads_in_an_order_that_reading_would_not_give_are_all_written(fmt: str, tmp_path: Path) -> None:
    whole = _again("npz", _record(EIGHT), tmp_path)
    order = whole.leads[::-1]
    signal = np.ascontiguousarray(whole.signal[::-1])  # type: ignore[index]
    turned = replace(whole, leads=order, signal=signal, meta={"derived_leads": MADE})
    assert _again(fmt, turned, tmp_path / "again").leads == order


def test_marks_keep_their_leads_where_computed_ones_are_left_out(tmp_path: Path) -> None:
    whole = _again("npz", _record(EIGHT), tmp_path)
    marks = Annotation(np.array([5, 50]), np.array(["(", ")"]), channel=np.array([7, 8]))
    for fmt in WRITABLE:
        stored = _again(fmt, replace(whole, annotation=marks), tmp_path / fmt, derive="never").annotation
        assert stored is not None
        assert stored.channel.tolist() == [3, 4]
        back = _again(fmt, replace(whole, annotation=marks), tmp_path / fmt).annotation
        assert back is not None
        assert back.channel.tolist() == [7, 8]


@pytest.mark.parametrize("fmt", ["dicom", "edf", "npz", "wfdb"])
def test_integers_of_a_wfdb_record_survive_completion(fmt: str, tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_text("r 8 250 16\n" + "".join(f"r.dat 16 200 16 0 0 0 0 {lead}\n" for lead in EIGHT))
    stored = np.arange(128, dtype="<i2").reshape(16, 8)
    (tmp_path / "r.dat").write_bytes(stored.tobytes())
    whole = formats.get("wfdb")().read(tmp_path / "r.hea", ReadRequest())
    assert whole.meta["adc_gain"] == (200, 200, 200, 400, 400, 400, *(200,) * 6)
    assert whole.signal[2].tolist() == pytest.approx([0.005] * 16)
    stored_again = _again(fmt, whole, tmp_path / "again", derive="never")
    np.testing.assert_array_equal(np.rint(stored_again.signal * 200), stored.T)  # type: ignore[operator]
    if fmt != "npz":
        np.testing.assert_allclose(stored_again.signal * 200, stored.T, atol=1e-5)  # type: ignore[operator]


def test_readers_that_compute_leads_themselves_respect_derive(data: Path) -> None:
    file = data / "formats/contec/0000037.ECG"
    assert Contec().read(file, ReadRequest(derive="never")).leads == ("II", "III", *EIGHT[2:])
    assert Contec().read(file, ReadRequest()).meta["derived_leads"] == ("I", "aVR", "aVL", "aVF")
    muse = data / "formats/muse_xml/introecg_example.xml"
    assert MuseXml().read(muse, ReadRequest(derive="never")).leads == EIGHT
    assert MuseXml().read(muse, ReadRequest()).meta["derived_leads"] == MADE


def test_load_passes_it_on_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    path = formats.get("edf")().write(_record(("I", "II")), tmp_path / "r1")[-1]
    batch = EcgDataset(path).batch([0])
    assert batch.load(fmt="edf", derive="limb").meta[0]["leads"] == LIMB
    assert batch.load(fmt="edf").meta[0]["leads"] == ("I", "II")
    with pytest.raises(InputError, match=r"derive='all' is not one of 'never', 'standard', 'limb'"):
        batch.load(fmt="edf", derive="all")


def test_arrays_keep_their_leads(tmp_path: Path) -> None:
    del tmp_path
    signal = _record(EIGHT).signal
    assert signal is not None
    dataset = EcgDataset.from_arrays(signal[None], fs=250, leads=list(EIGHT))
    assert dataset.batch([0]).load().meta[0]["leads"] == EIGHT
    assert dataset.batch([0]).load(derive="limb").meta[0]["leads"] == (*LIMB, *EIGHT[2:])
