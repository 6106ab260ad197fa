"""Small real records of every format, for ``fuzz_readers.py`` to damage."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import edfio
import numpy as np
import pyarrow as pa
import pydicom
import scipy.io
import soundfile
from _fuzz_written import written
from pyarrow import ipc

from cardioflow import EcgDataset
from cardioflow.io.base import Format, ReadRequest
from cardioflow.registry import formats

__all__ = ["EVERYTHING", "Seed", "seeds"]

EVERYTHING = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
_LARGEST = 1 << 14


@dataclass
class Seed:
    """The files of a record, and the one that is passed to the reader."""

    name: str
    files: dict[str, bytes]
    main: str

    def path(self, folder: Path) -> Path:
        """Return the path to read if the files are in ``folder``."""
        # A record of a packed store is named by the store's folder and a number.
        return Path(f"{folder}{self.main}") if self.main.startswith("#") else folder / self.main


def seeds(fmt: str, data: Path) -> list[Seed]:
    """Return small real records of a format."""
    if fmt == "wfdb":
        return list(_wfdb_seeds(data))
    if fmt == "packed":
        return list(_packed(data))
    folder = data / "formats" / fmt
    reader = formats.get(fmt)
    found = list(_made(fmt, data))
    found += [Seed(f"written {name}", {name: content}, name) for name, content in written(fmt)]
    for path in sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []:
        content = _smaller(fmt, path.read_bytes())
        if reader.recognises(content[:4096]):
            beside = path.with_suffix(".ann")
            marks = {beside.name: beside.read_bytes()} if beside.exists() else {}
            found.append(Seed(path.name, {path.name: content} | marks, path.name))
    return found


def _smaller(fmt: str, content: bytes) -> bytes:
    """Return a file with fewer samples, so that damage hits its structure more often and more mutants can be read."""
    if fmt in _SMALLER:
        return _SMALLER[fmt](content)
    # Not shortened if reading is cheap: a truncated text is refused before most of it is processed.
    return content if len(content) < 1 << 19 else content[: 1 << 18]


def _smaller_edf(content: bytes) -> bytes:
    # "-1" means as many data records as the file has.
    return content[:236] + b"-1      " + content[244 : 1 << 18]


def _smaller_ishne(content: bytes) -> bytes:
    """Keep the first samples, correct their count, and remove the checksum."""
    if content[:5] != b"ISHNE":
        return content
    content = content[: 1 << 15]
    count = (len(content) - 522) // 24
    return content[:8] + b"\0\0" + content[10:14] + count.to_bytes(4, "little") + content[18:]


def _smaller_dicom(content: bytes) -> bytes:
    """Keep the first 100 samples of every multiplex group."""
    dataset = pydicom.dcmread(BytesIO(content))
    for group in dataset.WaveformSequence:
        group.NumberOfWaveformSamples = min(100, group.NumberOfWaveformSamples)
        size = group.NumberOfWaveformSamples * group.NumberOfWaveformChannels * group.WaveformBitsAllocated // 8
        group.WaveformData = group.WaveformData[:size]
    dataset.save_as(written := BytesIO())
    return written.getvalue()


def _smaller_mfer(content: bytes) -> bytes:
    """Keep only the first sequence."""
    sequences, waves = content.index(b"\x06\x02"), content.index(b"\x1e\x84")
    count = int.from_bytes(content[sequences + 2 : sequences + 4], "little")
    size = int.from_bytes(content[waves + 2 : waves + 6], "big") // count
    one = content[:sequences] + b"\x06\x02\x01\x00" + content[sequences + 4 : waves + 2] + size.to_bytes(4, "big")
    return one + content[waves + 6 : waves + 6 + size]


def _smaller_aecg(content: bytes) -> bytes:
    return re.sub(rb"<digits>([^<]*)", lambda found: b"<digits>" + b" ".join(found[1].split()[:100]), content)


def _smaller_schiller(content: bytes) -> bytes:
    content = re.sub(
        rb"<data>([^<]*)", lambda found: b"<data>" + b",".join(found[1].replace(b",", b" ").split()[:100]), content
    )
    return re.sub(rb"<samplecount>\d+", b"<samplecount>100", content)


_SMALLER: dict[str, Callable[[bytes], bytes]] = {
    "edf": _smaller_edf,
    "ishne": _smaller_ishne,
    "dicom": _smaller_dicom,
    "mfer": _smaller_mfer,
    "hl7_aecg": _smaller_aecg,
    "schiller_xml": _smaller_schiller,
}


def _made(fmt: str, data: Path) -> Iterator[Seed]:
    """Write a real record with annotations in a format that has no sample file."""
    source = formats.get("wfdb")().read(data / "ludb/7", ReadRequest(EVERYTHING.components, stop_s=1.0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if fmt == "npy":
            np.save(folder / "r.npy", source.signal[:2])
            (folder / "r.json").write_text('{"fs": 500, "leads": ["I", "II"], "age": 61}')
        elif fmt == "mat":
            for name, packed in (("r", False), ("s", True)):
                cell = np.array([*source.leads, None], dtype=object)[:-1]
                content = {"val": source.signal.astype("i2"), "fs": 500.0, "leads": cell}
                scipy.io.savemat(folder / f"{name}.mat", content, do_compression=packed)
                told = {"Fs": 500.0, "leads": cell}
                inside = {"sex": "Male", "age": 61, "data": source.signal[:, :100], "info": told}
                scipy.io.savemat(folder / f"{name}-structure.mat", {"ECG": inside}, do_compression=packed)
        elif fmt == "bdf":
            rows = zip(source.signal.astype(float), source.leads, strict=True)
            signals = [edfio.BdfSignal(row, 500, label=lead, physical_dimension="mV") for row, lead in rows]
            edfio.Bdf(signals, annotations=[edfio.EdfAnnotation(0.5, None, "N")]).write(folder / "r.bdf")
        elif formats.get(fmt).write is not Format.write and fmt != "wfdb":
            formats.get(fmt)().write(source, folder / "r")
        if fmt == "csv":
            rows = (
                f"2020-12-31T23:59:59.{ms:03d},{v:.3f}\n"
                for ms, v in zip(range(0, 1000, 2), source.signal[0], strict=False)
            )
            (folder / "clock.csv").write_text("time,I\n" + "".join(rows))
        if fmt == "arrow":
            _write_stream(folder / "r.arrow", folder / "r.arrows")
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in sorted(files):
        if not name.endswith((".json", ".ann")):
            yield Seed(f"written {name}", files, name)
    if fmt == "dicom":
        yield from _dicom_seeds(files["r.dcm"])


def _write_stream(source: Path, target: Path) -> None:
    """Rewrite an Arrow file as a compressed stream of several batches, with columns of other types."""
    table = ipc.open_file(str(source)).read_all()
    texts = pa.array(["a", "b"] * (len(table) // 2))
    table = table.append_column("note", texts).append_column("class", texts.dictionary_encode())
    with ipc.new_stream(str(target), table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as out:
        out.write_table(table, 200)


def _dicom_seeds(content: bytes) -> Iterator[Seed]:
    """Return deflated, skewed and companded versions of a file."""
    dataset = pydicom.dcmread(BytesIO(content))
    (group,) = dataset.WaveformSequence
    for i, channel in enumerate(group.ChannelDefinitionSequence):
        channel.ChannelSampleSkew, channel.ChannelOffset = str(i / 4), "-0.002"
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "MB"
    group.WaveformData, group.WaveformPaddingValue = group.WaveformData[::2], b"\x80\0"
    dataset.save_as(companded := BytesIO())
    yield Seed("companded", {"r.dcm": companded.getvalue()}, "r.dcm")
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(deflated := BytesIO(), implicit_vr=False, little_endian=True)
    yield Seed("deflated", {"r.dcm": deflated.getvalue()}, "r.dcm")


def _packed(data: Path) -> Iterator[Seed]:
    """Pack two records, of integers and of floats, with their annotations."""
    with tempfile.TemporaryDirectory() as place:
        records = EcgDataset([data / "ludb/7.hea", data / "ludb/104.hea"])
        parts = {"components": ("signal", "meta", "annotation"), "stop_s": 0.5}
        records.pack(Path(place) / "integers", fmt="wfdb", **parts)
        floats = formats.get("wfdb")().read(data / "ludb/7", ReadRequest(EVERYTHING.components, stop_s=0.5))
        formats.get("npz")().write(replace(floats, meta={}), Path(place) / "r")
        EcgDataset([Path(place) / "r.npz"]).pack(Path(place) / "floats", fmt="npz", components=parts["components"])
        for kind in ("integers", "floats"):
            files = {path.name: path.read_bytes() for path in (Path(place) / kind).iterdir()}
            yield Seed(f"store of {kind}", files, "#0")


def _wfdb_seeds(data: Path) -> Iterator[Seed]:
    for stem, suffixes in (
        ("cinc2017/A00015", ("hea", "mat")),
        ("mitdb/119", ("hea", "dat", "atr")),
        ("qtdb/sel230", ("hea", "dat", "q1c")),
        ("ludb/7", ("hea", "dat", "i", "ii")),
    ):
        files = {Path(f"{stem}.{s}").name: (data / f"{stem}.{s}").read_bytes()[:_LARGEST] for s in suffixes}
        header = f"{Path(stem).name}.hea"
        # Fewer samples, because the signal files were shortened.
        for long in (b"650000", b"225000"):
            files[header] = files[header].replace(long, b"5000")
        yield Seed(stem, files, header)
    signal = bytes(range(256)) * 8
    for fmt in (8, 16, 24, 32, 61, 80, 160, 212, 310, 311):
        lines = f"r 2 250 200\nr.dat {fmt} 10(3)/mV 12 1024 7 0 0 I\nr.dat {fmt}:3 20/uV 12 0 0 5 0 II\n# Age: 6\n"
        yield Seed(f"format {fmt}", {"r.hea": lines.encode(), "r.dat": signal}, "r.hea")
    for fmt, subtype in ((508, "PCM_S8"), (516, "PCM_16"), (524, "PCM_24")):
        flac = BytesIO()
        steps = np.arange(-2000, 2000, dtype="i2").reshape(-1, 2) * 16
        soundfile.write(flac, steps, 250, subtype=subtype, format="FLAC")
        lines = f"r 2 250 2000\nr.dat {fmt} 200 {fmt - 500} 0 0 0 0 I\nr.dat {fmt} 200 {fmt - 500} 0 0 0 0 II\n"
        yield Seed(f"format {fmt}", {"r.hea": lines.encode(), "r.dat": flac.getvalue()}, "r.hea")
    yield Seed(
        "segments",
        {
            "r.hea": b"r/4 2 250 60\nr_l 0\nr_1 20\n~ 30\nr_2 10\n",
            "r_l.hea": b"r_l 2 250 0\n~ 0 1 16 0 0 0 0 a\n~ 0 1 16 0 0 0 0 b\n",
            "r_1.hea": b"r_1 2 250 20\nr_1.dat 16x1 10 16 0 0 780 0 a\nr_1.dat 16 1 16 0 0 400 0 b\n",
            "r_2.hea": b"r_2 1 250 10\nr_2.dat 16 2 16 0 0 45 0 b\n",
            "r_1.dat": signal[:80],
            "r_2.dat": signal[:20],
        },
        "r.hea",
    )
