"""A batch of WFDB records read in few calls is the same as its records read one by one."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

import cardioflow as ds
from cardioflow.errors import BadRecordsError, FormatError
from cardioflow.io._codecs import read_files
from cardioflow.io._wfdb import together
from cardioflow.io.base import Columns, ReadRequest
from cardioflow.io.wfdb import Wfdb

pytestmark = pytest.mark.skipif(not read_files.AVAILABLE, reason="records are read one by one on this system")


def columns_of(paths: list[Path], **request: object) -> Columns | None:
    return Wfdb().read_columns(paths, ReadRequest(**request))


def assert_same_as_one_by_one(paths: list[Path], **request: object) -> None:
    found = columns_of(paths, **request)
    assert found is not None
    for i, path in enumerate(paths):
        record = Wfdb().read(path, ReadRequest(**request))
        assert found.signal[i].tobytes() == record.signal.tobytes(), path
        assert found.signal[i].shape == record.signal.shape
        own = {"fs": record.fs, "leads": record.leads, "units": record.units, **record.meta}
        row = dict(found.meta[i])
        # A key that only other records of the batch have is None.
        assert {key: row.pop(key) for key in own} == own, path
        assert set(row.values()) <= {None}


def write(folder: Path, name: str, line: str, signals: list[str], content: bytes) -> Path:
    text = "\n".join([f"{name} {len(signals)} {line}", *(f"{name}.dat {signal}" for signal in signals), ""])
    (folder / f"{name}.hea").write_text(text)
    (folder / f"{name}.dat").write_bytes(content)
    return folder / f"{name}.hea"


def words(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


@pytest.mark.parametrize(("folder", "pattern"), [("cinc2017", "A*.hea"), ("ludb", "*.hea"), ("qtdb", "sel*.hea")])
def test_real_records_are_the_same_read_together(data: Path, folder: str, pattern: str) -> None:
    paths = sorted((data / folder).glob(pattern))
    assert len(paths) > 2
    assert_same_as_one_by_one(paths)


def test_one_batch_may_hold_records_of_different_leads_formats_rates_and_lengths(data: Path) -> None:
    kinds = [sorted((data / folder).glob("*.hea"))[:3] for folder in ("cinc2017", "ludb", "qtdb")]
    assert_same_as_one_by_one([path for three in zip(*kinds, strict=True) for path in three])


def test_a_batch_of_a_data_set_is_the_same_read_together(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = ds.EcgDataset(data / "ludb" / "*.hea")
    batch = dataset.batch(range(5)).load(fmt="wfdb")
    monkeypatch.setattr(together, "AVAILABLE", False)
    alone = dataset.batch(range(5)).load(fmt="wfdb")
    assert batch.signal == alone.signal
    assert batch.meta == alone.meta
    assert {name: batch.meta[name].dtype for name in batch.meta.columns} == {
        name: alone.meta[name].dtype for name in alone.meta.columns
    }
    assert batch.meta.columns == alone.meta.columns


def test_leads_are_chosen_in_the_order_that_was_asked_for(data: Path) -> None:
    paths = sorted((data / "ludb").glob("*.hea"))[:4]
    assert_same_as_one_by_one(paths, channels=("V6", "II"))
    assert columns_of(paths, channels=["V6", 1]).meta[0]["leads"] == ("V6", "II")


def test_samples_gains_baselines_and_missing_samples_are_those_of_the_header(tmp_path: Path) -> None:
    content = words(-200, 7, 300, -32768)
    found = columns_of([write(tmp_path, "r", "250 2", ["16 100(100)/mV", "16 2/mV"], content)])
    np.testing.assert_array_equal(found.signal[0], np.array([[-3.0, 2.0], [3.5, np.nan]], np.float32))


def test_samples_of_12_bits_are_unpacked_with_an_odd_number_of_them(tmp_path: Path) -> None:
    # 5, -3 and -2048, which is a missing sample; the third in two bytes.
    content = bytes([0x05, 0xF0, 0xFD, 0x00, 0x08])
    path = write(tmp_path, "r", "250 3", ["212 1/mV"], content)
    np.testing.assert_array_equal(columns_of([path]).signal[0], np.array([[5.0, -3.0, np.nan]], np.float32))
    assert_same_as_one_by_one([path])


def test_a_baseline_that_float32_does_not_hold_is_subtracted_in_float64(tmp_path: Path) -> None:
    path = write(tmp_path, "r", "250 2", ["16 3(1073741824)/mV"], words(1, 2))
    assert_same_as_one_by_one([path])


def test_checksums_are_compared_for_each_record_and_lead(tmp_path: Path) -> None:
    good = write(tmp_path, "good", "250 2", ["16 1/mV 16 0 0 4 0 I", "16 1/mV 16 0 0 -6 0 V1"], words(1, -2, 3, -4))
    bad = write(tmp_path, "bad", "250 2", ["16 1/mV 16 0 0 5 0 I", "16 1/mV 16 0 0 65530 0 V1"], words(1, -2, 3, -4))
    none = write(tmp_path, "none", "250 2", ["16 1/mV 16 0 0 0 0 I"], words(1, 3))
    assert columns_of([good, bad, none]).meta["checksum_ok"].tolist() == [True, False, None]


def test_amplitudes_dates_and_comments_are_told_of_the_right_record(tmp_path: Path) -> None:
    plain = write(tmp_path, "plain", "250 4", ["16 1000/mV"], words(0, 500, -500, 100))
    large = write(tmp_path, "large", "250 4 10:00:00 31/31/2020", ["16 1/mV"], words(0, 500, -500, 100))
    with large.open("a") as file:
        file.write("#Age: 61 Sex: F\n")
    meta = columns_of([plain, large]).meta
    assert meta[0]["warnings"] == ()
    assert "RMS above 20 mV" in meta[1]["warnings"][0]
    assert "'31/31/2020'" in meta[1]["warnings"][1]
    assert meta["age"].tolist() == [None, 61]
    assert_same_as_one_by_one([plain, large])


@pytest.mark.parametrize(
    ("line", "signals", "content"),
    [
        ("250 4", ["16"], words(1, 2, 3)),  # truncated
        ("250", ["16"], words(1, 2, 3)),  # a length that the file's size tells
        ("250 3", ["61"], words(1, 2, 3)),  # another format
        ("250 3", ["16:1"], words(1, 2, 3)),  # a delay
        ("250 3", ["16x2"], words(1, 2, 3, 4, 5, 6)),  # two samples in a frame
        ("250 524289", ["16"], words(*range(1000)) * 525),  # a large file
    ],
)
def test_what_is_not_common_is_left_to_the_reader_of_one_record(
    tmp_path: Path, line: str, signals: list[str], content: bytes
) -> None:
    common = write(tmp_path, "common", "250 2", ["16"], words(1, 2))
    other = write(tmp_path, "other", line, signals, content)
    assert columns_of([common, other]) is None
    first, second = Wfdb().read_many([common, other], ReadRequest())
    np.testing.assert_array_equal(first.signal, np.array([[0.005, 0.01]], np.float32))
    if len(content) == 6 and line == "250 4":
        assert "is truncated" in str(second)
    else:
        assert second.signal.shape == Wfdb().read(other, ReadRequest()).signal.shape


def test_a_signal_file_is_not_read_through_a_link_or_from_outside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    secret = tmp_path / "secret.dat"
    secret.write_bytes(words(1, 2))
    linked = write(tmp_path / "in", "linked", "250 2", ["16"], b"")
    linked.with_suffix(".dat").unlink()
    linked.with_suffix(".dat").symlink_to(secret)
    outside = tmp_path / "in" / "outside.hea"
    outside.write_text("outside 1 250 2\n../secret.dat 16\n")
    for path in (linked, outside):
        assert columns_of([path]) is None
        assert isinstance(Wfdb().read_many([path], ReadRequest())[0], FormatError)


def test_a_record_that_cannot_be_read_is_named_beside_others_that_can(tmp_path: Path) -> None:
    for i in range(5):
        write(tmp_path, f"r{i}", "250 2", ["16"], words(1, 2))
    (tmp_path / "r3.dat").unlink()
    batch = ds.EcgDataset(tmp_path / "*.hea").batch(range(5))
    with pytest.raises((FormatError, BadRecordsError), match=r"r3\.dat") as caught:
        batch.load(fmt="wfdb")
    assert caught.value.record == "r3"


def test_a_header_is_found_by_the_name_of_the_record_or_of_another_of_its_files(tmp_path: Path) -> None:
    write(tmp_path, "r", "250 2", ["16"], words(1, 2))
    for name in ("r", "r.dat", "r.hea", "r.atr"):
        found = columns_of([tmp_path / name])
        assert found is not None, name
        assert found.meta[0]["record_name"] == "r"


def test_a_path_that_no_system_has_is_left_to_the_reader_of_one_record(tmp_path: Path) -> None:
    write(tmp_path, "r", "250 2", ["16"], words(1, 2))
    (found,) = Wfdb().read_many([Path(f"{tmp_path}/r\0.hea")], ReadRequest())
    assert isinstance(found, FormatError)


def test_no_file_stays_open(tmp_path: Path) -> None:
    opened = Path("/proc/self/fd")
    if not opened.is_dir():
        pytest.skip("the open files of a process are not listed here")
    good = write(tmp_path, "good", "250 2", ["16"], words(1, 2))
    short = write(tmp_path, "short", "250 20", ["16"], words(1, 2))
    before = len(list(opened.iterdir()))
    for _ in range(20):
        columns_of([good])
        columns_of([good, short])
    assert len(list(opened.iterdir())) == before


def test_headers_are_recognised_and_read_together_without_a_format(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = ds.EcgDataset(data / "cinc2017" / "A*.hea")
    named = dataset.batch(range(5)).load(fmt="wfdb")
    one_by_one = []
    monkeypatch.setattr(Wfdb, "read_many", lambda self, paths, request: one_by_one.append(paths))
    found = dataset.batch(range(5)).load()
    assert found.signal == named.signal
    assert found.meta == named.meta
    assert one_by_one == []


def test_a_header_that_is_none_is_told_without_a_format_too(tmp_path: Path) -> None:
    write(tmp_path, "good", "250 2", ["16"], words(1, 2))
    (tmp_path / "bad.hea").write_text("time,ecg\n0.0,1.5\n0.004,1.25\n0.008,1.0\n")
    assert not Wfdb.recognises_all([tmp_path / "good.hea", tmp_path / "bad.hea"])
    # A table under the wrong suffix is still what its content says.
    batch = ds.EcgDataset([tmp_path / "good.hea", tmp_path / "bad.hea"]).batch(range(2)).load()
    assert [signal.shape[-1] for signal in batch.signal] == [2, 3]


def test_damaged_headers_are_read_together_as_alone_or_left_to_the_reader_of_one(data: Path, tmp_path: Path) -> None:
    chance = random.Random(0)
    source = sorted((data / "cinc2017").glob("A*.hea"))[0]
    content, header = source.with_suffix(".mat").read_bytes(), tmp_path / source.name
    header.with_suffix(".mat").write_bytes(content)
    n_together = 0
    for _ in range(200):
        raw = bytearray(source.read_bytes())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 2)] = bytes(chance.choice(b"0123456789-+./() \n#x:") for _ in range(2))
        header.write_bytes(raw)
        if columns_of([header]) is None:
            continue
        n_together += 1
        assert_same_as_one_by_one([header])
    assert n_together > 25
