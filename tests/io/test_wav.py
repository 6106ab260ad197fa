from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import wfdb
from scipy.io import wavfile

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.wav import Wav
from cardioflow.pipeline.data.dataset import EcgDataset


def read(path: Path, **request: object) -> Record:
    return Wav().read(path, ReadRequest(**request))


def fails(path: Path, *parts: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(path)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def wav(path: Path, *, kind: int = 1, channels: int = 1, bits: int = 16, data: bytes = b"", **more: int) -> Path:
    fs = 250
    fmt = struct.pack("<HHIIHH", kind, channels, fs, fs * channels * bits // 8, channels * bits // 8, bits)
    size = more.get("size", len(data))
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(b"RIFF" + struct.pack("<I", 0) + body + b"data" + struct.pack("<I", size) + data)
    return path


def test_the_real_file_has_the_numbers_that_scipy_reads(data):
    path = data / "formats/wav/cardio_sample.wav"
    fs, numbers = wavfile.read(path)
    found = read(path)
    np.testing.assert_array_equal(found.signal, numbers[None].astype(np.float32))
    assert (found.fs, found.units, found.leads) == (fs, ("unknown",), ("signal 0",))
    np.testing.assert_array_equal(read(path, start_s=1.0, stop_s=2.5).signal, found.signal[:, fs : round(2.5 * fs)])


@pytest.mark.parametrize(("bits", "highest"), [(8, 127), (16, 32767), (24, 2**23 - 1)])
def test_the_integers_of_a_file_without_a_unit_are_written_again_as_they_are(tmp_path, bits, highest):
    numbers = np.random.default_rng(0).integers(-highest, highest, (300, 2))
    numbers[:2] = highest, -highest
    # WAV's eight bits are unsigned, around 128.
    raw = (numbers + 128 if bits == 8 else numbers).astype("<i4").reshape(-1, 1).view(np.uint8)[:, : bits // 8]
    path = wav(tmp_path / "a.wav", channels=2, bits=bits, data=raw.tobytes())
    EcgDataset(path).next_batch(1).load().dump(tmp_path / "out", fmt="wfdb")
    again = wfdb.rdrecord(str(tmp_path / "out" / "a"), physical=False)
    np.testing.assert_array_equal(again.d_signal, numbers)
    assert (again.adc_gain, again.baseline) == ([1.0, 1.0], [0, 0])
    back = EcgDataset(tmp_path / "out").next_batch(1).load()
    np.testing.assert_array_equal(back.signal[0], numbers.T)
    assert back.meta[0]["units"] == ("unknown", "unknown")


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
def test_every_width_is_read_as_by_scipy(tmp_path, kind):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(50, 3)) * 20 + (128 if kind == "u1" else 0)
    wavfile.write(tmp_path / "x.wav", 500, numbers.astype(kind))
    expected = numbers.astype(kind).T.astype(np.float64) - (128 if kind == "u1" else 0)
    np.testing.assert_array_equal(read(tmp_path / "x.wav").signal, expected.astype(np.float32))


def test_24_bits_are_read(tmp_path):
    path = wav(tmp_path / "x.wav", bits=24, data=b"".join(v.to_bytes(3, "little", signed=True) for v in (-8388608, 5)))
    assert read(path).signal.tolist() == [[-8388608.0, 5.0]]


def test_the_unit_can_be_passed(tmp_path):
    path = wav(tmp_path / "x.wav", data=struct.pack("<2h", 1000, -500))
    found = Wav(unit="mV", per_unit=1000).read(path, ReadRequest())
    assert (found.signal.tolist(), found.units) == ([[1.0, -0.5]], ("mV",))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_was_never_filled_in_means_the_rest(tmp_path, size):
    assert read(wav(tmp_path / "x.wav", data=bytes(20), size=size)).signal.shape == (1, 10)


def test_a_file_that_is_not_a_wav_is_refused(tmp_path):
    fails(wav(tmp_path / "a.wav", data=bytes(20), size=40), "is truncated: 20 bytes", "but 40 are announced")
    fails(wav(tmp_path / "b.wav", kind=2, bits=4), "samples of kind 2")
    fails(wav(tmp_path / "c.wav", channels=0), "says 0 channels")
    fails(wav(tmp_path / "g.wav", channels=600), "says 600 channels", "expected 1 to 512")
    (tmp_path / "d.wav").write_bytes(b"RIFX" + bytes(40))
    fails(tmp_path / "d.wav", "begins with b'RIFX")
    (tmp_path / "e.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    fails(tmp_path / "e.wav", "has no 'data' chunk in its 12 bytes")
    (tmp_path / "f.wav").write_bytes(b"RIFF\0\0\0\0WAVEdata\2\0\0\0\1\1")
    fails(tmp_path / "f.wav", "before the 'fmt ' chunk")
