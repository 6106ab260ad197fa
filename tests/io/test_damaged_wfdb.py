"""What is whole of damaged WFDB records: compressed by FLAC, of several segments, and annotations that were cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioflow import EcgDataset
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import FormatError
from cardioflow.io._wfdb.flac import flac_bytes

N = 10_000


def _load(path: Path, **options: object) -> EcgBatch:
    return EcgDataset(str(path)).next_batch(1).load(**{"damaged": "read", **options})


def _refused(path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=text):
        _load(path, damaged="refuse")


def _flac(folder: Path, fmt: str, n_signals: int = 2) -> NDArray[np.float32]:
    """Write a record of noise, which takes three FLAC blocks of 4096 samples, and return its signal."""
    digital = np.random.default_rng(7).integers(-100, 100, (N, n_signals))
    names = ("I", "II", "V1")[:n_signals]
    lines = [f"f.dat {fmt} 200(0)/mV 16 0 0 0 0 {name}\n" for name in names]
    (folder / "f.hea").write_text(f"f {n_signals} 250 {N}\n" + "".join(lines))
    (folder / "f.dat").write_bytes(flac_bytes(digital, int(fmt)))
    return (digital.T / 200).astype(np.float32)


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_a_truncated_flac_file_is_read_up_to_its_last_whole_block(tmp_path: Path, fmt: str) -> None:
    signal = _flac(tmp_path, fmt)
    raw = (tmp_path / "f.dat").read_bytes()
    (tmp_path / "f.dat").write_bytes(raw[: len(raw) * 2 // 3])
    _refused(tmp_path / "f.hea", "f.dat")
    found = _load(tmp_path / "f.hea")
    n = found.signal[0].shape[1]
    # With the last sample of a block libsndfile asks for the next one, and fails.
    assert n in (4095, 4096)
    assert found.meta[0]["damage"] == (f"samples {n} to {N - 1} of {N} are missing",)
    np.testing.assert_array_equal(found.signal[0], signal[:, :n])
    np.testing.assert_array_equal(_load(tmp_path / "f.hea", start_s=4.0, stop_s=8.0).signal[0], signal[:, 1000:2000])
    (tmp_path / "f.dat").write_bytes(raw[: len(raw) // 10])
    with pytest.raises(FormatError, match=r"nothing of the record is whole: f\.dat holds no whole frame"):
        _load(tmp_path / "f.hea")
    (tmp_path / "f.dat").write_bytes(b"RIFF" + raw[4:])
    with pytest.raises(FormatError, match="a FLAC stream begins with"):
        _load(tmp_path / "f.hea")


def test_a_flac_file_with_a_flipped_bit_is_read_up_to_the_block_before(tmp_path: Path) -> None:
    signal = _flac(tmp_path, "516")
    raw = bytearray((tmp_path / "f.dat").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "f.dat").write_bytes(raw)
    _refused(tmp_path / "f.hea", "cannot be decoded as FLAC")
    np.testing.assert_array_equal(_load(tmp_path / "f.hea").signal[0][:, :4095], signal[:, :4095])


def test_an_intact_flac_record_has_no_damage(tmp_path: Path) -> None:
    signal = _flac(tmp_path, "524", n_signals=3)
    found = _load(tmp_path / "f.hea")
    assert found.meta[0]["damage"] == ()
    np.testing.assert_array_equal(found.signal[0], signal)


def _segments(folder: Path, *, layout: bool) -> NDArray[np.float32]:
    """Write three segments of 100 samples of II and V1, the second with V1 in a file of its own, and a gap of 50."""
    for i in (1, 2, 3):
        second = f"s{i}.d2" if i == 2 else f"s{i}.dat"
        head = f"s{i} 2 250 100\ns{i}.dat 16 200 16 0 0 0 0 II\n{second} 16 100 16 0 0 0 0 V1\n"
        (folder / f"s{i}.hea").write_text(head)
        rows = np.stack([np.arange(100) + 1000 * i, np.arange(100) - 1000 * i]).astype("<i2")
        if i == 2:
            (folder / "s2.dat").write_bytes(rows[0].tobytes())
            (folder / "s2.d2").write_bytes(rows[1].tobytes())
        else:
            (folder / f"s{i}.dat").write_bytes(rows.T.tobytes())
    (folder / "m_layout.hea").write_text("m_layout 2 250 0\n~ 0 200 16 0 0 0 0 II\n~ 0 100 16 0 0 0 0 V1\n")
    first = "m/5 2 250 350\nm_layout 0\n" if layout else "m/4 2 250 350\n"
    (folder / "m.hea").write_text(f"{first}s1 100\n~ 50\ns2 100\ns3 100\n")
    return _whole(folder).copy()


def _whole(folder: Path) -> NDArray[np.float32]:
    found: NDArray[np.float32] = EcgDataset(str(folder / "m.hea")).next_batch(1).load().signal[0]
    return found


@pytest.fixture(params=[True, False], ids=["variable layout", "fixed layout"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> NDArray[np.float32]:
    return _segments(tmp_path, layout=request.param)


def test_an_intact_record_of_segments_has_no_damage(whole: NDArray[np.float32], tmp_path: Path) -> None:
    assert whole.shape == (2, 350)
    assert whole[:, 150].tolist() == [10.0, -20.0]
    found = _load(tmp_path / "m.hea")
    assert found.meta[0]["damage"] == ()
    np.testing.assert_array_equal(found.signal[0], whole)


def test_a_truncated_segment_is_nan_from_where_it_was_cut(whole: NDArray[np.float32], tmp_path: Path) -> None:
    raw = (tmp_path / "s3.dat").read_bytes()
    (tmp_path / "s3.dat").write_bytes(raw[: 40 * 4 + 3])
    _refused(tmp_path / "m.hea", r"s3\.dat is truncated")
    found = _load(tmp_path / "m.hea")
    whole[:, 290:] = np.nan
    np.testing.assert_array_equal(found.signal[0], whole)
    assert found.meta[0]["damage"] == ("of the segment 's3', samples 40 to 99 of 100 are missing",)
    part = _load(tmp_path / "m.hea", start_s=1.12, stop_s=1.3, channels="V1")
    np.testing.assert_array_equal(part.signal[0], whole[1:, 280:325])


def test_a_missing_signal_file_of_a_segment_takes_only_its_signals(whole: NDArray[np.float32], tmp_path: Path) -> None:
    (tmp_path / "s2.d2").unlink()
    _refused(tmp_path / "m.hea", "s2.d2")
    found = _load(tmp_path / "m.hea")
    whole[1, 150:250] = np.nan
    np.testing.assert_array_equal(found.signal[0], whole)
    (note,) = found.meta[0]["damage"]
    assert note.startswith("of the segment 's2', s2.d2 cannot be read, and its signals were left out")
    assert _load(tmp_path / "m.hea", channels="II").meta[0]["damage"] != ()


@pytest.mark.parametrize("name", ["s1", "s2", "s3"])
@pytest.mark.parametrize("how", ["no header", "damaged header", "no signals", "another rate"])
def test_a_segment_that_cannot_be_read_is_nan(whole: NDArray[np.float32], tmp_path: Path, name: str, how: str) -> None:
    if how == "no header":
        (tmp_path / f"{name}.hea").unlink()
    elif how == "no signals":
        for file in tmp_path.glob(f"{name}.d*"):
            file.unlink()
    else:
        text = (tmp_path / f"{name}.hea").read_text()
        changed = text.replace("250", "500") if how == "another rate" else text[:20]
        (tmp_path / f"{name}.hea").write_text(changed)
    _refused(tmp_path / "m.hea", name)
    found = _load(tmp_path / "m.hea")
    start = {"s1": 0, "s2": 150, "s3": 250}[name]
    whole[:, start : start + 100] = np.nan
    np.testing.assert_array_equal(found.signal[0], whole)
    (note,) = found.meta[0]["damage"]
    assert note.startswith(f"the segment '{name}' cannot be read and is missing: ")


def test_a_record_of_which_no_segment_can_be_read_is_refused(tmp_path: Path) -> None:
    _segments(tmp_path, layout=False)
    for i in (1, 2, 3):
        (tmp_path / f"s{i}.hea").unlink()
    with pytest.raises(FormatError, match=r"There is no header .*s3\.hea"):
        _load(tmp_path / "m.hea")


def _marked(folder: Path, ending: bytes) -> Path:
    """Write a record of 4 s with three beats."""
    (folder / "a.hea").write_text("a 1 250 1000\na.dat 16 200 16 0 0 0 0 II\n")
    (folder / "a.dat").write_bytes(bytes(2000))
    beat = (1 << 10 | 250).to_bytes(2, "little")
    (folder / "a.atr").write_bytes(beat * 3 + ending)
    return folder / "a.hea"


def test_annotations_that_were_cut_between_two_marks_are_flagged(tmp_path: Path) -> None:
    path = _marked(tmp_path, b"")
    said = "the annotations atr have no zero word at their end: they may have been cut short"
    parts = ["signal", "meta", "annotation"]
    found = _load(path, components=parts, damaged="refuse")
    assert found.annotation[0].sample.tolist() == [250, 500, 750]
    assert said in found.meta[0]["warnings"]
    assert _load(path, components=parts).meta[0]["damage"] == (said,)
    for ending in (b"\0\0", b"\0\0\0\0", b"\0\0rest"):
        whole = _load(_marked(tmp_path, ending), components=parts)
        assert whole.meta[0]["damage"] == ()
        assert not any("annotations" in text for text in whole.meta[0]["warnings"])


def test_marks_stay_with_their_leads_when_a_signal_is_left_out(tmp_path: Path) -> None:
    lines = [f"{name}.dat 16 200 16 0 0 0 0 {name}\n" for name in ("V1", "V2", "V3")]
    (tmp_path / "r.hea").write_text("r 3 100 50\n" + "".join(lines))
    for value, name in enumerate(("V2", "V3"), 1):
        (tmp_path / f"{name}.dat").write_bytes(np.full(50, 200 * value, "<i2").tobytes())
    # A P wave at sample 10 in each of V2 and V3.
    words = [24 << 10 | 10, 62 << 10 | 1, 24 << 10, 62 << 10 | 2, 0]
    (tmp_path / "r.atr").write_bytes(np.array(words, "<u2").tobytes())
    components = ["signal", "annotation", "meta"]
    found = _load(tmp_path / "r.hea", components=components)
    assert found.meta[0]["leads"] == ("V2", "V3")
    assert found.annotation[0].channel.tolist() == [1, 2]
    alone = _load(tmp_path / "r.hea", components=components, channels="V3")
    assert alone.annotation[0].channel.tolist() == [1]
    with pytest.raises(FormatError, match="Name the leads"):
        _load(tmp_path / "r.hea", channels=[1])


def test_a_computed_lead_of_a_damaged_record_is_as_long_as_all_that_are_stored(tmp_path: Path) -> None:
    names = ("I", "II", *(f"V{i}" for i in range(1, 7)))
    lines = [f"{'b' if name == 'V6' else 'a'}.dat 16 200 16 0 0 0 0 {name}\n" for name in names]
    (tmp_path / "r.hea").write_text("r 8 100 50\n" + "".join(lines))
    (tmp_path / "a.dat").write_bytes(np.arange(7 * 50, dtype="<i2").tobytes())
    (tmp_path / "b.dat").write_bytes(np.arange(40, dtype="<i2").tobytes())
    for lead in ("III", "I"):
        found = _load(tmp_path / "r.hea", channels=lead, derive="standard")
        assert (found.meta[0]["leads"], found.signal[0].shape) == ((lead,), (1, 40))
