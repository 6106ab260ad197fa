"""Small files that claim to be large: refused before anything large is made of them."""

from __future__ import annotations

import base64
import struct
import time
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
import scp_writer as scp
import soundfile

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.registry import formats

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
OWN = ("contec", "dicom", "hl7_aecg", "mfer", "muse_xml", "schiller_xml", "scp", "sierra_xml")
XML = {
    "cardiosoft_xml": "CardiologyXML",
    "hl7_aecg": "AnnotatedECG",
    "muse_xml": "RestingECG",
    "schiller_xml": "com.xiriuz.sema.xml.schillerEDI.SchillerEDI",
    "sierra_xml": "restingecgdata",
}


def _peak(fmt: str, path: Path) -> int:
    reader = formats.get(fmt)()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        reader.read(path, ALL)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("fmt", OWN)
def test_real_files_need_at_most_twenty_times_their_size(data: Path, fmt: str) -> None:
    for path in sorted((data / "formats" / fmt).iterdir()):
        formats.get(fmt)().read(path, ALL)  # what is compiled and imported once does not count
        assert _peak(fmt, path) <= 20 * path.stat().st_size


def _refused(fmt: str, path: Path, message: str, *, most: int = 1 << 20) -> None:
    reader = formats.get(fmt)()
    with suppress(FormatError):
        reader.read(path, ALL)  # what is compiled and imported once does not count
    tracemalloc.start()
    begin = time.thread_time()  # not the time on the wall, which a busy machine stretches
    try:
        with pytest.raises(FormatError, match=message):
            reader.read(path, ALL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 20 * path.stat().st_size + most
    assert time.thread_time() - begin < 5


@pytest.mark.parametrize("fmt", XML)
def test_many_small_elements_are_refused(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<{XML[fmt]}>" + "<a/>" * 300_000 + f"</{XML[fmt]}>")
    _refused(fmt, path, "has more elements, or deeper ones")


@pytest.mark.parametrize("fmt", XML)
def test_many_attributes_are_refused(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<{XML[fmt]} " + " ".join(f'a{i}=""' for i in range(200_000)) + "/>")
    _refused(fmt, path, "has more elements, or deeper ones")


@pytest.mark.parametrize("fmt", XML)
def test_deep_elements_are_refused(tmp_path: Path, fmt: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<{XML[fmt]}>" + "<a>" * 1000 + "</a>" * 1000 + f"</{XML[fmt]}>")
    _refused(fmt, path, "has more elements, or deeper ones")


@pytest.mark.parametrize("fmt", XML)
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE {root} [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE {root} [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE {root} PUBLIC "-//X//EN" "http://localhost/x.dtd">',
        '<!DOCTYPE other SYSTEM "x.dtd">',
    ],
)
def test_a_dtd_and_entities_are_refused(tmp_path: Path, fmt: str, doctype: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(doctype.format(root=XML[fmt]) + f"<{XML[fmt]}>&b;</{XML[fmt]}>")
    _refused(fmt, path, "holds a DTD or an entity, which is refused")


@pytest.mark.parametrize("fmt", OWN)
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"<" * 5000, b"\xff\xfe" + b"<\0" * 3000])
def test_nothing_and_nonsense_are_refused(tmp_path: Path, fmt: str, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        formats.get(fmt)().read(path, ALL)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("fmt", OWN)
def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path, fmt: str) -> None:
    with pytest.raises(FormatError, match=r"nothing\.ecg: cannot be opened"):
        formats.get(fmt)().read(tmp_path / "nothing.ecg", ALL)


@pytest.mark.parametrize("fmt", OWN)
def test_a_real_file_cut_anywhere_is_read_or_refused(data: Path, tmp_path: Path, fmt: str) -> None:
    whole = min((data / "formats" / fmt).iterdir(), key=lambda p: p.stat().st_size).read_bytes()
    reader = formats.get(fmt)()
    path = tmp_path / "cut"
    refused = 0
    for part in [*range(12), 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999]:
        path.write_bytes(whole[: part if isinstance(part, int) else int(part * len(whole))])
        try:
            reader.read(path, ALL)
        except FormatError:
            refused += 1
    # A cut of a whole number of samples cannot be told where the header gives no length.
    assert refused >= 12


def test_lzw_that_unfolds_to_more_than_is_claimed_is_cut_short(tmp_path: Path) -> None:
    # The code after the last one of the table grows by one letter each time: 256, 257, …
    bits = f"{0:010b}" + "".join(f"{code:010b}" for code in range(256, 1022)) * 40
    packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
    chunk = struct.pack("<IHh", len(packed), 1, 0) + packed
    path = tmp_path / "a.xml"
    path.write_text(
        "<restingecgdata><documentinfo><documenttype>SierraECG</documenttype><documentversion>1.03</documentversion>"
        "</documentinfo><dataacquisition><signalcharacteristics><samplingrate>500</samplingrate>"
        "<signalresolution>5</signalresolution><acquisitiontype>STD-12</acquisitiontype>"
        "<numberchannelsallocated>2</numberchannelsallocated></signalcharacteristics></dataacquisition><waveforms>"
        f'<parsedwaveforms compressmethod="XLI" durationperchannel="100">{base64.b64encode(chunk).decode()}'
        "</parsedwaveforms></waveforms></restingecgdata>"
    )
    _refused("sierra_xml", path, "the compressed waveform ends at byte")


def test_huffman_bits_that_unfold_to_more_than_the_file_allows_are_refused(tmp_path: Path) -> None:
    body = {
        1: scp.tags(),
        2: struct.pack("<H", 19999),
        3: scp.leads([1] * 100, 1, 8 * 60_000),
        6: scp.block([b"\0" * 60_000] * 100, differences=2),
    }
    path = tmp_path / "a.scp"
    path.write_bytes(scp.record(body))
    _refused("scp", path, "says that its leads have 48000000 samples, which 6001320 bytes cannot hold")


def test_more_beats_than_samples_are_refused(tmp_path: Path) -> None:
    beats = struct.pack("<HHH", 1000, 1, 60_000) + struct.pack("<HIII", 0, 1, 1, 99) * 60_000
    body = {
        1: scp.tags(),
        3: scp.leads([1] * 200, 1, 1000, subtracted=True),
        4: beats,
        5: scp.block([b"\0" * 1000] * 200),
        6: scp.block([b"\0" * 2000] * 200),
    }
    path = tmp_path / "a.scp"
    path.write_bytes(scp.record(body))
    _refused("scp", path, "locates 60000 beats in 1000 samples")


def _deflated(path: Path, data: Path, n_samples: int) -> Path:
    """Write a DICOM file of 8 bit with two groups of 12 channels that are 0, deflated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an over-long UID in the file, of which pydicom warns
        dataset = pydicom.dcmread(data / "formats/dicom/pydicom_waveform_ecg.dcm")
        for group in dataset.WaveformSequence:
            group.NumberOfWaveformSamples, group.WaveformData = n_samples, bytes(12 * n_samples)
            group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "SB"
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
        dataset.save_as(path, implicit_vr=False, little_endian=True)
    return path


def test_a_dicom_file_that_inflates_to_more_than_the_file_allows_is_refused(data: Path, tmp_path: Path) -> None:
    path = _deflated(tmp_path / "a.dcm", data, 4_000_000)
    assert path.stat().st_size < 250_000
    _refused(
        "dicom", path, "is deflated and has more than .* bytes when inflated, too many for a file of", most=4 << 20
    )


def test_deflated_dicom_samples_that_become_more_than_the_file_allows_are_refused(data: Path, tmp_path: Path) -> None:
    path = _deflated(tmp_path / "a.dcm", data, 40_000)
    _refused("dicom", path, "declares samples that take .* bytes, too many for a file of", most=4 << 20)


def test_a_dicom_element_that_claims_gigabytes_is_refused(data: Path, tmp_path: Path) -> None:
    content = bytearray((data / "formats/dicom/pydicom_waveform_ecg.dcm").read_bytes())
    # The Waveform Data of the first group: tag, OW, two bytes, and its length.
    at = content.index(b"\x00\x54\x10\x10OW\0\0")
    content[at + 8 : at + 12] = b"\xf0\xff\xff\x7f"
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    _refused("dicom", path, "a.dcm: ")


def test_a_dicom_file_of_many_empty_items_is_refused(data: Path, tmp_path: Path) -> None:
    source = (data / "formats/dicom/pydicom_waveform_ecg.dcm").read_bytes()
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 190_000
    path = tmp_path / "a.dcm"
    path.write_bytes(source + b"\x40\x00\x20\xb0SQ\0\0" + len(items).to_bytes(4, "little") + items)
    _refused("dicom", path, r"has 190\d{3} items of sequences in")


@pytest.mark.parametrize(
    "header",
    [
        "r 1 250 1000000000\n~ 16 200\n",
        "r 1 250 1000000000\n~ 0 200\n",
        "r 1 250 1000000000\nr.dat 0 200\n",
        "r 4 250 1000000000\n" + "~ 0 200\n" * 4,
        "r/2 1 250 1000000000\nlayout 0\n~ 1000000000\n",
        "r/2 1 250 1000000000\nlayout 0\nlayout 1000000000\n",
        "r/3 1 250 1000000000\nlayout 0\n~ 999999999\none 1\n",
        "r 1 250 1000000000\none.dat 516 200\n",
    ],
)
def test_a_header_of_wfdb_that_claims_samples_without_a_file_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "layout.hea").write_text("layout 1 250 1000000000\n~ 0 200\n")
    (tmp_path / "one.hea").write_text("one 1 250 1\none.dat 16 200\n")
    (tmp_path / "one.dat").write_bytes(b"\0\0")
    (tmp_path / "r.hea").write_text(header)
    _refused("wfdb", tmp_path / "r.hea", r"r\.hea|one\.dat")


def test_a_flac_stream_of_silence_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    n = 30_000_000
    with soundfile.SoundFile(tmp_path / "r.dat", "w", 96000, 8, "PCM_16", format="FLAC") as file:
        for _ in range(n // 1_000_000):
            file.write(np.zeros((1_000_000, 8), np.int16))
    (tmp_path / "r.hea").write_text(f"r 8 250 {n}\n" + "r.dat 516 200\n" * 8)
    _refused("wfdb", tmp_path / "r.hea", "would take 915 MiB, more than 64 times as much")
    part = formats.get("wfdb")().read(tmp_path / "r.hea", ReadRequest(start_s=1000.0, stop_s=1004.0))
    assert part.signal.shape == (8, 1000)
    assert not part.signal.any()


@pytest.mark.parametrize("lines", ["r.dat 16 200", "r.dat 16 200 0 0 0 0 0 I"])
def test_a_header_with_many_signal_lines_takes_linear_time(tmp_path: Path, lines: str) -> None:
    n = 30_000
    (tmp_path / "r.dat").write_bytes(b"\1\0" * n)
    (tmp_path / "r.hea").write_text(f"r {n} 250 1\n" + f"{lines}\n" * n)
    begin = time.thread_time()
    assert formats.get("wfdb")().read(tmp_path / "r.hea", ReadRequest()).signal.shape == (n, 1)
    (tmp_path / "m.hea").write_text(f"m {n} 250 1\n" + "".join(f"{i}.dat 16 200\n" for i in range(n)))
    with pytest.raises(FormatError, match=r"0\.dat, a file of .*m\.hea, cannot be opened"):
        formats.get("wfdb")().read(tmp_path / "m.hea", ReadRequest())
    assert time.thread_time() - begin < 10, "it was 100 s when it grew with their square"


def test_a_header_that_names_one_segment_again_and_again_reads_it_once(tmp_path: Path) -> None:
    n = 50_000
    (tmp_path / "one.hea").write_text("one 1 250 2\none.dat 16 200\n")
    (tmp_path / "one.dat").write_bytes(np.array([200, 400], "<i2").tobytes())
    (tmp_path / "r.hea").write_text(f"r/{n} 1 250 {2 * n}\n" + "one 2\n" * n)
    begin = time.thread_time()
    signal = formats.get("wfdb")().read(tmp_path / "r.hea", ReadRequest()).signal
    np.testing.assert_array_equal(signal, np.tile(np.float32([1.0, 2.0]), n)[None])
    assert time.thread_time() - begin < 5
