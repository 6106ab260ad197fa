"""With ``damaged="read"`` what is whole of a damaged file is read and the rest is listed; else it is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgDataset
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.cli.app import app
from cardioflow.errors import FormatError, InputError


def _load(path: Path, **options: object) -> EcgBatch:
    return EcgDataset(str(path)).next_batch(1).load(damaged="read", **options)


def _refused(path: Path, text: str, **options: object) -> None:
    with pytest.raises(FormatError, match=text):
        EcgDataset(str(path)).next_batch(1).load(**options)


def _edf(path: Path, *, duration: str = "1", n_records: int = 4, flat: bool = False, texts: bool = True) -> Path:
    """Write EDF+ of two signals of 100 samples a record, with the time of each record in a third."""
    n = 3 if texts else 2
    columns = [
        ["I", "II", "EDF Annotations"],
        [""] * 3,
        ["mV", "mV", ""],
        ["0" if flat else "-1", "-1", "-1"],
        ["0" if flat else "1", "1", "1"],
        ["-32768"] * 3,
        ["32767"] * 3,
        [""] * 3,
        ["100", "100", "16"],
        [""] * 3,
    ]
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    head = "0".ljust(8) + "X X X X".ljust(80) + "Startdate X X X X".ljust(80) + "01.01.0001.01.01"
    head += str(256 * (n + 1)).ljust(8) + "EDF+C".ljust(44) + str(n_records).ljust(8) + duration.ljust(8)
    head += str(n).ljust(4)
    head += "".join(cell.ljust(width) for width, column in zip(widths, columns, strict=True) for cell in column[:n])
    body = b""
    for record in range(n_records):
        body += np.arange(record * 100, record * 100 + 100, dtype="<i2").tobytes() * 2
        if texts:
            told = f"+{record * 0.5}\x14\x14\0+{record * 0.5}\x14beat\x14\0".encode()
            body += told.ljust(32, b"\0")
    path.write_bytes(head.encode() + body)
    return path


def test_a_truncated_edf_is_read_up_to_its_last_whole_data_record(data: Path, tmp_path: Path) -> None:
    source = data / "formats" / "edf" / "cardio_sample.edf"
    whole = EcgDataset(str(source)).next_batch(1).load()
    raw = source.read_bytes()
    path = tmp_path / "cut.edf"
    path.write_bytes(raw[: len(raw) * 2 // 3 + 1])
    _refused(path, "is truncated")
    found = _load(path)
    n = found.signal[0].shape[1]
    assert 0 < n < whole.signal[0].shape[1]
    assert np.array_equal(found.signal[0], whole.signal[0][:, :n])
    (text,) = found.meta[0]["damage"]
    assert text.startswith("data records")
    assert "are missing" in text
    path.write_bytes(raw[:600])
    with pytest.raises(FormatError, match="nothing of it is whole"):
        _load(path)


def test_an_edf_signal_without_a_range_is_left_out(tmp_path: Path) -> None:
    path = _edf(tmp_path / "a.edf", flat=True)
    _refused(path, "gives 'I' the physical range 0 to 0")
    found = _load(path)
    assert found.meta[0]["leads"] == ("II",)
    assert found.meta[0]["damage"] == (
        "the signal 'I' was left out: its range is 0 to 0 for the digital -32768 to 32767",
    )
    assert found.signal[0].shape == (1, 400)
    with pytest.raises(FormatError, match="'I'"):
        _load(path, channels="I")
    with pytest.raises(FormatError, match="Name the leads"):
        _load(path, channels=[0])


def test_data_records_of_0_s_last_as_long_as_their_times_show(tmp_path: Path) -> None:
    path = _edf(tmp_path / "a.edf", duration="0")
    _refused(path, "lasts 0 s, so their rate is unknown. Pass damaged='read'")
    found = _load(path, components=["signal", "meta", "annotation"])
    assert (found.meta[0]["fs"], found.signal[0].shape) == (200.0, (2, 400))
    assert found.meta[0]["fs_source"] == "times of the data records"
    assert found.meta[0]["damage"] == ("its data records are said to last 0 s; their times say 0.5 s",)
    assert found.annotation[0].sample.tolist() == [0, 100, 200, 300]


def test_data_records_of_0_s_without_times_keep_their_annotations(tmp_path: Path) -> None:
    path = _edf(tmp_path / "a.edf", duration="0", n_records=1)
    with pytest.raises(FormatError, match="no signal that can be read; read it with components='annotation'"):
        _load(path)
    found = _load(path, components=["meta", "annotation"])
    assert len(found.annotation[0]) == 1
    assert "the signals were left out" in found.meta[0]["damage"][0]


def _copied(data: Path, folder: Path) -> Path:
    for ending in ("hea", "dat", "atr"):
        shutil.copy(data / "mitdb" / f"208.{ending}", folder)
    return folder / "208.hea"


def test_a_truncated_wfdb_record_is_read_up_to_its_last_whole_frame(data: Path, tmp_path: Path) -> None:
    path = _copied(data, tmp_path)
    parts = ["signal", "meta", "annotation"]
    whole = EcgDataset(str(path)).next_batch(1).load(components=parts)
    raw = (tmp_path / "208.dat").read_bytes()
    (tmp_path / "208.dat").write_bytes(raw[: 3 * 100_000 + 1])
    _refused(path, "is truncated")
    found = _load(path, components=parts)
    assert found.signal[0].shape == (2, 100_000)
    assert np.array_equal(found.signal[0], whole.signal[0][:, :100_000])
    inside = whole.annotation[0].window(0, 100_000)
    assert found.annotation[0] == inside
    assert found.meta[0]["damage"] == (
        "samples 100000 to 649999 of 650000 are missing",
        f"{len(whole.annotation[0]) - len(inside)} marks lie behind the last sample",
    )
    assert found.meta[0]["checksum_ok"] is None
    part = _load(path, start_s=10.0, stop_s=20.0, channels="V1")
    assert np.array_equal(part.signal[0][0], whole.signal[0][1, 3600:7200])


def test_a_missing_signal_file_takes_only_its_own_signals(tmp_path: Path) -> None:
    (tmp_path / "a.hea").write_text("a 2 250 100\na.d0 16 200 16 0 0 0 0 II\na.d1 16 200 16 0 0 0 0 V1\n")
    (tmp_path / "a.d0").write_bytes(np.arange(100, dtype="<i2").tobytes())
    _refused(tmp_path / "a.hea", "cannot be opened")
    found = _load(tmp_path / "a.hea")
    assert found.meta[0]["leads"] == ("II",)
    assert found.signal[0][0].tolist() == (np.arange(100, dtype=np.float32) / 200).tolist()
    assert "a.d1 cannot be read, and its signals were left out" in found.meta[0]["damage"][0]
    (tmp_path / "a.d0").unlink()
    with pytest.raises(FormatError, match="nothing of the record is whole"):
        _load(tmp_path / "a.hea")


def test_a_truncated_annotation_file_is_read_up_to_its_end(data: Path, tmp_path: Path) -> None:
    path = _copied(data, tmp_path)
    whole = EcgDataset(str(path)).next_batch(1).load(components="annotation").annotation[0]
    raw = (tmp_path / "208.atr").read_bytes()
    note = next(at for at in range(2, len(raw), 2) if raw[at + 1] >> 2 == 63 and raw[at] > 2)
    (tmp_path / "208.atr").write_bytes(raw[: note + 3])
    _refused(path, "breaks off inside a mark", components="annotation")
    found = _load(path, components=["annotation", "meta"])
    n = len(found.annotation[0])
    assert 0 < n < len(whole)
    assert found.annotation[0].sample.tolist() == whole.sample[:n].tolist()
    assert found.meta[0]["damage"] == (f"the annotations atr break off at byte {note} of {note + 3}",)


@pytest.mark.parametrize("cut", [128, 132])
def test_a_dicom_file_without_its_preamble_is_read(data: Path, tmp_path: Path, cut: int) -> None:
    source = data / "formats" / "dicom" / "pydicom_waveform_ecg.dcm"
    path = tmp_path / "a.dcm"
    path.write_bytes(source.read_bytes()[cut:])
    _refused(path, "Its preamble seems to be missing: pass damaged='read'")
    found = _load(path)
    assert found.signal == EcgDataset(str(source)).next_batch(1).load().signal
    assert found.meta[0]["damage"] == ("the preamble, or the file meta information, is missing",)


def test_a_bare_dicom_data_set_is_read_too(data: Path, tmp_path: Path) -> None:
    import pydicom

    source = data / "formats" / "dicom" / "pydicom_waveform_ecg.dcm"
    whole = pydicom.dcmread(source)
    path = tmp_path / "a.dcm"
    for implicit in (True, False):
        bare = pydicom.Dataset(whole)
        pydicom.dcmwrite(path, bare, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        assert path.read_bytes()[:2] == b"\x08\0"
        assert _load(path).signal == EcgDataset(str(source)).next_batch(1).load().signal


def test_an_intact_file_has_no_damage_and_is_read_the_same(data: Path) -> None:
    for name in ("formats/scp/Example.scp", "mitdb/119.hea", "formats/edf/contec_0000050.edf", "ludb/7.hea"):
        found = _load(data / name)
        assert found.meta[0]["damage"] == ()
        assert found.signal == EcgDataset(str(data / name)).next_batch(1).load().signal
    assert "damage" not in EcgDataset(str(data / "mitdb/119.hea")).next_batch(1).load().meta[0]


def test_other_values_are_refused() -> None:
    with pytest.raises(InputError, match="damaged='repair' is not one of 'refuse', 'read'"):
        EcgDataset.simulated(1).next_batch(1).load(damaged="repair")


def test_the_commands_accept_the_option_and_report_what_was_left_out(data: Path, tmp_path: Path) -> None:
    path = _copied(data, tmp_path)
    (tmp_path / "208.dat").write_bytes((tmp_path / "208.dat").read_bytes()[:300_000])

    def call(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, [str(part) for part in arguments], catch_exceptions=False)
        return done.exit_code, done.output

    assert call("check", tmp_path)[0] == 1
    code, said = call("check", tmp_path, "-o", "damaged=read")
    assert (code, "warning: damaged: samples 100000 to 649999 of 650000 are missing" in said) == (0, True)
    code, said = call("info", path, "-o", "damaged=read")
    assert (code, "damage      samples 100000 to 649999" in said) == (0, True)
    assert json.loads(call("info", path, "-o", "damaged=read", "--json")[1])[0]["n_samples"] == 100_000
    assert call("convert", path, tmp_path / "out.npz", "-o", "damaged=read")[0] == 0
    meta = EcgDataset(str(tmp_path / "out.npz")).next_batch(1).load().meta[0]
    assert meta["damage"][0] == "samples 100000 to 649999 of 650000 are missing"
