"""A single file that was compressed is read through, and no small one becomes a large one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgDataset
from cardioflow.cli.app import app
from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise

FILES = {
    "edf": "edf/cardio_sample.edf",
    "muse_xml": "muse_xml/introecg_example.xml",
    "scp": "scp/Example.scp",
    "dicom": "dicom/cardio_sample.dcm",
    "ishne": "ishne/ECG_P28.01.ecg",
}


def _zip(raw: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._a", b"\0")
        archive.writestr(f"folder/{path.stem}", raw)


PACKERS: dict[str, Callable[[bytes, Path], object]] = {
    ".gz": lambda raw, path: path.write_bytes(gzip.compress(raw)),
    ".bz2": lambda raw, path: path.write_bytes(bz2.compress(raw)),
    ".xz": lambda raw, path: path.write_bytes(lzma.compress(raw)),
    ".zip": _zip,
}


@pytest.mark.parametrize("suffix", sorted(PACKERS))
@pytest.mark.parametrize("fmt", sorted(FILES))
def test_a_compressed_file_is_found_and_gives_the_same_record(
    data: Path, tmp_path: Path, fmt: str, suffix: str
) -> None:
    plain = data / "formats" / FILES[fmt]
    path = tmp_path / f"{plain.name}{suffix}"
    PACKERS[suffix](plain.read_bytes(), path)
    assert recognise(path) == fmt
    assert EcgDataset(tmp_path).paths == (path,)
    expected = EcgDataset(str(plain)).next_batch(1).load()
    for name in (None, fmt):
        found = EcgDataset(str(path)).next_batch(1).load(fmt=name)
        assert found.signal == expected.signal
        assert found.meta[0]["timestamp"] == expected.meta[0]["timestamp"]


def test_the_commands_read_compressed_files(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.edf.gz"
    PACKERS[".gz"]((data / "formats" / FILES["edf"]).read_bytes(), path)
    for command in (["info", path], ["check", path], ["convert", path, tmp_path / "out.npz"]):
        done = CliRunner().invoke(app, [str(part) for part in command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert EcgDataset(str(tmp_path / "out.npz")).next_batch(1).load().signal[0].shape == (1, 12000)


@pytest.mark.parametrize("suffix", sorted(PACKERS))
def test_a_bomb_is_refused_before_it_grows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.npy{suffix}"
    raw = bytearray(64 << 20)
    np.lib.format.write_array_header_1_0(
        stream := io.BytesIO(), {"descr": "<f4", "fortran_order": False, "shape": (1, 1 << 24)}
    )
    raw[: stream.tell()] = stream.getvalue()
    PACKERS[suffix](bytes(raw), path)
    with pytest.raises(FormatError, match=r"a\.npy.*would unpack to more than \d+ bytes"):
        EcgDataset(str(path)).next_batch(1).load(fmt="npy", fs=250)


@pytest.mark.parametrize("suffix", sorted(PACKERS))
def test_an_error_for_a_damaged_archive_names_it(data: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.edf{suffix}"
    PACKERS[suffix]((data / "formats" / FILES["edf"]).read_bytes(), path)
    raw = path.read_bytes()
    for broken in (raw[: len(raw) // 2], b"nothing", b"", raw[:20]):
        path.write_bytes(broken)
        with pytest.raises(FormatError, match=r"a\.edf"):
            EcgDataset(str(path)).next_batch(1).load(fmt="edf")
    PACKERS[suffix]((data / "formats" / FILES["edf"]).read_bytes()[:-7], path)
    with pytest.raises(FormatError, match=rf"{path}: is truncated"):
        EcgDataset(str(path)).next_batch(1).load(fmt="edf")


def test_an_archive_with_several_files_is_not_read(data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.edf", "b.edf"):
            archive.write(data / "formats" / FILES["edf"], name)
    with pytest.raises(FormatError, match="A compressed file is read where one ECG is in it"):
        recognise(tmp_path / "a.zip")
    with pytest.raises(FormatError, match="is an archive of 2 files; one is read through"):
        EcgDataset(str(tmp_path / "a.zip")).next_batch(1).load(fmt="edf")
    (tmp_path / "r.hea.gz").write_bytes(gzip.compress((data / "mitdb" / "119.hea").read_bytes()))
    with pytest.raises(FormatError, match="header of a WFDB record names other files: unpack the record"):
        recognise(tmp_path / "r.hea.gz")
