"""Every signal format, delays, several samples per frame and several segments, against wfdb."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import wfdb

from cardioflow.errors import FormatError
from cardioflow.io._codecs.unpack import BLOCKS, n_bytes
from cardioflow.io._wfdb.flac import flac_bytes
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.wfdb import Wfdb

BITS = {8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


def read(path: Path, **request: object) -> Record:
    return Wfdb().read(path, ReadRequest(**request))


def write(folder: Path, header: str, **files: bytes) -> Path:
    (folder / "r.hea").write_text(header)
    for suffix, content in files.items():
        (folder / f"r.{suffix}").write_bytes(content)
    return folder / "r"


def expected(path: Path) -> list[np.ndarray]:
    theirs = wfdb.rdrecord(str(path), smooth_frames=False)
    signals = theirs.p_signal.T if theirs.e_p_signal is None else theirs.e_p_signal
    return [np.asarray(s).astype(np.float32) for s in signals]


def fails(path: Path, *parts: str, **request: object) -> None:
    with pytest.raises(FormatError) as caught:
        read(path, **request)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("fmt", BITS)
@pytest.mark.parametrize("n_signals", [1, 2, 3])
def test_every_format_is_read_as_by_wfdb(tmp_path, fmt, n_signals):
    random = np.frombuffer(np.random.default_rng(fmt).bytes(n_bytes(fmt, 100 * n_signals)), np.uint8).copy()
    if fmt == 311:
        # signal(5) leaves the two highest bits of a block unused; wfdb takes one of them for a sample's.
        random[3::4] &= 0x3F
    raw = random.tobytes()
    lines = f"r {n_signals} 250 100\n" + f"r.dat {fmt} 10(3)/mV 0 0 7 0 0 x\n" * n_signals
    path = write(tmp_path, lines, dat=raw)
    whole = read(path).signal
    np.testing.assert_array_equal(whole, expected(path))
    part = read(path, start_s=11 / 250, stop_s=52 / 250).signal
    np.testing.assert_array_equal(part, whole[:, 11:52])


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb 4.3 with pandas 3
@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_flac_is_read_as_by_wfdb(tmp_path, fmt):
    half = 1 << int(fmt) - 500 - 1
    samples = np.random.default_rng(1).integers(-half, half, (5000, 3))
    samples[10, 1] = -half
    lines = {"units": ["mV"] * 3, "sig_name": ["a", "b", "c"], "adc_gain": [50.0] * 3, "baseline": [4] * 3}
    wfdb.wrsamp("r", fs=250, d_signal=samples, fmt=[fmt] * 3, write_dir=str(tmp_path), **lines)
    whole = read(tmp_path / "r")
    assert np.isnan(whole.signal[1, 10])
    np.testing.assert_array_equal(whole.signal, expected(tmp_path / "r"))
    assert whole.meta["checksum_ok"] is True
    np.testing.assert_array_equal(read(tmp_path / "r", start_s=1, stop_s=2).signal, whole.signal[:, 250:500])
    (tmp_path / "r.dat").write_bytes((tmp_path / "r.dat").read_bytes()[:200])
    fails(tmp_path / "r", "r.dat")
    (tmp_path / "r.dat").write_bytes(b"fLaC" + bytes(100))
    fails(tmp_path / "r", "cannot be decoded as FLAC")
    # What libsndfile would take for another kind of sound.
    (tmp_path / "r.dat").write_bytes(b"RIFF" + bytes(100))
    fails(tmp_path / "r", "begins with b'RIFF'; a FLAC stream begins with b'fLaC'")


def test_a_delayed_signal_is_moved_back(tmp_path):
    raw = np.arange(2 * 100, dtype="<i2").tobytes()
    path = write(tmp_path, "r 2 250 100\nr.dat 16 1\nr.dat 16:7 1\n", dat=raw)
    whole = read(path).signal
    np.testing.assert_array_equal(whole, expected(path))
    assert np.isnan(whole[1, -7:]).all()
    assert not np.isnan(whole[1, :-7]).any()
    np.testing.assert_array_equal(read(path, start_s=0.2, stop_s=0.36).signal, whole[:, 50:90])


def test_bytes_before_the_samples_are_passed_over(tmp_path):
    raw = bytes(999) + np.arange(20, dtype="<i2").tobytes()
    path = write(tmp_path, "r 1 250 20\nr.dat 16+999 1\n", dat=raw)
    assert read(path).signal[0].tolist() == list(range(20))


def test_signals_of_different_rate_are_chosen_by_rate(tmp_path):
    # In each frame one sample of a, four of b, one of c.
    raw = np.arange(6 * 50, dtype="<i2").tobytes()
    path = write(
        tmp_path, "r 3 125 50\nr.dat 16 1 0 0 0 0 0 a\nr.dat 16x4 1 0 0 0 0 0 b\nr.dat 16 1 0 0 0 0 0 c\n", dat=raw
    )
    fails(path, "signals with different rates: ['a', 'c'] at 125 Hz; ['b'] at 500 Hz", "channels=[…]")
    slow, fast = read(path, channels=("a", "c")), read(path, channels=("b",))
    assert (slow.fs, fast.fs) == (125.0, 500.0)
    a, b, c = expected(path)
    np.testing.assert_array_equal(slow.signal, [a, c])
    np.testing.assert_array_equal(fast.signal, [b])
    np.testing.assert_array_equal(read(path, channels=("b",), start_s=0.08, stop_s=0.16).signal, [b[40:80]])


def test_annotations_move_to_the_rate_of_the_chosen_signals(tmp_path):
    mark = (1 << 10 | 10).to_bytes(2, "little")
    path = write(tmp_path, "r 2 125 50\nr.dat 16 1\nr.dat 16x4 1\n", dat=bytes(2 * 5 * 50), atr=mark + bytes(2))
    both = frozenset({"signal", "annotation"})
    assert read(path, channels=(0,), components=both).annotation.sample.tolist() == [10]
    assert read(path, channels=(1,), components=both).annotation.sample.tolist() == [40]
    assert read(path, components=frozenset({"annotation"})).annotation.sample.tolist() == [10]


def segments(folder: Path) -> Path:
    """Write a record of variable layout: 20 samples of a and b, a gap of 30, 10 of b alone."""
    (folder / "r_1.dat").write_bytes(np.arange(40, dtype="<i2").tobytes())
    (folder / "r_1.hea").write_text("r_1 2 250 20\nr_1.dat 16 10 16 0 0 780 0 a\nr_1.dat 16 1 16 0 0 400 0 b\n")
    (folder / "r_2.dat").write_bytes(np.arange(10, dtype="<i2").tobytes())
    (folder / "r_2.hea").write_text("r_2 1 250 10\nr_2.dat 16 2 16 0 0 45 0 b\n")
    (folder / "r_layout.hea").write_text("r_layout 2 250 0\n~ 0 1 16 0 0 0 0 a\n~ 0 1 16 0 0 0 0 b\n# age: 61\n")
    (folder / "r.hea").write_text("r/4 2 250 60\nr_layout 0\nr_1 20\n~ 30\nr_2 10\n")
    return folder / "r"


def test_a_record_with_variable_layout_has_nan_where_a_signal_is_absent(tmp_path, monkeypatch):
    path = segments(tmp_path)
    monkeypatch.chdir(tmp_path)  # wfdb looks for segments in the working folder
    found = read(path)
    assert (found.leads, found.signal.shape) == (("a", "b"), (2, 60))
    theirs = wfdb.rdrecord("r", m2s=True).p_signal.T
    np.testing.assert_array_equal(found.signal, theirs.astype(np.float32))
    assert found.meta["age"] == 61
    np.testing.assert_array_equal(read(path, start_s=0.06, stop_s=0.22).signal, found.signal[:, 15:55])
    np.testing.assert_array_equal(read(path, channels=("b",)).signal, found.signal[1:])


def test_only_the_segments_of_a_range_are_opened(tmp_path):
    path = segments(tmp_path)
    (tmp_path / "r_1.dat").unlink()
    (tmp_path / "r_1.hea").unlink()
    assert read(path, start_s=0.2).signal[1].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
    fails(path, "There is no header", "r_1.hea")


def test_a_record_of_fixed_layout_is_its_segments_one_after_another(tmp_path):
    for i in (1, 2):
        (tmp_path / f"r_{i}.dat").write_bytes(np.arange(i, i + 5, dtype="<i2").tobytes())
        (tmp_path / f"r_{i}.hea").write_text(f"r_{i} 1 250 5\nr_{i}.dat 16 1 16 0 0 {9 + 5 * i} 0 a\n")
    path = write(tmp_path, "r/2 1 250 10\nr_1 5\nr_2 5\n")
    found = read(path)
    assert found.signal.tolist() == [[1, 2, 3, 4, 5, 2, 3, 4, 5, 6]]
    assert found.meta["checksum_ok"] is False
    (tmp_path / "r_1.hea").write_text("r_1 1 250 5\nr_1.dat 16 1 16 0 0 15 0 a\n")
    (tmp_path / "r_2.hea").write_text("r_2 1 250 5\nr_2.dat 16 1 16 0 0 20 0 a\n")
    assert read(path).meta["checksum_ok"] is True


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("r/2 2 250 61\nr_1 20\nr_2 10\n", "says 61, but its 2 segments have 30 in all"),
        ("r/1 2 250 5\n~ 5\n", "names only gaps"),
        ("r/2 2 250\nr_1 20\n", "says that it has 2 segments, but only 1"),
        ("r/1 2 500 20\nr_1 20\n", "says 250 Hz, but the record that it is part of"),
        ("r/1 2 250 20\n../r_1 20\n", "not in its folder"),
        ("r/1 1 250 10\nr 10\n", "which has segments itself"),
        ("r/1 2 250 30\nr_1 30\n", "gives segment 'r_1' 30 samples"),
    ],
)
def test_segments_that_do_not_fit_are_refused(tmp_path, header, says):
    segments(tmp_path)
    fails(write(tmp_path, header), says)


def test_a_gap_that_no_file_backs_is_not_allocated(tmp_path):
    segments(tmp_path)
    path = write(tmp_path, "r/2 2 250\nr_1 20\n~ 4000000000000\n")
    tracemalloc.start()
    fails(path, "most of them gaps", "start_s and stop_s")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert np.isnan(read(path, start_s=1.0, stop_s=2.0).signal).all()


def test_an_error_for_a_layout_segment_says_what_it_is(tmp_path):
    segments(tmp_path)
    fails(tmp_path / "r_layout", "it is the layout segment of another record")


def test_the_blocks_of_the_formats_are_those_of_wfdb():
    from wfdb.io import _signal

    assert {str(fmt): size / n for fmt, (n, size) in BLOCKS.items()} == {
        fmt: n for fmt, n in _signal.BYTES_PER_SAMPLE.items() if int(fmt) < 500
    }


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_segments_compressed_by_flac_are_read_as_those_that_are_not(tmp_path, fmt):
    rng = np.random.default_rng(3)
    marks = b"".join((1 << 10 | 900).to_bytes(2, "little") for _ in range(12)) + b"\0\0"
    for folder, kind in (("plain", "16"), ("flac", fmt)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            rows = np.random.default_rng(i).integers(-100, 100, (5000, 2))
            lines = "".join(f"s{i}.dat {kind} 200(0)/mV 16 0 0 0 0 {lead}\n" for lead in ("II", "V1"))
            (tmp_path / folder / f"s{i}.hea").write_text(f"s{i} 2 250 5000\n{lines}")
            content = rows.astype("<i2").tobytes() if kind == "16" else flac_bytes(rows, int(fmt))
            (tmp_path / folder / f"s{i}.dat").write_bytes(content)
        (tmp_path / folder / "m.hea").write_text("m/4 2 250 16000\ns0 5000\n~ 1000\ns1 5000\ns2 5000\n")
        (tmp_path / folder / "m.atr").write_bytes(marks)
    everything = frozenset({"signal", "meta", "annotation"})
    spans = [(0.0, None), *((a, b) for a, b in np.sort(rng.uniform(0, 64, (6, 2)), axis=1).tolist())]
    for start, stop in spans:
        for channels in (None, ("V1",), ("V1", "II")):
            options = {"start_s": start, "stop_s": stop, "channels": channels, "components": everything}
            plain, flac = read(tmp_path / "plain/m", **options), read(tmp_path / "flac/m", **options)
            np.testing.assert_array_equal(flac.signal, plain.signal)
            assert flac.annotation == plain.annotation
            assert (flac.leads, flac.fs) == (plain.leads, plain.fs)
    whole = read(tmp_path / "flac/m", components=everything)
    assert whole.signal.shape == (2, 16000)
    assert np.isnan(whole.signal[:, 5000:6000]).all()
    assert np.isnan(whole.signal).sum() == 2000
    assert whole.annotation.sample.tolist() == [900 * (i + 1) for i in range(12)]
    # The header of each segment may leave its length to the file.
    (tmp_path / "flac/s1.hea").write_text((tmp_path / "flac/s1.hea").read_text().replace("250 5000", "250"))
    np.testing.assert_array_equal(read(tmp_path / "flac/m").signal, whole.signal)
